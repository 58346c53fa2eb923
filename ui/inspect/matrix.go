package inspect

import (
	"image"
	"image/color"
	"slices"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/ui/i18n"
	"realword/ui/kit"
)

var (
	_ fyne.Focusable     = (*mapMatrix)(nil)
	_ fyne.Accessible    = (*mapMatrix)(nil)
	_ desktop.Mouseable  = (*mapMatrix)(nil)
	_ desktop.Cursorable = (*mapMatrix)(nil)
)

// matrixLook is what a matrix shows beside its maps.
type matrixLook struct {
	steps, step int
	kind        mapKind
}

// mapMatrix is the maps of a subject, rows of kinds, columns of steps. A click or the arrow keys choose one.
type mapMatrix struct {
	widget.BaseWidget
	look    matrixLook
	numbers []int  // of the steps, from 1
	title   string // of the chosen map
	choose  func(step int, kind mapKind)
	typed   func(*fyne.KeyEvent) // keys that are not its own
	resized func()
	tip     kit.Tip
	focused bool
	aspect  float32

	image *canvas.Image
	head  *canvas.Rectangle
	names [mapKinds]*kit.Line
	ticks []*kit.Line
}

const (
	matrixGap    = 2
	matrixHeight = 44 // of a cell, at most
	matrixEdge   = 4  // before the names of the rows
	matrixApart  = 8  // between them and the maps
)

// left is the room for the names of the rows: their widest needs it all, whatever the language and the size of the text.
func (m *mapMatrix) left() float32 {
	widest := float32(0)
	for _, name := range m.names {
		widest = max(widest, name.MinSize().Width)
	}
	return matrixEdge + widest + matrixApart
}

// matrixTicks is the room for the numbers of the steps; it grows with the texts.
func matrixTicks() float32 { return 15 * max(kit.TextScale(), 1) }

func newMapMatrix(choose func(int, mapKind), typed func(*fyne.KeyEvent), resized func()) *mapMatrix {
	m := &mapMatrix{choose: choose, typed: typed, resized: resized, aspect: 1}
	m.image = canvas.NewImageFromImage(image.NewRGBA(image.Rect(0, 0, 1, 1)))
	m.image.ScaleMode, m.image.FillMode = canvas.ImageScaleFastest, canvas.ImageFillStretch
	m.image.Hide()
	m.head = canvas.NewRectangle(color.Transparent)
	m.head.CornerRadius = 3
	for k := range m.names {
		m.names[k] = kit.Caption(mapKind(k).name())
	}
	m.tip.Text = func() string {
		return i18n.T("Each column is a step, each row a stage on the way from attention to the mask. Click one to see it large.")
	}
	m.ExtendBaseWidget(m)
	return m
}

func (m *mapMatrix) show(look matrixLook, numbers []int, title string) {
	if m.look != look || m.title != title || !slices.Equal(m.numbers, numbers) {
		m.look, m.numbers, m.title = look, numbers, title
		m.Refresh()
	}
}

func (m *mapMatrix) set(img *image.RGBA) {
	m.image.Image = img
	m.image.Show()
	m.Refresh()
	m.image.Refresh()
}

// cell is the size of a cell for grids of an aspect.
func (m *mapMatrix) cell(aspect float32) fyne.Size {
	m.aspect = aspect
	w := (m.Size().Width-m.left())/float32(max(m.look.steps, 1)) - matrixGap
	w = max(min(w, matrixHeight*aspect), 2)
	return fyne.NewSize(w, min(w/aspect, matrixHeight))
}

func (m *mapMatrix) at(p fyne.Position) (step int, kind mapKind) {
	c := m.cell(m.aspect)
	return int((p.X - m.left()) / (c.Width + matrixGap)), mapKind((p.Y - matrixTicks()) / (c.Height + matrixGap))
}

func (m *mapMatrix) MouseDown(e *desktop.MouseEvent) {
	m.tip.Leave(m)
	if step, kind := m.at(e.Position); e.Position.X >= m.left() && step < m.look.steps {
		m.choose(step, kind)
	}
}

func (m *mapMatrix) MouseUp(*desktop.MouseEvent)            {}
func (m *mapMatrix) Cursor() desktop.Cursor                 { return desktop.PointerCursor }
func (m *mapMatrix) FocusGained()                           { m.focused = true; m.Refresh(); m.tip.Reach(m) }
func (m *mapMatrix) MouseIn(*desktop.MouseEvent)            { m.tip.Rest(m) }
func (m *mapMatrix) MouseMoved(*desktop.MouseEvent)         {}
func (m *mapMatrix) MouseOut()                              { m.tip.Out(m) }
func (m *mapMatrix) Explanation() string                    { return m.tip.Explanation() }
func (m *mapMatrix) FocusLost()                             { m.focused = false; m.Refresh(); m.tip.Leave(m) }
func (m *mapMatrix) TypedRune(rune)                         {}
func (m *mapMatrix) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

func (m *mapMatrix) AccessibilityLabel() string { return m.title }

func (m *mapMatrix) TypedKey(e *fyne.KeyEvent) {
	step, kind := m.look.step, m.look.kind
	switch e.Name {
	case fyne.KeyLeft:
		step--
	case fyne.KeyRight:
		step++
	case fyne.KeyUp:
		kind--
	case fyne.KeyDown:
		kind++
	case fyne.KeyHome:
		step = 0
	case fyne.KeyEnd:
		step = m.look.steps - 1
	default:
		m.typed(e)
		return
	}
	m.choose(step, kind)
}

func (m *mapMatrix) CreateRenderer() fyne.WidgetRenderer {
	r := &matrixRenderer{m: m}
	r.update()
	return r
}

type matrixRenderer struct {
	m       *mapMatrix
	objects []fyne.CanvasObject
}

func (r *matrixRenderer) Destroy()                     {}
func (r *matrixRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *matrixRenderer) MinSize() fyne.Size {
	c := r.m.cell(r.m.aspect)
	return fyne.NewSize(240, matrixTicks()+float32(mapKinds)*(max(c.Height, 16*kit.TextScale())+matrixGap))
}

func (r *matrixRenderer) Layout(size fyne.Size) {
	r.place()
	r.m.resized()
}

func (r *matrixRenderer) place() {
	m := r.m
	c := m.cell(m.aspect)
	put := func(o fyne.CanvasObject, x, y, w, h float32) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(w, h))
	}
	put(m.image, m.left(), matrixTicks(), float32(m.look.steps)*(c.Width+matrixGap), float32(mapKinds)*(c.Height+matrixGap))
	for k, name := range m.names {
		text := name.MinSize()
		put(name, matrixEdge, matrixTicks()+float32(k)*(c.Height+matrixGap)+(c.Height-text.Height)/2, text.Width, text.Height)
	}
	for i, tick := range m.ticks {
		put(tick, m.left()+float32(i)*(c.Width+matrixGap), 0, c.Width, matrixTicks())
	}
	put(m.head, m.left()+float32(m.look.step)*(c.Width+matrixGap)-1, matrixTicks()+float32(m.look.kind)*(c.Height+matrixGap)-1, c.Width+2,
		c.Height+2)
}

func (r *matrixRenderer) update() {
	m := r.m
	for i := len(m.ticks); i < m.look.steps; i++ {
		tick := kit.Caption("")
		tick.Align = fyne.TextAlignCenter
		m.ticks = append(m.ticks, tick)
	}
	m.ticks = m.ticks[:m.look.steps]
	r.objects = []fyne.CanvasObject{m.image}
	every := 1
	if m.cell(m.aspect).Width < 20*kit.TextScale() {
		every = 5
	}
	for i, tick := range m.ticks {
		text := ""
		if n := m.numbers[i]; n%every == 0 || i == 0 || i == m.look.step {
			text = strconv.Itoa(n)
		}
		tick.Color = theme.ColorNamePlaceHolder
		if i == m.look.step {
			tick.Color = theme.ColorNameForeground
		}
		tick.Text = text
		tick.Refresh()
		r.objects = append(r.objects, tick)
	}
	for k, name := range m.names {
		name.Color = theme.ColorNamePlaceHolder
		if mapKind(k) == m.look.kind {
			name.Color = theme.ColorNameForeground
		}
		name.Refresh()
		r.objects = append(r.objects, name)
	}
	m.head.StrokeColor, m.head.StrokeWidth = theme.ColorForWidget(theme.ColorNameForeground, m), 2
	if m.focused {
		m.head.StrokeColor = theme.ColorForWidget(theme.ColorNamePrimary, m)
	}
	m.head.Hidden = m.look.steps == 0
	r.objects = append(r.objects, m.head)
}

func (r *matrixRenderer) Refresh() {
	r.update()
	r.place()
	canvas.Refresh(r.m)
}
