package ui

import (
	"fmt"
	"image"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

var (
	_ fyne.Tappable      = (*card)(nil)
	_ fyne.Focusable     = (*card)(nil)
	_ fyne.Accessible    = (*card)(nil)
	_ desktop.Cursorable = (*card)(nil)
)

// cardLook is what a card shows.
type cardLook struct {
	Card
	subject  int     // -1: not bound
	scope    float64 // in force
	lost     bool    // its word has left the prompt
	chosen   bool
	offering bool // a word waits for a card
}

// card shows one reference: the square that the encoders see, its word, and how far the subject may reach.
type card struct {
	widget.BaseWidget
	press
	look   cardLook
	frame  *plate
	square *canvas.Image
	badge  *canvas.Rectangle
	letter *canvas.Text
	word   *line
	hint   *line
	reach  *dial
	body   *fyne.Container
}

const (
	squareSide = 84
	reachMax   = 0.6 // more than the paper ever tried; recipes may hold up to 1
)

func newCard(look cardLook, onTap, remove func(card int), reach func(card int, scope float64)) *card {
	c := &card{look: look}
	c.do = func() { onTap(c.look.ID) }
	c.marked = func() { c.show(c.look) }
	c.frame = newPlate(colorRaised, colorLine, 10)
	c.square = canvas.NewImageFromImage(image.NewRGBA(image.Rect(0, 0, 1, 1)))
	c.square.ScaleMode = canvas.ImageScaleSmooth
	c.square.FillMode = canvas.ImageFillContain
	c.square.CornerRadius = 6
	c.badge, c.letter = newBadge()
	c.word = heading("")
	c.hint = caption("")
	safe := newPlate(colorSafe, "", 5)
	c.reach = newDial(say("Reach γ"), 0.05, reachMax, 0.01, func(v float64) string { return fmt.Sprintf("%.2f", v) },
		func(v float64) { reach(c.look.ID, v) }, container.New(band{0.05, reachMax, safeLow, safeHigh}, safe))
	gone := widget.NewButtonWithIcon("", theme.CancelIcon(), func() { remove(c.look.ID) })
	gone.Importance = widget.LowImportance

	badge := container.New(fixed{badgeSide, badgeSide}, c.badge, c.letter)
	name := container.NewBorder(nil, nil, container.NewCenter(badge), container.New(fixed{24, 24}, gone),
		container.New(inset{6, 3}, c.word))
	side := container.New(stacked{1}, name, container.New(inset{4, 0}, c.hint), c.reach.Container)
	c.body = container.NewStack(c.frame, container.New(inset{8, 8},
		container.NewBorder(nil, nil, container.NewVBox(container.New(fixed{squareSide, squareSide}, c.square)), nil,
			container.New(inset{6, 0}, side))))
	c.ExtendBaseWidget(c)
	c.show(look)
	return c
}

func (c *card) AccessibilityLabel() string { return c.look.Ref.Name + ", " + c.word.text }

func (c *card) Cursor() desktop.Cursor { return desktop.PointerCursor }

func (c *card) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(c.body) }

// show makes the card equal to look.
func (c *card) show(look cardLook) {
	if look.View != nil && c.square.Image != look.View {
		c.square.Image = look.View
		c.square.Refresh()
	}
	c.look = look
	c.badge.FillColor, c.letter.Text = color.Transparent, ""
	c.frame.paint, c.frame.stroke, c.frame.thick = nil, colorLine, 1
	c.word.color, c.hint.color = theme.ColorNameForeground, theme.ColorNamePlaceHolder
	switch {
	case look.lost:
		c.word.text, c.hint.text = look.Word.Text, say("not in the prompt now")
		c.hint.color, c.frame.stroke = theme.ColorNameWarning, theme.ColorNameWarning
		c.badge.FillColor, c.letter.Text = theme.ColorForWidget(theme.ColorNameWarning, c), "?"
	case look.subject >= 0:
		own := subjectColor(look.subject)
		c.badge.FillColor, c.letter.Text = own, subjectLetter(look.subject)
		c.word.text, c.hint.text = look.Word.Text, shorten(look.Ref.Name, 22)
		c.frame.paint = own
	default:
		c.word.text, c.hint.text = say("click its word"), shorten(look.Ref.Name, 22)
		c.word.color = theme.ColorNameWarning
		c.badge.FillColor, c.letter.Text = theme.ColorForWidget(theme.ColorNameWarning, c), "?"
	}
	if look.chosen || look.offering || c.focused {
		c.frame.paint, c.frame.stroke, c.frame.thick = nil, theme.ColorNamePrimary, 2
	}
	c.reach.set(look.scope)
	c.reach.value.color = theme.ColorNameForeground
	if look.scope < safeLow || look.scope > safeHigh {
		c.reach.value.color = theme.ColorNameWarning
	}
	c.reach.value.Refresh()
	c.Refresh()
	c.frame.Refresh()
	c.word.Refresh()
	c.hint.Refresh()
	c.badge.Refresh()
	c.letter.Refresh()
}

// shorten cuts a text in the middle, where file names matter least.
func shorten(text string, limit int) string {
	r := []rune(text)
	if len(r) <= limit {
		return text
	}
	end := limit / 3
	return string(r[:limit-end-1]) + "…" + string(r[len(r)-end:])
}
