package mask

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"realword/inference/picture"
	"realword/ui/kit"
)

var (
	_ desktop.Mouseable  = (*easel)(nil)
	_ desktop.Hoverable  = (*easel)(nil)
	_ desktop.Cursorable = (*easel)(nil)
	_ fyne.Draggable     = (*easel)(nil)
	_ fyne.Scrollable    = (*easel)(nil)
	_ fyne.Focusable     = (*easel)(nil)
	_ fyne.Tappable      = (*easel)(nil)
	_ desktop.Keyable    = (*easel)(nil)
	_ kit.Taker          = (*easel)(nil)
)

// Ground is the picture under the easel. Places are shares of the picture, 0 to 1 from its upper left corner.
type Ground interface {
	Where(at fyne.Position) picture.Point
	At(p picture.Point) fyne.Position
	Span() fyne.Size // of the whole picture on the screen
	Scroll(e *fyne.ScrollEvent)
	Pan(dx, dy float32)
	Repaint() // what Panel.Veil answers has changed
}

// easel lies over the picture while masks are painted, and hears mouse and keys.
type easel struct {
	widget.BaseWidget
	p       *Panel
	held    desktop.MouseButton // 0: none
	ring    kit.Ring            // of the size of the brush
	focused bool
}

func newEasel(p *Panel) *easel {
	e := &easel{p: p, ring: kit.NewRing()}
	e.ExtendBaseWidget(e)
	e.Hide()
	return e
}

func (e *easel) CreateRenderer() fyne.WidgetRenderer {
	return &easelRenderer{e.ring.Objects()}
}

type easelRenderer struct{ objects []fyne.CanvasObject }

func (easelRenderer) Destroy()                       {}
func (easelRenderer) Layout(fyne.Size)               {}
func (easelRenderer) MinSize() fyne.Size             { return fyne.Size{} }
func (easelRenderer) Refresh()                       {}
func (r easelRenderer) Objects() []fyne.CanvasObject { return r.objects }

// follow shows the ring of the brush around a place of the picture.
func (e *easel) follow(at picture.Point) {
	if e.p.tool == move {
		e.ring.Hide()
		return
	}
	span := e.p.Ground.Span()
	e.ring.Show(e.p.Ground.At(at), e.p.size*max(span.Width, span.Height))
}

func (e *easel) MouseDown(m *desktop.MouseEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(e); c != nil {
		c.Focus(e)
	}
	if e.held == 0 {
		e.held = m.Button
		if m.Button != desktop.MouseButtonTertiary {
			e.p.press(e.p.Ground.Where(m.Position), m.Button == desktop.MouseButtonSecondary)
		}
	}
}

func (e *easel) MouseUp(m *desktop.MouseEvent) {
	if e.held == m.Button {
		e.let()
	}
}

// let ends what a button was held for.
func (e *easel) let() {
	if e.held != 0 {
		e.held = 0
		e.p.release()
	}
}

func (e *easel) MouseIn(m *desktop.MouseEvent) { e.MouseMoved(m) }

func (e *easel) MouseMoved(m *desktop.MouseEvent) {
	at := e.p.Ground.Where(m.Position)
	e.follow(at)
	e.p.drag(at)
	e.p.pen = at
}

func (e *easel) MouseOut() {
	e.p.settle()
	if e.held == desktop.MouseButtonSecondary { // Fyne tells another widget where it is let go
		e.let()
	}
	if !e.focused {
		e.ring.Hide()
	}
}

func (e *easel) Dragged(d *fyne.DragEvent) {
	if e.held == desktop.MouseButtonTertiary {
		e.p.Ground.Pan(d.Dragged.DX, d.Dragged.DY)
		return
	}
	e.MouseMoved(&desktop.MouseEvent{PointEvent: d.PointEvent})
}

func (e *easel) DragEnd() { e.let() }

// Tapped takes the click from what lies below.
func (e *easel) Tapped(*fyne.PointEvent) {}

// Scrolled zooms the picture, or with the tool that moves masks enlarges the mask.
func (e *easel) Scrolled(s *fyne.ScrollEvent) {
	if e.p.tool != move {
		e.p.Ground.Scroll(s)
		e.follow(e.p.Ground.Where(s.Position))
		return
	}
	if factor := kit.Wheel(s, 1.1); factor != 1 {
		e.p.enlarge(factor, e.p.Ground.Where(s.Position))
	}
}

func (e *easel) Cursor() desktop.Cursor {
	if e.p.tool == move {
		return desktop.PointerCursor
	}
	return desktop.CrosshairCursor
}

func (e *easel) FocusGained() { e.focused = true; e.follow(e.p.pen) }
func (e *easel) FocusLost() {
	e.focused = false
	e.ring.Hide()
	e.p.settle()
	e.p.host.Commands.OnHold(false) // another one is told when Space is let go
}

// TypedRune implements fyne.Focusable: the brush has keys that are signs elsewhere.
func (e *easel) TypedRune(r rune) { e.p.host.Commands.Sign(r) }

// Take implements kit.Taker: what acts on the form finds in it what the wheel has made of the mask.
func (e *easel) Take() { e.p.settle() }

// KeyDown and KeyUp hide the masks while Space is held, as everywhere over the picture.
func (e *easel) KeyDown(k *fyne.KeyEvent) {
	if k.Name == fyne.KeySpace {
		e.p.host.Commands.OnHold(true)
	}
}

// KeyUp implements desktop.Keyable.
func (e *easel) KeyUp(k *fyne.KeyEvent) {
	if k.Name == fyne.KeySpace {
		e.p.host.Commands.OnHold(false)
	}
}

// TypedKey paints from the keyboard: arrows move the brush by a position of the guidance grid, with Shift they paint on their way; Enter
// paints where it is.
func (e *easel) TypedKey(k *fyne.KeyEvent) {
	dx, dy := float32(0), float32(0)
	switch k.Name {
	case fyne.KeyLeft:
		dx = -1
	case fyne.KeyRight:
		dx = 1
	case fyne.KeyUp:
		dy = -1
	case fyne.KeyDown:
		dy = 1
	case fyne.KeySpace: // see KeyDown
		return
	case fyne.KeyReturn, fyne.KeyEnter:
		e.p.press(e.p.pen, false)
		e.p.release()
		return
	case fyne.KeyDelete, fyne.KeyBackspace:
		e.p.clear()
		return
	default:
		e.p.host.Commands.Typed(k)
		return
	}
	grid := e.p.grid()
	to := picture.Point{
		X: min(max(e.p.pen.X+dx/float32(grid.X), 0), 1),
		Y: min(max(e.p.pen.Y+dy/float32(grid.Y), 0), 1),
	}
	paint := e.p.tool == move || e.p.host.Commands.Modifiers()&fyne.KeyModifierShift != 0
	if paint {
		e.p.press(e.p.pen, false)
		e.p.drag(to)
		e.p.release()
	}
	e.p.pen = to
	e.follow(to)
}
