package kit

import (
	"image/color"
	"sort"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Line is one line of text without padding, in a colour and a size of the theme.
type Line struct {
	widget.BaseWidget
	Text  string
	Color fyne.ThemeColorName
	size  fyne.ThemeSizeName
	Style fyne.TextStyle
	Align fyne.TextAlign
	Gives bool        // becomes as small as a caption before a part of it is cut
	paint color.Color // instead of color, when set
	draw  *canvas.Text
}

func NewLine(text string, color fyne.ThemeColorName, size fyne.ThemeSizeName) *Line {
	l := &Line{Text: text, Color: color, size: size}
	l.draw = canvas.NewText(text, nil)
	l.ExtendBaseWidget(l)
	return l
}

func Caption(text string) *Line {
	return NewLine(text, theme.ColorNamePlaceHolder, theme.SizeNameCaptionText)
}

func Heading(text string) *Line {
	l := NewLine(text, theme.ColorNameForeground, theme.SizeNameText)
	l.Style.Bold = true
	return l
}

func (l *Line) Set(text string) {
	if l.Text != text {
		l.Text = text
		l.Refresh()
	}
}

func (l *Line) CreateRenderer() fyne.WidgetRenderer {
	r := &lineRenderer{l, []fyne.CanvasObject{l.draw}}
	r.update()
	return r
}

type lineRenderer struct {
	l       *Line
	objects []fyne.CanvasObject
}

func (r *lineRenderer) Destroy() {}
func (r *lineRenderer) MinSize() fyne.Size {
	return fyne.MeasureText(r.l.Text, theme.SizeForWidget(r.l.size, r.l), r.l.draw.TextStyle)
}

// Layout cuts a text that has too little room at its end.
func (r *lineRenderer) Layout(size fyne.Size) {
	r.l.draw.Resize(size)
	text, letter := r.l.Text, theme.SizeForWidget(r.l.size, r.l)
	for least := theme.SizeForWidget(theme.SizeNameCaptionText, r.l); r.l.Gives && size.Width > 0 && letter > least &&
		fyne.MeasureText(text, letter, r.l.draw.TextStyle).Width > size.Width+0.5; {
		letter = max(letter-0.5, least)
	}
	if r.l.draw.TextSize != letter {
		r.l.draw.TextSize = letter
		r.l.draw.Refresh()
	}
	if size.Width > 0 {
		text = begin(text, func(text string) bool { return r.width(text) <= size.Width+0.5 })
	}
	if r.l.draw.Text != text {
		r.l.draw.Text = text
		r.l.draw.Refresh()
	}
}

func (r *lineRenderer) width(text string) float32 {
	return fyne.MeasureText(text, r.l.draw.TextSize, r.l.draw.TextStyle).Width
}

// begin is a text where it fits, else as much of its beginning, at least a letter, as fits with three dots behind it.
func begin(text string, fits func(string) bool) string {
	letters := []rune(text)
	if len(letters) < 2 || fits(text) {
		return text
	}
	first := func(n int) string { return strings.TrimSpace(string(letters[:n])) + "…" }
	return first(1 + sort.Search(len(letters)-2, func(i int) bool { return !fits(first(2 + i)) }))
}

func (r *lineRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *lineRenderer) update() {
	l := r.l
	l.draw.Text, l.draw.TextStyle, l.draw.Alignment = l.Text, l.Style, l.Align
	l.draw.TextSize = theme.SizeForWidget(l.size, l)
	l.draw.Color = l.paint
	if l.paint == nil {
		l.draw.Color = theme.ColorForWidget(l.Color, l)
	}
}

func (r *lineRenderer) Refresh() {
	r.update()
	r.Layout(r.l.Size())
	r.l.draw.Refresh()
}

// Cut tells whether a part of the text is not seen.
func (l *Line) Cut() bool { return l.draw.Text != l.Text }

// Quiet shows labels of low importance in the colour of captions, which can be read more easily than that of disabled text.
func Quiet(o fyne.CanvasObject) fyne.CanvasObject {
	return newThemed(renamed{Theme(), theme.ColorNameDisabled, theme.ColorNamePlaceHolder}, o)
}

// renamed is a theme that shows one colour in place of another.
type renamed struct {
	fyne.Theme
	from, to fyne.ThemeColorName
}

func (r renamed) Color(name fyne.ThemeColorName, variant fyne.ThemeVariant) color.Color {
	if name == r.from {
		name = r.to
	}
	return r.Theme.Color(name, variant)
}
