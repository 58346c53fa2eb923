package ui

import (
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/ui/i18n"
)

var (
	_ fyne.Tappable      = (*tile)(nil)
	_ fyne.Focusable     = (*tile)(nil)
	_ fyne.Draggable     = (*tile)(nil)
	_ fyne.Accessible    = (*tile)(nil)
	_ desktop.Hoverable  = (*tile)(nil)
	_ desktop.Cursorable = (*tile)(nil)
)

// tile is something on a frame that can be pressed as a whole. The frame lights up under the pointer and with the focus.
type tile struct {
	widget.BaseWidget
	press
	name            string
	chosen, hovered bool
	frame           *plate
	dragged         func(at fyne.Position) // over the window; nil: it cannot be dragged
	dropped         func(at fyne.Position)
	held            fyne.Position
	keyed           func(*fyne.KeyEvent) bool // keys of its own; it tells whether it took one. Nil: none
	tip             tip
	body            *fyne.Container
}

func newTile(name string, radius float32, content fyne.CanvasObject, tapped func()) *tile {
	t := &tile{name: name, frame: newPlate(colorWell, colorLine, radius)}
	t.body = container.NewStack(t.frame, content)
	t.do, t.marked = func() { t.tip.leave(t); tapped() }, t.mark
	t.ExtendBaseWidget(t)
	return t
}

// Tapped also takes the focus from where the user typed before, so that letters are keys again.
func (t *tile) Tapped(e *fyne.PointEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(t); c != nil && c.Focused() != t {
		c.Unfocus()
	}
	t.press.Tapped(e)
}

// TypedKey leaves keys of its own to the tile before it is pressed.
func (t *tile) TypedKey(e *fyne.KeyEvent) {
	if t.keyed == nil || !t.keyed(e) {
		t.press.TypedKey(e)
	}
}

// explain has a text come up under the pointer, and answers the tile.
func (t *tile) explain(text func() string) *tile {
	t.tip.text = text
	return t
}

func (t *tile) choose(chosen bool) {
	if t.chosen != chosen {
		t.chosen = chosen
		t.mark()
	}
}

func (t *tile) mark() {
	t.frame.stroke, t.frame.thick = colorLine, 1
	if t.chosen || t.hovered || t.focused {
		t.frame.stroke, t.frame.thick = theme.ColorNamePrimary, 2
	}
	t.frame.Refresh()
}

// Dragged and DragEnd carry the tile over the window.
func (t *tile) Dragged(e *fyne.DragEvent) {
	if t.dragged != nil {
		t.held = e.AbsolutePosition
		t.dragged(t.held)
	}
}

// DragEnd implements fyne.Draggable.
func (t *tile) DragEnd() {
	if t.dropped != nil {
		t.dropped(t.held)
	}
}

func (t *tile) MouseIn(*desktop.MouseEvent)         { t.hovered = true; t.mark(); t.tip.rest(t) }
func (t *tile) MouseMoved(*desktop.MouseEvent)      {}
func (t *tile) MouseOut()                           { t.hovered = false; t.mark(); t.tip.leave(t) }
func (t *tile) Cursor() desktop.Cursor              { return desktop.PointerCursor }
func (t *tile) AccessibilityLabel() string          { return t.name }
func (t *tile) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(t.body) }

// newThumb is a small picture that can be clicked.
func newThumb(name string, img image.Image, side float32, tapped func()) *tile {
	small := canvas.NewImageFromImage(img)
	small.ScaleMode, small.FillMode, small.CornerRadius = canvas.ImageScaleSmooth, canvas.ImageFillContain, 6
	t := newTile(name, 7, container.New(inset{2, 2}, container.New(fixed{side - 4, side - 4}, small)), tapped)
	return t.explain(func() string { return t.name })
}

// newWell is where pictures come in: drop them anywhere, or click here for a file dialog.
func newWell(tapped func()) *tile {
	icon := widget.NewIcon(theme.NewThemedResource(theme.ContentAddIcon()))
	title, more := heading(i18n.T("Drop a picture here")), caption(i18n.T("or click to open one"))
	title.align, more.align = fyne.TextAlignCenter, fyne.TextAlignCenter
	return newTile(i18n.T("Open a picture"), 10, container.New(inset{10, 14},
		newColumn(3, container.NewCenter(container.New(fixed{22, 22}, icon)), title, more)), tapped)
}
