package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Screen is a page over all the rooms of the window. One of them is up at a time, and Esc leaves it.
type Screen struct {
	Root *fyne.Container // on the screen

	OnUp, OnAway func()
	// Within leaves what is open on the page itself, before Esc leaves the page; it tells whether anything was. Nil: nothing is.
	Within func() bool

	layers *Layers
	shown  bool
	away   func() // takes back the note for Esc
}

// Screen is a page that is away.
func (l *Layers) Screen(body fyne.CanvasObject) *Screen {
	s := &Screen{Root: container.NewStack(newGround(), body), layers: l, OnUp: func() {}, OnAway: func() {}}
	s.Root.Hide()
	return s
}

// Shown tells whether the page is up.
func (s *Screen) Shown() bool { return s.shown }

// Toggle shows the page or takes it away.
func (s *Screen) Toggle() {
	if s.shown {
		s.Hide()
	} else {
		s.Show()
	}
}

// Show brings the page up in place of another one.
func (s *Screen) Show() {
	if s.shown {
		return
	}
	if other := s.layers.screen; other != nil {
		other.Hide()
	}
	s.shown, s.layers.screen = true, s
	s.away = s.layers.Opened(s.escaped)
	s.Root.Hidden = false
	if c := s.layers.Canvas().Content(); c != nil {
		dropTip(c)
		canvas.Refresh(c) // what was never drawn before cannot ask for it itself
	}
	s.OnUp()
}

// Hide takes the page away.
func (s *Screen) Hide() {
	if !s.shown {
		return
	}
	s.shown, s.layers.screen = false, nil
	s.away()
	s.Root.Hide()
	s.layers.Canvas().Unfocus()
	s.OnAway()
}

func (s *Screen) escaped() {
	if s.Within != nil && s.Within() {
		s.away = s.layers.Opened(s.escaped)
		return
	}
	s.Hide()
}

// ground is what a page lies on. It does nothing with the pointer, and has nothing below do anything: Fyne looks through all that does not
// take a click, a turn of the wheel or the pointer itself, so that what is hidden by the page would be clicked, or would explain itself.
type ground struct {
	widget.BaseWidget
	plate *Plate
}

var (
	_ desktop.Hoverable      = (*ground)(nil)
	_ desktop.Cursorable     = (*ground)(nil)
	_ fyne.Tappable          = (*ground)(nil)
	_ fyne.SecondaryTappable = (*ground)(nil)
	_ fyne.Draggable         = (*ground)(nil)
	_ fyne.Scrollable        = (*ground)(nil)
)

func newGround() *ground {
	g := &ground{plate: NewPlate(theme.ColorNameBackground, "", 0)}
	g.ExtendBaseWidget(g)
	return g
}

func (g *ground) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(g.plate) }
func (g *ground) MouseIn(*desktop.MouseEvent)         {}
func (g *ground) MouseMoved(*desktop.MouseEvent)      {}
func (g *ground) MouseOut()                           {}
func (g *ground) Cursor() desktop.Cursor              { return desktop.DefaultCursor }
func (g *ground) Tapped(*fyne.PointEvent)             {}
func (g *ground) TappedSecondary(*fyne.PointEvent)    {}
func (g *ground) Dragged(*fyne.DragEvent)             {}
func (g *ground) DragEnd()                            {}
func (g *ground) Scrolled(*fyne.ScrollEvent)          {}
