package subjects

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference/picture"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
)

var (
	_ fyne.Tappable          = (*Chip)(nil)
	_ fyne.SecondaryTappable = (*Chip)(nil)
	_ fyne.Focusable         = (*Chip)(nil)
	_ fyne.Accessible        = (*Chip)(nil)
	_ desktop.Hoverable      = (*Chip)(nil)
	_ desktop.Cursorable     = (*Chip)(nil)
)

// Chip is a word of the prompt that can be clicked. A bound word carries the colour, the letter and the pattern of its
// subject, never the colour alone.
type Chip struct {
	widget.BaseWidget
	kit.Press
	state.ChipLook
	acts chipActs
	held fyne.Position // where the pointer is in a drag

	tip       kit.Tip
	hovered   bool
	back      *canvas.Rectangle
	underline *canvas.Raster
	Label     *canvas.Text
	number    *canvas.Text // which of several equal words it is
	limit     *canvas.Rectangle
	badge     *canvas.Rectangle
	Letter    *canvas.Text
}

func newChip(acts chipActs) *Chip {
	c := &Chip{ChipLook: state.ChipLook{Subject: -1}, acts: acts}
	c.Do = func() {
		if !c.Past {
			acts.tap()
		}
	}
	c.Marked = c.Refresh
	c.back = canvas.NewRectangle(color.Transparent)
	c.back.CornerRadius = 7
	c.underline = canvas.NewRaster(c.pattern)
	c.limit = canvas.NewRectangle(color.Transparent)
	c.limit.CornerRadius = 1.5
	c.Label, c.number = canvas.NewText("", nil), canvas.NewText("", nil)
	c.badge, c.Letter = kit.NewBadge()
	c.tip.Text = c.Explanation
	c.ExtendBaseWidget(c)
	return c
}

// pattern paints the line under a bound word.
func (c *Chip) pattern(w, h int) image.Image {
	if c.Subject < 0 {
		return image.NewRGBA(image.Rect(0, 0, 1, 1))
	}
	return picture.SubjectStyle(c.Subject).Swatch(w, h, max(1, h/4))
}

// show makes the chip a word.
func (c *Chip) show(look state.ChipLook) {
	if c.ChipLook != look {
		c.ChipLook = look
		c.Refresh()
	}
}

// TappedSecondary shows the menu of the word.
func (c *Chip) TappedSecondary(e *fyne.PointEvent) {
	if !c.Past {
		c.acts.menu(e.AbsolutePosition)
	}
}

// TypedShortcut takes a picture of the clipboard onto the word; other keys are the window's.
func (c *Chip) TypedShortcut(s fyne.Shortcut) {
	if _, ok := s.(*fyne.ShortcutPaste); ok && !c.Past {
		c.acts.paste(c.Word)
		return
	}
	c.acts.shortcut(s)
}

func (c *Chip) AccessibilityLabel() string {
	switch {
	case c.Past:
		return i18n.T("%s, not read by the model", c.Text)
	case c.Subject >= 0:
		return i18n.T("%s, subject %s", c.Text, kit.SubjectLetter(c.Subject))
	}
	return c.Text
}

// Explanation says what a click does, and what a number behind the word means.
func (c *Chip) Explanation() string {
	text := i18n.T("Click it to bind the picture that waits for a word; drag over several words for a phrase.")
	switch {
	case c.Past:
		text = i18n.T("The model reads no further than the words before this one: shorten the prompt.")
	case c.Subject >= 0:
		text = i18n.T("The picture of subject %s stands for this word. Drop another one on it, or click with the right button for more.", kit.SubjectLetter(c.Subject))
	}
	if c.Strange {
		text = i18n.T("This model did not learn “%s”, so it decides little.", c.Text) + " " + text
	}
	if c.Occurrence > 1 {
		text = i18n.T("The prompt has “%s” more than once, and this is number %d.", c.Text, c.Occurrence) + " " + text
	}
	return text
}

func (c *Chip) MouseIn(*desktop.MouseEvent)    { c.hovered = true; c.Refresh(); c.tip.Rest(c) }
func (c *Chip) MouseMoved(*desktop.MouseEvent) {}
func (c *Chip) MouseOut()                      { c.hovered = false; c.Refresh(); c.tip.Out(c) }
func (c *Chip) FocusGained()                   { c.Press.FocusGained(); c.tip.Reach(c) }
func (c *Chip) FocusLost()                     { c.Press.FocusLost(); c.tip.Leave(c) }

func (c *Chip) Cursor() desktop.Cursor {
	if c.Past {
		return desktop.DefaultCursor
	}
	return desktop.PointerCursor
}

func (c *Chip) CreateRenderer() fyne.WidgetRenderer {
	r := &chipRenderer{c, []fyne.CanvasObject{c.back, c.limit, c.Label, c.number, c.underline, c.badge, c.Letter}}
	r.update()
	return r
}

type chipRenderer struct {
	c       *Chip
	objects []fyne.CanvasObject
}

const chipPadX, chipPadY = 10, 5

func (r *chipRenderer) Destroy()                     {}
func (r *chipRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *chipRenderer) MinSize() fyne.Size {
	size := r.c.Label.MinSize().AddWidthHeight(2*chipPadX, 2*chipPadY)
	if r.c.Subject >= 0 {
		size.Width += kit.BadgeSide() + 5
	}
	if r.c.number.Text != "" {
		size.Width += r.c.number.MinSize().Width + 2
	}
	return size
}

func (r *chipRenderer) Layout(size fyne.Size) {
	c := r.c
	c.back.Resize(size)
	text := c.Label.MinSize()
	c.Label.Move(fyne.NewPos(chipPadX, (size.Height-text.Height)/2))
	c.Label.Resize(text)
	at := fyne.NewPos(size.Width-chipPadX+2-kit.BadgeSide(), (size.Height-kit.BadgeSide())/2)
	for _, o := range []fyne.CanvasObject{c.badge, c.Letter} {
		o.Move(at)
		o.Resize(fyne.NewSquareSize(kit.BadgeSide()))
	}
	number := c.number.MinSize()
	c.number.Move(fyne.NewPos(chipPadX+text.Width+2, (size.Height+text.Height)/2-number.Height))
	c.number.Resize(number)
	c.underline.Move(fyne.NewPos(chipPadX, size.Height-6))
	c.underline.Resize(fyne.NewSize(text.Width, 4))
	c.limit.Move(fyne.NewPos(-4.5, 2))
	c.limit.Resize(fyne.NewSize(3, size.Height-4))
}

func (r *chipRenderer) update() {
	c := r.c
	c.Label.Text = state.Shorten(c.Text, 32)
	c.Label.TextSize = theme.SizeForWidget(theme.SizeNameText, c)
	c.Label.Color = theme.ColorForWidget(theme.ColorNameForeground, c)
	c.back.FillColor = theme.ColorForWidget(kit.ColorRaised, c)
	c.back.StrokeColor, c.back.StrokeWidth = theme.ColorForWidget(kit.ColorLine, c), 1
	c.number.Text, c.limit.FillColor = "", color.Transparent
	if c.Occurrence > 1 {
		c.number.Text = fmt.Sprint("#", c.Occurrence)
	}
	if c.Weight != 0 {
		c.number.Text += i18n.Number("×%g", math.Round(c.Weight*100)/100)
	}
	c.number.TextSize = theme.SizeForWidget(theme.SizeNameText, c) * 0.75
	c.number.Color = theme.ColorForWidget(theme.ColorNamePlaceHolder, c)
	if c.Cut {
		c.limit.FillColor = theme.ColorForWidget(theme.ColorNameWarning, c)
	}
	kit.SizeBadge(c.badge, c.Letter)
	c.Letter.Text, c.badge.FillColor = "", color.Transparent
	switch {
	case c.Past:
		c.Label.Color = theme.ColorForWidget(theme.ColorNameDisabled, c)
		c.back.FillColor, c.back.StrokeWidth = color.Transparent, 0
	case c.Subject >= 0:
		own := kit.SubjectColor(c.Subject)
		c.Letter.Text, c.badge.FillColor = kit.SubjectLetter(c.Subject), own
		c.back.StrokeColor = own
		own.A = 0x38
		c.back.FillColor = own
	case c.Strange:
		c.Label.Color = theme.ColorForWidget(theme.ColorNamePlaceHolder, c)
	case c.Left:
		c.Label.Color = theme.ColorForWidget(theme.ColorNamePlaceHolder, c)
		c.back.StrokeWidth = 0
	case c.Waiting:
		c.back.StrokeColor, c.back.StrokeWidth = theme.ColorForWidget(theme.ColorNamePrimary, c), 2
	}
	if c.Within {
		c.back.StrokeColor, c.back.StrokeWidth = theme.ColorForWidget(theme.ColorNamePrimary, c), 2
		c.back.FillColor = theme.ColorForWidget(theme.ColorNameSelection, c)
	} else if (c.hovered || c.Focused) && !c.Past {
		c.back.StrokeColor = theme.ColorForWidget(theme.ColorNamePrimary, c)
		if c.Subject >= 0 {
			c.back.StrokeColor = kit.SubjectColor(c.Subject)
		}
		c.back.StrokeWidth = 1.5
	}
}

func (r *chipRenderer) Refresh() {
	r.update()
	r.Layout(r.c.Size())
	canvas.Refresh(r.c)
}
