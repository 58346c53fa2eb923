package kit

import (
	"cmp"
	"image/color"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
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

// HandOnSign gives what a key has written to the window in which the focused widget is, after the key.
func HandOnSign(o fyne.CanvasObject, r rune) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil && c.OnTypedRune() != nil {
		c.OnTypedRune()(r)
	}
}

// LetGo takes the focus from what is hidden or gone: keys go to what is seen.
func LetGo(c fyne.Canvas) {
	focused, is := c.Focused().(fyne.CanvasObject)
	driver := fyne.CurrentApp().Driver()
	// What was painted and has no visible place is nowhere.
	if is && driver.CanvasForObject(focused) == c && driver.AbsolutePositionForObject(focused).IsZero() {
		c.Unfocus()
	}
}

// Button is a button that Space and Enter press.
type Button struct {
	widget.Button
	Tip     Tip
	self    fyne.CanvasObject // the whole of it, where it is a part of another widget
	hovered bool
	focused bool
	Refused func() // it was pressed although it is disabled; nil: nothing
}

// Explain has a sentence come up under the pointer, and answers the button.
func (b *Button) Explain(about string) *Button {
	b.Tip.Text = func() string { return about }
	return b
}

// Explanation implements Explained.
func (b *Button) Explanation() string { return b.Tip.Explanation() }

// MouseIn implements desktop.Hoverable.
func (b *Button) MouseIn(e *desktop.MouseEvent) {
	b.hovered = true
	b.Button.MouseIn(e)
	b.Tip.Rest(b.self)
}

// MouseOut implements desktop.Hoverable.
func (b *Button) MouseOut() {
	b.hovered = false
	b.Button.MouseOut()
	b.Tip.Out(b.self)
}

// Tapped implements fyne.Tappable.
func (b *Button) Tapped(e *fyne.PointEvent) {
	b.Tip.Leave(b.self)
	if b.Disabled() && b.Refused != nil {
		b.Refused()
		return
	}
	b.Button.Tapped(e)
}

func NewButton(text string, tapped func()) *Button { return NewButtonWithIcon(text, nil, tapped) }

func NewButtonWithIcon(text string, icon fyne.Resource, tapped func()) *Button {
	b := &Button{}
	b.self, b.Text, b.Icon, b.OnTapped = b, text, icon, tapped
	b.Tip.whole = func() string {
		if b.MinSize().Width > b.Size().Width+1 {
			return b.Text
		}
		return ""
	}
	b.ExtendBaseWidget(b)
	return b
}

// FocusGained implements fyne.Focusable.
func (b *Button) FocusGained() {
	b.focused = true
	b.Button.FocusGained()
	b.Tip.Reach(b.self)
}

// FocusLost implements fyne.Focusable.
func (b *Button) FocusLost() {
	b.focused = false
	b.Button.FocusLost()
	b.Tip.Leave(b.self)
}

// CreateRenderer implements fyne.Widget. On a colour of its own Fyne shows no focus that can be seen: a ring does.
func (b *Button) CreateRenderer() fyne.WidgetRenderer {
	r := &ringed{nil, b, canvas.NewRectangle(color.Transparent), b.looks()}
	b.asSeen(func() { r.WidgetRenderer = b.Button.CreateRenderer() })
	r.follow()
	return r
}

// asSeen draws the button as if it were seen: Fyne takes the icon from a hidden one, and a page that shows it need not draw it again.
func (b *Button) asSeen(draw func()) {
	hidden := b.Hidden
	b.Hidden = false
	draw()
	b.Hidden = hidden
}

// looksAs is all that the look of a button depends on, but for its size. A theme is compared by what it is and by the choice that it reads.
type looksAs struct {
	text             string
	icon             fyne.Resource
	importance       widget.Importance
	align            widget.ButtonAlign
	place            widget.ButtonIconPlacement
	hidden, disabled bool
	hovered, focused bool
	theme            fyne.Theme
	variant          fyne.ThemeVariant
	look             look
	density          float32
}

func (b *Button) looks() looksAs {
	return looksAs{
		b.Text, b.Icon, b.Importance, b.Alignment, b.IconPlacement, b.Hidden, b.Disabled(), b.hovered, b.focused, b.Theme(),
		fyne.CurrentApp().Settings().ThemeVariant(), currentLook(), Density(b.self),
	}
}

// ringed is a button with a ring around it.
type ringed struct {
	fyne.WidgetRenderer
	of   *Button
	ring *canvas.Rectangle
	last looksAs
}

func (r *ringed) Objects() []fyne.CanvasObject {
	return append(slices.Clone(r.WidgetRenderer.Objects()), r.ring)
}

func (r *ringed) Layout(size fyne.Size) {
	r.WidgetRenderer.Layout(size)
	r.ring.Resize(size)
}

// Refresh draws a button again that looks another way than before. Whoever refreshes a page refreshes all buttons on it, and Fyne would
// colour and read the picture of each twice, which is XML.
func (r *ringed) Refresh() {
	if now := r.of.looks(); now != r.last {
		r.last = now
		r.of.asSeen(r.WidgetRenderer.Refresh)
		r.follow()
	}
}

func (r *ringed) follow() {
	r.ring.Hidden = !r.of.focused || r.of.Importance == widget.LowImportance || r.of.Importance == widget.MediumImportance
	r.ring.CornerRadius, r.ring.StrokeWidth = theme.SizeForWidget(theme.SizeNameInputRadius, r.of), 2
	r.ring.StrokeColor = theme.ColorForWidget(theme.ColorNameForeground, r.of)
	r.ring.Refresh()
}

func (b *Button) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		b.Tapped(nil)
	default:
		HandOn(b.self, e)
	}
}

// Check is a check box. A text that has too little room is cut at its end, and comes up whole under the pointer.
type Check struct {
	widget.Check
	whole string
	about string // what it does
	tip   Tip
}

func NewCheck(text string, changed func(bool)) *Check {
	c := &Check{whole: text}
	c.Text, c.OnChanged = text, changed
	c.tip.Text = func() string {
		if c.about == "" && c.Text == c.whole {
			return ""
		}
		return cmp.Or(c.about, c.whole)
	}
	c.ExtendBaseWidget(c)
	return c
}

// Explain has a sentence come up under the pointer.
func (c *Check) Explain(about string) *Check {
	c.about = about
	return c
}

// with is its width with another text.
func (c *Check) with(text string) float32 {
	width := func(text string) float32 {
		return fyne.MeasureText(text, theme.SizeForWidget(theme.SizeNameText, c), fyne.TextStyle{}).Width
	}
	return c.Check.MinSize().Width - width(c.Text) + width(text)
}

// Wanted is the width that its whole text needs. Its MinSize is that of what is left of it: one that was cut would stay so.
func (c *Check) Wanted() float32 { return c.with(c.whole) }

// Resize cuts the text where it does not fit.
func (c *Check) Resize(size fyne.Size) {
	if text := begin(c.whole, func(text string) bool { return c.with(text) <= size.Width+0.5 }); c.Text != text {
		c.Text = text
		c.Refresh()
	}
	c.Check.Resize(size)
}

// Explanation implements Explained.
func (c *Check) Explanation() string { return c.tip.Explanation() }

func (c *Check) MouseIn(e *desktop.MouseEvent) { c.Check.MouseIn(e); c.tip.Rest(c) }
func (c *Check) MouseOut()                     { c.Check.MouseOut(); c.tip.Out(c) }
func (c *Check) FocusGained()                  { c.Check.FocusGained(); c.tip.Reach(c) }
func (c *Check) FocusLost()                    { c.Check.FocusLost(); c.tip.Leave(c) }
func (c *Check) AccessibilityLabel() string    { return c.whole }

func (c *Check) TypedKey(e *fyne.KeyEvent) {
	if e.Name != fyne.KeySpace { // comes as a letter
		HandOn(c, e)
	}
}

// Slider is a slider that the arrow keys move.
type Slider struct {
	widget.Slider
	tip   Tip
	typed func(rune) // a digit was, while it has the focus; nil: nothing
}

// Explain has a text come up under the pointer.
func (s *Slider) Explain(text func() string) { s.tip.Text = text }

// Explanation implements Explained.
func (s *Slider) Explanation() string { return s.tip.Explanation() }

func (s *Slider) MouseIn(e *desktop.MouseEvent) { s.Slider.MouseIn(e); s.tip.Rest(s) }
func (s *Slider) MouseOut()                     { s.Slider.MouseOut(); s.tip.Out(s) }
func (s *Slider) FocusGained()                  { s.Slider.FocusGained(); s.tip.Reach(s) }
func (s *Slider) FocusLost()                    { s.Slider.FocusLost(); s.tip.Leave(s) }
func (s *Slider) Dragged(e *fyne.DragEvent)     { s.tip.Leave(s); s.Slider.Dragged(e) }

// TypedRune lets a value be typed where there is a number for it.
func (s *Slider) TypedRune(r rune) {
	if s.typed != nil && (r >= '0' && r <= '9' || r == '-' && s.Min < 0) {
		s.tip.Leave(s)
		s.typed(r)
	} else {
		HandOnSign(s, r)
	}
}

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

// Selector is a list of which one is chosen.
type Selector struct {
	widget.Select
	tip Tip
}

// Explain has a sentence come up under the pointer, and answers the list.
func (s *Selector) Explain(about string) *Selector {
	s.tip.Text = func() string { return about }
	return s
}

// Explanation implements Explained.
func (s *Selector) Explanation() string { return s.tip.Explanation() }

func (s *Selector) MouseIn(e *desktop.MouseEvent) { s.Select.MouseIn(e); s.tip.Rest(s) }
func (s *Selector) MouseOut()                     { s.Select.MouseOut(); s.tip.Out(s) }
func (s *Selector) FocusGained()                  { s.Select.FocusGained(); s.tip.Reach(s) }
func (s *Selector) FocusLost()                    { s.Select.FocusLost(); s.tip.Leave(s) }
func (s *Selector) Tapped(e *fyne.PointEvent)     { s.tip.Leave(s); s.Select.Tapped(e) }

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
