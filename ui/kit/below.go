package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Below is what is said below a field: small text, in as many lines as it takes. It is hidden while there is nothing to say.
type Below struct {
	widget.BaseWidget
	Text  string
	Color fyne.ThemeColorName
	draw  *widget.RichText
}

func NewBelow(color fyne.ThemeColorName) *Below {
	b := &Below{Color: color, draw: widget.NewRichText(&widget.TextSegment{})}
	b.draw.Wrapping = fyne.TextWrapWord
	b.Hidden = true
	b.ExtendBaseWidget(b)
	return b
}

// Set says something, or nothing, and tells whether what is below has to make room, or gets some.
func (b *Below) Set(text string, color fyne.ThemeColorName) (moved bool) {
	if b.Text == text && b.Color == color && b.Hidden == (text == "") {
		return false
	}
	high := float32(0)
	if b.Visible() {
		high = b.MinSize().Height
	}
	b.Text, b.Color, b.Hidden = text, color, text == ""
	b.Refresh()
	return b.Hidden != (high == 0) || b.Visible() && b.MinSize().Height != high
}

func (b *Below) CreateRenderer() fyne.WidgetRenderer {
	r := &belowRenderer{b, []fyne.CanvasObject{b.draw}}
	r.update()
	return r
}

type belowRenderer struct {
	b       *Below
	objects []fyne.CanvasObject
}

func (r *belowRenderer) Destroy()                     {}
func (r *belowRenderer) Objects() []fyne.CanvasObject { return r.objects }

// edge is what a rich text leaves free around its words.
func (r *belowRenderer) edge() float32 { return theme.SizeForWidget(theme.SizeNameInnerPadding, r.b) }

func (r *belowRenderer) Layout(size fyne.Size) {
	r.b.draw.Move(fyne.NewPos(-r.edge(), -r.edge()))
	r.b.draw.Resize(size.AddWidthHeight(2*r.edge(), 2*r.edge()))
}

func (r *belowRenderer) MinSize() fyne.Size {
	least := r.b.draw.MinSize().SubtractWidthHeight(2*r.edge(), 2*r.edge())
	return fyne.NewSize(max(least.Width, 20), max(least.Height, 0))
}

func (r *belowRenderer) Refresh() { r.update() }

func (r *belowRenderer) update() {
	words := r.b.draw.Segments[0].(*widget.TextSegment)
	words.Text, words.Style = r.b.Text, widget.RichTextStyle{ColorName: r.b.Color, SizeName: theme.SizeNameCaptionText}
	r.b.draw.Refresh()
}
