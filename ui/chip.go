package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

var (
	_ fyne.Tappable      = (*chip)(nil)
	_ fyne.Focusable     = (*chip)(nil)
	_ fyne.Accessible    = (*chip)(nil)
	_ desktop.Hoverable  = (*chip)(nil)
	_ desktop.Cursorable = (*chip)(nil)
)

// chip is a word of the prompt that can be clicked. A bound word carries the colour, the letter and the underline of its
// subject, never the colour alone.
type chip struct {
	widget.BaseWidget
	press
	word    Word
	subject int  // -1: not bound
	waiting bool // for a card

	hovered   bool
	back      *canvas.Rectangle
	underline *canvas.Rectangle
	text      *canvas.Text
	badge     *canvas.Rectangle
	letter    *canvas.Text
}

func newChip(tapped func(Word)) *chip {
	c := &chip{subject: -1}
	c.do = func() {
		if !c.word.Past {
			tapped(c.word)
		}
	}
	c.marked = c.Refresh
	c.back = canvas.NewRectangle(color.Transparent)
	c.back.CornerRadius = 7
	c.underline = canvas.NewRectangle(color.Transparent)
	c.underline.CornerRadius = 1.5
	c.text = canvas.NewText("", nil)
	c.badge, c.letter = newBadge()
	c.ExtendBaseWidget(c)
	return c
}

// show makes the chip a word.
func (c *chip) show(word Word, subject int, waiting bool) {
	if c.word != word || c.subject != subject || c.waiting != waiting {
		c.word, c.subject, c.waiting = word, subject, waiting
		c.Refresh()
	}
}

func (c *chip) AccessibilityLabel() string {
	switch {
	case c.word.Past:
		return say("%s, not read by the model", c.word.Text)
	case c.subject >= 0:
		return say("%s, subject %s", c.word.Text, subjectLetter(c.subject))
	}
	return c.word.Text
}

func (c *chip) MouseIn(*desktop.MouseEvent)    { c.hovered = true; c.Refresh() }
func (c *chip) MouseMoved(*desktop.MouseEvent) {}
func (c *chip) MouseOut()                      { c.hovered = false; c.Refresh() }

func (c *chip) Cursor() desktop.Cursor {
	if c.word.Past {
		return desktop.DefaultCursor
	}
	return desktop.PointerCursor
}

func (c *chip) CreateRenderer() fyne.WidgetRenderer {
	r := &chipRenderer{c, []fyne.CanvasObject{c.back, c.text, c.underline, c.badge, c.letter}}
	r.update()
	return r
}

type chipRenderer struct {
	c       *chip
	objects []fyne.CanvasObject
}

const chipPadX, chipPadY = 10, 5

func (r *chipRenderer) Destroy()                     {}
func (r *chipRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *chipRenderer) MinSize() fyne.Size {
	size := r.c.text.MinSize().AddWidthHeight(2*chipPadX, 2*chipPadY)
	if r.c.subject >= 0 {
		size.Width += badgeSide + 5
	}
	return size
}

func (r *chipRenderer) Layout(size fyne.Size) {
	c := r.c
	c.back.Resize(size)
	text := c.text.MinSize()
	c.text.Move(fyne.NewPos(chipPadX, (size.Height-text.Height)/2))
	c.text.Resize(text)
	at := fyne.NewPos(size.Width-chipPadX+2-badgeSide, (size.Height-badgeSide)/2)
	for _, o := range []fyne.CanvasObject{c.badge, c.letter} {
		o.Move(at)
		o.Resize(fyne.NewSquareSize(badgeSide))
	}
	c.underline.Move(fyne.NewPos(chipPadX, size.Height-5))
	c.underline.Resize(fyne.NewSize(text.Width, 2))
}

func (r *chipRenderer) update() {
	c := r.c
	c.text.Text = shorten(c.word.Text, 32)
	c.text.TextSize = theme.SizeForWidget(theme.SizeNameText, c)
	c.text.Color = theme.ColorForWidget(theme.ColorNameForeground, c)
	c.back.FillColor = theme.ColorForWidget(colorRaised, c)
	c.back.StrokeColor, c.back.StrokeWidth = theme.ColorForWidget(colorLine, c), 1
	c.underline.FillColor = color.Transparent
	c.letter.Text, c.badge.FillColor = "", color.Transparent
	switch {
	case c.word.Past:
		c.text.Color = theme.ColorForWidget(theme.ColorNameDisabled, c)
		c.back.FillColor, c.back.StrokeWidth = color.Transparent, 0
	case c.subject >= 0:
		own := subjectColor(c.subject)
		c.letter.Text, c.badge.FillColor = subjectLetter(c.subject), own
		c.underline.FillColor = own
		c.back.StrokeColor = own
		own.A = 0x38
		c.back.FillColor = own
	case c.waiting:
		c.back.StrokeColor, c.back.StrokeWidth = theme.ColorForWidget(theme.ColorNamePrimary, c), 2
	}
	if (c.hovered || c.focused) && !c.word.Past {
		c.back.StrokeColor = theme.ColorForWidget(theme.ColorNamePrimary, c)
		if c.subject >= 0 {
			c.back.StrokeColor = subjectColor(c.subject)
		}
		c.back.StrokeWidth = 1.5
	}
}

func (r *chipRenderer) Refresh() {
	r.update()
	r.Layout(r.c.Size())
	canvas.Refresh(r.c)
}

const badgeSide = 18

// newBadge is the round mark of a subject: its letter, white on its colour.
func newBadge() (*canvas.Rectangle, *canvas.Text) {
	back := canvas.NewRectangle(color.Transparent)
	back.CornerRadius = badgeSide / 2
	letter := canvas.NewText("", color.White)
	letter.TextStyle.Bold, letter.TextSize, letter.Alignment = true, 11, fyne.TextAlignCenter
	return back, letter
}
