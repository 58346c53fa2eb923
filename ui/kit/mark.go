package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"realword/ui/i18n"
)

// BadgeSide is the side of a badge; it grows with the texts.
func BadgeSide() float32 { return 18 * max(TextScale(), 1) }

// NewBadge is the round mark of a subject: its letter, white on its colour.
func NewBadge() (*canvas.Rectangle, *canvas.Text) {
	back := canvas.NewRectangle(color.Transparent)
	letter := canvas.NewText("", color.White)
	letter.TextStyle.Bold, letter.Alignment = true, fyne.TextAlignCenter
	SizeBadge(back, letter)
	return back, letter
}

// SizeBadge gives a badge the size of the texts.
func SizeBadge(back *canvas.Rectangle, letter *canvas.Text) {
	back.CornerRadius, letter.TextSize = BadgeSide()/2, 11*max(TextScale(), 1)
}

// Pill is a short text on a frame, one of a few that can be chosen.
type Pill struct {
	*Tile
	text *Line
	ink  fyne.ThemeColorName // "": as it is chosen or not
}

// NewPill makes a pill that is not chosen.
func NewPill(text string, tapped func()) *Pill {
	p := &Pill{text: Caption(text)}
	p.Tile = NewTile(text, 7, container.New(Inset{X: 9, Y: 4}, p.text), tapped)
	return p
}

// Choose draws the pill as chosen or not.
func (p *Pill) Choose(on bool) {
	p.Tile.Choose(on)
	want := theme.ColorNamePlaceHolder
	if on {
		want = theme.ColorNameForeground
	}
	if p.ink != "" {
		want = p.ink
	}
	if p.text.Color != want {
		p.text.Color = want
		p.text.Refresh()
	}
}

// Say gives the pill another text, and a colour, "" for the usual one. It tells whether its size may be another one.
func (p *Pill) Say(text string, ink fyne.ThemeColorName) bool {
	changed := p.text.Text != text
	p.Name, p.ink = text, ink
	p.text.Set(text)
	p.Choose(p.Chosen)
	return changed
}

// Legend is the colour and letter of a subject, with its word beside it or under the pointer, and switches its mask on and off.
type Legend struct {
	*Tile
	style  int // of the subject
	back   *canvas.Rectangle
	letter *canvas.Text
}

// NewLegend is that of a subject with a style and a word; caption stands beside it, "" only the letter.
func NewLegend(style int, word, caption string, tapped func()) *Legend {
	l := &Legend{style: style}
	l.back, l.letter = NewBadge()
	l.back.StrokeColor, l.back.StrokeWidth = SubjectColor(style), 1.5
	l.letter.Text = SubjectLetter(style)
	mark := NewRow(6, container.New(Square{Side: 18}, l.back, l.letter))
	if caption != "" {
		mark.Add(NewLine(caption, theme.ColorNameForeground, theme.SizeNameCaptionText))
	}
	l.Tile = NewTile(i18n.T("mask of %s", word), 7, container.New(Inset{X: 5, Y: 4}, mark), tapped)
	if caption == "" {
		l.Explain(func() string { return l.Name })
	}
	return l
}

// Light fills the badge when the mask is seen; a ring is left when it is not.
func (l *Legend) Light(on bool) {
	SizeBadge(l.back, l.letter)
	l.back.FillColor, l.letter.Color = color.Transparent, theme.ColorForWidget(theme.ColorNamePlaceHolder, l)
	if on {
		l.back.FillColor, l.letter.Color = SubjectColor(l.style), color.White
	}
	l.back.Refresh()
	l.letter.Refresh()
}
