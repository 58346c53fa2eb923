package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Fyne's own widgets keep every key while they have the focus, also those that they do nothing with. These give them on, so that
// Esc and single letters work after a slider was moved.

// handOn gives a key to the window in which the focused widget is.
func handOn(o fyne.CanvasObject, e *fyne.KeyEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil && c.OnTypedKey() != nil {
		c.OnTypedKey()(e)
	}
}

// button is a button that Space and Enter press.
type button struct {
	widget.Button
	self fyne.CanvasObject // the whole of it, where it is a part of another widget
}

func newButton(text string, tapped func()) *button { return newButtonWithIcon(text, nil, tapped) }

func newButtonWithIcon(text string, icon fyne.Resource, tapped func()) *button {
	b := &button{}
	b.self, b.Text, b.Icon, b.OnTapped = b, text, icon, tapped
	b.ExtendBaseWidget(b)
	return b
}

func (b *button) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		b.Tapped(nil)
	default:
		handOn(b.self, e)
	}
}

type check struct{ widget.Check }

func newCheck(text string, changed func(bool)) *check {
	c := &check{}
	c.Text, c.OnChanged = text, changed
	c.ExtendBaseWidget(c)
	return c
}

func (c *check) TypedKey(e *fyne.KeyEvent) {
	if e.Name != fyne.KeySpace { // comes as a letter
		handOn(c, e)
	}
}

type slider struct{ widget.Slider }

func newSlider(low, high float64) *slider {
	s := &slider{}
	s.Min, s.Max, s.Value, s.Step, s.Orientation = low, high, low, 1, widget.Horizontal
	s.ExtendBaseWidget(s)
	return s
}

func (s *slider) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyLeft, fyne.KeyRight:
		s.Slider.TypedKey(e)
	default:
		handOn(s, e)
	}
}

type selector struct{ widget.Select }

func newSelect(options []string, changed func(string)) *selector {
	s := &selector{}
	s.Options, s.OnChanged, s.PlaceHolder = options, changed, " "
	s.ExtendBaseWidget(s)
	return s
}

func (s *selector) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyUp, fyne.KeyDown, fyne.KeyLeft, fyne.KeyRight:
		s.Select.TypedKey(e)
	default:
		handOn(s, e)
	}
}
