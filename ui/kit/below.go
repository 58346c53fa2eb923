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
	// letters of a text that takes one line where there is room for it; else it is small, as all that has none. "": none.
	letters fyne.ThemeSizeName
	draw    *widget.RichText
}

// NewPassage is a text of a size that takes one line where there is room for it, and else small ones.
func NewPassage(text string, color fyne.ThemeColorName, size fyne.ThemeSizeName) *Below {
	b := NewBelow(color)
	b.letters, b.Text, b.Hidden = size, text, false
	return b
}

// line is how wide the text is in one line of its size.
func (b *Below) line() float32 {
	return fyne.MeasureText(b.Text, theme.SizeForWidget(b.letters, b), fyne.TextStyle{}).Width
}

// NewBelow is one that says nothing yet.
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
	if r.b.letters != "" {
		r.update()
	}
	r.b.draw.Move(fyne.NewPos(-r.edge(), -r.edge()))
	r.b.draw.Resize(size.AddWidthHeight(2*r.edge(), 2*r.edge()))
}

func (r *belowRenderer) MinSize() fyne.Size {
	least := r.b.draw.MinSize().SubtractWidthHeight(2*r.edge(), 2*r.edge())
	if r.b.letters != "" {
		least.Width = r.b.line() + 1
	}
	return fyne.NewSize(max(least.Width, 20), max(least.Height, 0))
}

func (r *belowRenderer) Refresh() { r.update() }

func (r *belowRenderer) update() {
	words := r.b.draw.Segments[0].(*widget.TextSegment)
	size := theme.SizeNameCaptionText
	if width := r.b.BaseWidget.Size().Width; r.b.letters != "" && (width == 0 || r.b.line() <= width) {
		size = r.b.letters
	}
	words.Text, words.Style = r.b.Text, widget.RichTextStyle{ColorName: r.b.Color, SizeName: size}
	r.b.draw.Refresh()
}
