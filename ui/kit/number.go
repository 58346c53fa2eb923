package kit

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/ui/i18n"
)

var (
	_ fyne.Tappable      = (*Number)(nil)
	_ fyne.Scrollable    = (*Number)(nil)
	_ desktop.Hoverable  = (*Number)(nil)
	_ desktop.Cursorable = (*Number)(nil)
)

// Number is the value of a slider: a click, or a digit while the slider has the focus, lets it be typed, and the wheel turns it.
type Number struct {
	widget.BaseWidget
	Line   *Line
	Said   *Below // what became of what was typed, where that is not what was meant; hidden else. Whoever has the number gives it a place
	slider *Slider
	saidOf float64 // the value that Said is about
	shown  func(float64) string
	box    *fyne.Container
	entry  *numberEntry // while it is typed; nil else
	tip    Tip
	since  time.Time // when the pointer came; zero: it is elsewhere
}

// NewNumber is the number of a slider in the words of shown, which it shows in line.
func NewNumber(line *Line, slider *Slider, shown func(float64) string) *Number {
	n := &Number{
		Line: line, Said: NewBelow(theme.ColorNameWarning), slider: slider, shown: shown, box: container.New(AtLeast{Width: leastNumber}, line),
	}
	line.Align = fyne.TextAlignTrailing
	n.tip.Text = func() string { return i18n.T("Click to type another value; the wheel turns it here.") }
	slider.typed = func(r rune) { n.edit(string(r)) }
	n.ExtendBaseWidget(n)
	return n
}

func (n *Number) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(n.box) }
func (n *Number) Explanation() string                 { return n.tip.Explanation() }
func (n *Number) Tapped(*fyne.PointEvent)             { n.edit("") }
func (n *Number) Cursor() desktop.Cursor              { return desktop.TextCursor }
func (n *Number) MouseIn(*desktop.MouseEvent)         { n.since = time.Now(); n.tip.Rest(n) }
func (n *Number) MouseMoved(*desktop.MouseEvent)      {}
func (n *Number) MouseOut()                           { n.since = time.Time{}; n.tip.Out(n) }
func (n *Number) AccessibilityLabel() string          { return n.Line.Text }

func (n *Number) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

// leastNumber is the least width of a number: a single digit is hard to hit.
const leastNumber = 36

// settled is how long the pointer is over a number before the wheel turns it and no longer scrolls the page that it is on.
const settled = 250 * time.Millisecond

// Scrolled turns the value by a step.
func (n *Number) Scrolled(e *fyne.ScrollEvent) {
	if n.since.IsZero() || time.Since(n.since) < settled || n.entry != nil {
		if page := pageUnder(n); page != nil {
			page.Scrolled(e)
		}
		return
	}
	if n.tip.Leave(n); e.Scrolled.DY != 0 {
		n.set(n.slider.Value + math.Copysign(n.slider.Step, float64(e.Scrolled.DY)))
	}
}

// pageUnder is the innermost page that an object is on; nil for none.
func pageUnder(o fyne.CanvasObject) (page *container.Scroll) {
	d := fyne.CurrentApp().Driver()
	here := boxOf(d.AbsolutePositionForObject(o), o.Size())
	var walk func(in fyne.CanvasObject)
	walk = func(in fyne.CanvasObject) {
		switch in := in.(type) {
		case *fyne.Container:
			for _, c := range in.Objects {
				if c.Visible() {
					walk(c)
				}
			}
		case *container.Scroll:
			if boxOf(d.AbsolutePositionForObject(in), in.Size()).shared(here) > 0 {
				page = in
				walk(in.Content)
			}
		case *Themed:
			walk(in.Content)
		}
	}
	walk(rootOver(o))
	return page
}

// near is the value that the slider can have which is nearest to another one.
func (n *Number) near(v float64) float64 {
	s := n.slider
	v = math.Round(v/s.Step) * s.Step
	v = math.Round(v*1e6) / 1e6 // 0.15 is no sum of steps
	return min(max(v, s.Min), s.Max)
}

// set has the slider take a value, as near as it can.
func (n *Number) set(v float64) {
	s := n.slider
	if v = n.near(v); v == s.Value || s.Disabled() {
		return
	}
	s.Value = v
	s.Refresh()
	if s.OnChanged != nil {
		s.OnChanged(v)
	}
	if s.OnChangeEnded != nil {
		s.OnChangeEnded(v)
	}
}

// edit lets the value be typed, beginning with a text, or with the value as it is.
func (n *Number) edit(begin string) {
	c := fyne.CurrentApp().Driver().CanvasForObject(n)
	if n.tip.Leave(n); n.entry != nil || c == nil || n.slider.Disabled() {
		return
	}
	e := &numberEntry{of: n}
	e.ExtendBaseWidget(e)
	e.SetText(begin)
	if begin == "" {
		e.SetText(n.Line.Text)
	}
	n.entry = e
	n.box.Objects = []fyne.CanvasObject{container.New(Fixed{Width: max(64, n.Line.MinSize().Width+14)},
		newThemed(compact{Theme()}, e))}
	n.relaid()
	c.Focus(e)
	e.CursorColumn = len([]rune(e.Text))
	if begin == "" {
		e.TypedShortcut(&fyne.ShortcutSelectAll{})
	}
	e.Refresh()
}

func (n *Number) relaid() {
	n.box.Refresh()
	n.Refresh()
	if root := rootOver(n); root != nil {
		root.Refresh()
		canvas.Refresh(root)
	}
}

// done ends the typing; what is no number changes nothing.
func (n *Number) done(take bool) {
	e := n.entry
	if e == nil {
		return
	}
	n.entry = nil
	n.box.Objects = []fyne.CanvasObject{n.Line}
	v, err := n.read(e.Text)
	if take && err == nil {
		n.set(v)
	}
	if n.say(""); take {
		n.judge(strings.TrimSpace(e.Text), v, err)
	}
	n.relaid()
}

// leave is done by the keyboard: the slider has the focus then.
func (n *Number) leave(take bool) {
	n.done(take)
	if c := fyne.CurrentApp().Driver().CanvasForObject(n.slider); c != nil {
		c.Focus(n.slider)
		n.slider.tip.Leave(n.slider) // nobody has asked what it is
	}
}

// judge says what became of a text that was typed and read as v, where that is another value or none.
func (n *Number) judge(text string, v float64, err error) {
	s, text := n.slider, Cut(text, 14)
	switch now := n.shown(s.Value); {
	case text == "":
	case err != nil:
		n.say(i18n.T("“%s” is no number: it stays %s", text, now))
	case v < s.Min-1e-9 || v > s.Max+1e-9:
		n.say(i18n.T("%s becomes %s (%s to %s)", text, now, n.shown(s.Min), n.shown(s.Max)))
	case math.Abs(v-s.Value) > 1e-9:
		n.say(i18n.T("%s becomes %s (nearest)", text, now))
	}
}

func (n *Number) say(text string) {
	n.saidOf = n.slider.Value
	n.Said.Set(text, theme.ColorNameWarning)
}

// Follow takes away what was said of a value that the slider has no longer.
func (n *Number) Follow() {
	if n.slider.Value != n.saidOf {
		n.Unsay()
	}
}

// Unsay takes away what was said of the value.
func (n *Number) Unsay() {
	if !n.Said.Hidden {
		n.say("")
		n.relaid()
	}
}

// read is the value that a text says, in the words of the number or without them: 20 %, 20 and 0.2 are the same area.
func (n *Number) read(text string) (float64, error) {
	i := strings.IndexAny(text, "0123456789.,")
	if i < 0 {
		return 0, errors.New("no digits")
	}
	end := i
	for end < len(text) && strings.IndexByte("0123456789.,", text[end]) >= 0 {
		end++
	}
	v, err := strconv.ParseFloat(strings.ReplaceAll(text[i:end], ",", "."), 64)
	if err != nil {
		return 0, err
	}
	if before := strings.TrimRight(text[:i], " "); strings.HasSuffix(before, "-") || strings.HasSuffix(before, "−") {
		v = -v
	}
	if share := n.slider.Max <= 1 && strings.Contains(n.shown(n.slider.Max), "%"); share && (v > 1 || strings.Contains(text, "%")) {
		v /= 100
	}
	return v, nil
}

// numberEntry is where a number is typed.
type numberEntry struct {
	widget.Entry
	of *Number
}

func (e *numberEntry) FocusLost() { e.Entry.FocusLost(); e.of.done(true) }

// Take implements Taker.
func (e *numberEntry) Take() { e.of.leave(true) }

func (e *numberEntry) TypedKey(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeyEscape:
		e.of.leave(k.Name != fyne.KeyEscape)
	default:
		e.Entry.TypedKey(k)
	}
}

// TypedShortcut takes back what is typed; where nothing is, it is the window that takes back.
func (e *numberEntry) TypedShortcut(s fyne.Shortcut) {
	was := e.Text
	e.Entry.TypedShortcut(s)
	switch s.(type) {
	case *fyne.ShortcutUndo, *fyne.ShortcutRedo:
	default:
		return
	}
	if n := e.of; e.Text == was {
		n.leave(false)
		if c, hears := fyne.CurrentApp().Driver().CanvasForObject(n).(fyne.Shortcutable); hears && was == n.Line.Text {
			c.TypedShortcut(s)
		}
	}
}

// Explanation implements Explained.
func (e *numberEntry) Explanation() string {
	return i18n.T("Enter takes the value, Esc leaves it as it was.")
}

// compact is a theme for a text field within a line of small text.
type compact struct{ fyne.Theme }

func (c compact) Size(name fyne.ThemeSizeName) float32 {
	switch name {
	case theme.SizeNameInnerPadding, theme.SizeNameLineSpacing:
		return 2
	case theme.SizeNameText:
		return c.Theme.Size(theme.SizeNameCaptionText)
	}
	return c.Theme.Size(name)
}
