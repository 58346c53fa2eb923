package kit

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
	_ fyne.Tappable          = (*Tile)(nil)
	_ fyne.SecondaryTappable = (*Tile)(nil)
	_ fyne.Focusable         = (*Tile)(nil)
	_ fyne.Draggable         = (*Tile)(nil)
	_ fyne.Accessible        = (*Tile)(nil)
	_ desktop.Hoverable      = (*Tile)(nil)
	_ desktop.Cursorable     = (*Tile)(nil)
)

// Tile is something on a frame that can be pressed as a whole. The frame lights up under the pointer and with the focus.
type Tile struct {
	widget.BaseWidget
	Press
	Name            string
	Chosen, hovered bool
	frame           *Plate
	OnDragged       func(at fyne.Position) // over the window; nil: it cannot be dragged
	OnDropped       func(at fyne.Position)
	OnMenu          func(at fyne.Position) // its menu is wanted at a place of the window; nil: it has none
	held            fyne.Position
	OnPointed       func(in bool)             // the pointer has come or gone; nil: nobody asks
	OnFocus         func(has bool)            // nil: nobody asks
	OnKey           func(*fyne.KeyEvent) bool // keys of its own; it tells whether it took one. Nil: none
	tip             Tip
	near            []Near // see ShowNear
	said            string
	bars            *fyne.Container
	Body            *fyne.Container
}

func NewTile(name string, radius float32, content fyne.CanvasObject, tapped func()) *Tile {
	t := &Tile{Name: name, frame: NewPlate(ColorWell, ColorLine, radius)}
	t.Body = container.NewStack(t.frame, content)
	t.Do = func() { t.tip.Leave(t); tapped() }
	t.Marked = func() {
		if t.mark(); t.OnFocus != nil {
			t.OnFocus(t.Focused)
		}
	}
	t.ExtendBaseWidget(t)
	return t
}

// Tapped also takes the focus from where the user typed before, so that letters are keys again.
func (t *Tile) Tapped(e *fyne.PointEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(t); c != nil && c.Focused() != t {
		c.Unfocus()
	}
	t.Press.Tapped(e)
}

// TappedSecondary asks for the menu.
func (t *Tile) TappedSecondary(e *fyne.PointEvent) {
	if t.tip.Leave(t); t.OnMenu != nil {
		t.OnMenu(e.AbsolutePosition)
	}
}

// TypedKey leaves keys of its own to the tile before it is pressed, and others to the window.
func (t *Tile) TypedKey(e *fyne.KeyEvent) {
	switch {
	case t.OnKey != nil && t.OnKey(e):
	case Presses(e.Name):
		t.Press.TypedKey(e)
	default:
		HandOn(t, e)
	}
}

// Explain has a text come up under the pointer, and answers the tile.
func (t *Tile) Explain(text func() string) *Tile {
	t.tip.Text = text
	return t
}

// ExplainWithCut is Explain, of a tile with lines of which a part may be cut away: they come first then.
func (t *Tile) ExplainWithCut(text func() string) *Tile {
	return t.Explain(func() string { return WithCut(text(), t.Body) })
}

func (t *Tile) Choose(chosen bool) {
	if t.Chosen != chosen {
		t.Chosen = chosen
		t.mark()
	}
}

func (t *Tile) mark() {
	t.frame.Stroke, t.frame.Thick = ColorLine, 1
	switch {
	case t.Focused: // also where it is chosen
		t.frame.Stroke, t.frame.Thick = theme.ColorNameForeground, 2
	case t.Chosen:
		t.frame.Stroke, t.frame.Thick = theme.ColorNamePrimary, 2
	case t.hovered: // another look: what is chosen is one
		t.frame.Stroke, t.frame.Thick = theme.ColorNamePlaceHolder, 2
	}
	t.frame.Refresh()
}

func (t *Tile) point(in bool) {
	t.hovered = in
	if t.mark(); t.OnPointed != nil {
		t.OnPointed(in)
	}
}

// Dragged and DragEnd carry the tile over the window.
func (t *Tile) Dragged(e *fyne.DragEvent) {
	if t.OnDragged != nil {
		t.held = e.AbsolutePosition
		t.OnDragged(t.held)
	}
}

// DragEnd implements fyne.Draggable.
func (t *Tile) DragEnd() {
	if t.OnDropped != nil {
		t.OnDropped(t.held)
	}
}

func (t *Tile) MouseIn(*desktop.MouseEvent)         { t.tip.Rest(t); t.point(true) }
func (t *Tile) MouseMoved(*desktop.MouseEvent)      {}
func (t *Tile) MouseOut()                           { t.tip.Out(t); t.point(false) }
func (t *Tile) FocusGained()                        { t.Press.FocusGained(); t.tip.Reach(t) }
func (t *Tile) FocusLost()                          { t.Press.FocusLost(); t.tip.Leave(t) }
func (t *Tile) Explanation() string                 { return t.tip.Explanation() }
func (t *Tile) Cursor() desktop.Cursor              { return desktop.PointerCursor }
func (t *Tile) AccessibilityLabel() string          { return t.Name }
func (t *Tile) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(t.Body) }

// NewThumb is a small picture that can be clicked.
func NewThumb(name string, img image.Image, side float32, tapped func()) *Tile {
	small := canvas.NewImageFromImage(img)
	small.ScaleMode, small.FillMode, small.CornerRadius = canvas.ImageScaleSmooth, canvas.ImageFillContain, 6
	t := NewTile(name, 7, container.New(Inset{2, 2}, container.New(&Fixed{side - 4, side - 4}, small)), tapped)
	return t.Explain(func() string {
		if t.said != "" {
			return t.Name + " · " + t.said
		}
		return t.Name
	})
}

// ThumbImage is the picture of a thumbnail.
func ThumbImage(t *Tile) *canvas.Image {
	return t.Body.Objects[1].(*fyne.Container).Objects[0].(*fyne.Container).Objects[0].(*canvas.Image)
}

// ResizeThumb gives a thumbnail another side, and tells whether it had another one.
func ResizeThumb(t *Tile, side float32) bool {
	box := t.Body.Objects[1].(*fyne.Container).Objects[0].(*fyne.Container)
	fixed := box.Layout.(*Fixed)
	if fixed.Width == side-4 {
		return false
	}
	fixed.Width, fixed.Height = side-4, side-4
	t.Refresh()
	return true
}

// NewWell is where pictures come in: drop them anywhere, or click here for a file dialog.
func NewWell(tapped func()) *Tile {
	icon := widget.NewIcon(theme.NewThemedResource(theme.ContentAddIcon()))
	title, more := Heading(i18n.T("Drop a picture here")), Caption(i18n.T("or click to open one"))
	title.Align, more.Align = fyne.TextAlignCenter, fyne.TextAlignCenter
	return NewTile(i18n.T("Open a picture"), 10, container.New(Inset{10, 14},
		NewColumn(3, container.NewCenter(container.New(Fixed{22, 22}, icon)), title, more)), tapped)
}
