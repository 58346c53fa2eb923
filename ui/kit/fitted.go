package kit

import (
	"sort"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Fitted is a line of caption text that shows as much as there is room for.
type Fitted struct {
	widget.BaseWidget
	Text  string
	color fyne.ThemeColorName
	draw  *canvas.Text
}

func NewFitted(color fyne.ThemeColorName) *Fitted {
	f := &Fitted{color: color, draw: canvas.NewText("", nil)}
	f.ExtendBaseWidget(f)
	return f
}

func (f *Fitted) Set(text string, color fyne.ThemeColorName) {
	if f.Text != text || f.color != color {
		f.Text, f.color = text, color
		f.Refresh()
	}
}

func (f *Fitted) CreateRenderer() fyne.WidgetRenderer {
	r := &fittedRenderer{f, []fyne.CanvasObject{f.draw}}
	r.update(f.Size().Width)
	return r
}

type fittedRenderer struct {
	f       *Fitted
	objects []fyne.CanvasObject
}

func (r *fittedRenderer) Destroy() {}

func (r *fittedRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *fittedRenderer) Layout(size fyne.Size) {
	r.update(size.Width)
	r.f.draw.Resize(size)
	r.f.draw.Refresh()
}

func (r *fittedRenderer) MinSize() fyne.Size {
	return fyne.NewSize(20, fyne.MeasureText("Mg", theme.SizeForWidget(theme.SizeNameCaptionText, r.f), fyne.TextStyle{}).Height)
}

func (r *fittedRenderer) Refresh() {
	r.update(r.f.Size().Width)
	r.f.draw.Refresh()
}

// update draws the longest beginning of the text that fits.
func (r *fittedRenderer) update(width float32) {
	f := r.f
	f.draw.TextSize = theme.SizeForWidget(theme.SizeNameCaptionText, f)
	f.draw.Color = theme.ColorForWidget(f.color, f)
	letters := []rune(f.Text)
	fits := func(n int) bool {
		text := string(letters[:n])
		if n < len(letters) {
			text += "…"
		}
		f.draw.Text = text
		return fyne.MeasureText(text, f.draw.TextSize, f.draw.TextStyle).Width <= width
	}
	if !fits(len(letters)) {
		fits(max(sort.Search(len(letters), func(n int) bool { return !fits(n) })-1, 0))
	}
}

// Cut tells whether a part of the text is not seen.
func (f *Fitted) Cut() bool { return f.draw.Text != f.Text }

// Worded gives a button the longest of its texts that it has room for, the last one where it has none.
type Worded struct{ Texts func() []string } // the longest first

func (w Worded) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	b := objects[0].(*Button)
	letters := func(text string) float32 {
		return fyne.MeasureText(text, theme.SizeForWidget(theme.SizeNameText, b), fyne.TextStyle{Bold: true}).Width
	}
	edge := b.MinSize().Width - letters(b.Text)
	texts := w.Texts()
	for i, text := range texts {
		if i == len(texts)-1 || letters(text)+edge <= size.Width {
			b.SetText(text)
			break
		}
	}
	fill(objects, size)
}

func (Worded) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(0, largest(objects).Height)
}
