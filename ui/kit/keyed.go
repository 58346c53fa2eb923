package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Fyne's own widgets keep every key while they have the focus, also those that they do nothing with. These give them on, so that
// Esc and single letters work after a slider was moved.

// HandOn gives a key to the window in which the focused widget is.
func HandOn(o fyne.CanvasObject, e *fyne.KeyEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil && c.OnTypedKey() != nil {
		c.OnTypedKey()(e)
	}
}

// Button is a button that Space and Enter press.
type Button struct {
	widget.Button
	self fyne.CanvasObject // the whole of it, where it is a part of another widget
}

func NewButton(text string, tapped func()) *Button { return NewButtonWithIcon(text, nil, tapped) }

func NewButtonWithIcon(text string, icon fyne.Resource, tapped func()) *Button {
	b := &Button{}
	b.self, b.Text, b.Icon, b.OnTapped = b, text, icon, tapped
	b.ExtendBaseWidget(b)
	return b
}

func (b *Button) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		b.Tapped(nil)
	default:
		HandOn(b.self, e)
	}
}

type Check struct{ widget.Check }

func NewCheck(text string, changed func(bool)) *Check {
	c := &Check{}
	c.Text, c.OnChanged = text, changed
	c.ExtendBaseWidget(c)
	return c
}

func (c *Check) TypedKey(e *fyne.KeyEvent) {
	if e.Name != fyne.KeySpace { // comes as a letter
		HandOn(c, e)
	}
}

type Slider struct{ widget.Slider }

func NewSlider(low, high float64) *Slider {
	s := &Slider{}
	s.Min, s.Max, s.Value, s.Step, s.Orientation = low, high, low, 1, widget.Horizontal
	s.ExtendBaseWidget(s)
	return s
}

func (s *Slider) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyLeft, fyne.KeyRight:
		s.Slider.TypedKey(e)
	default:
		HandOn(s, e)
	}
}

type Selector struct{ widget.Select }

func NewSelect(options []string, changed func(string)) *Selector {
	s := &Selector{}
	s.Options, s.OnChanged, s.PlaceHolder = options, changed, " "
	s.ExtendBaseWidget(s)
	return s
}

func (s *Selector) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyUp, fyne.KeyDown, fyne.KeyLeft, fyne.KeyRight:
		s.Select.TypedKey(e)
	default:
		HandOn(s, e)
	}
}
