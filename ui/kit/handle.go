package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

var (
	_ fyne.Draggable      = (*Handle)(nil)
	_ fyne.DoubleTappable = (*Handle)(nil)
	_ desktop.Cursorable  = (*Handle)(nil)
	_ desktop.Hoverable   = (*Handle)(nil)
)

// Handle is the border between two parts of the window: dragged, it makes one larger and the other smaller.
type Handle struct {
	widget.BaseWidget
	Moved  func(by float32) // since the last call; along x, or along y where it is level
	Ended  func()
	Double func() // back to the usual size
	level  bool
	tip    Tip
	line   *canvas.Rectangle
	over   bool
	held   bool
}

// NewHandle makes a handle that is upright, or level; text says what it does.
func NewHandle(level bool, text string) *Handle {
	h := &Handle{level: level, line: canvas.NewRectangle(color.Transparent)}
	h.line.CornerRadius = 1.5
	h.tip.Text = func() string { return text }
	h.ExtendBaseWidget(h)
	return h
}

func (h *Handle) Dragged(e *fyne.DragEvent) {
	if h.tip.Leave(h); !h.held {
		h.held = true
		h.mark()
	}
	if h.level {
		h.Moved(e.Dragged.DY)
	} else {
		h.Moved(e.Dragged.DX)
	}
}

func (h *Handle) DragEnd() {
	h.held = false
	h.mark()
	h.Ended()
}

func (h *Handle) DoubleTapped(*fyne.PointEvent) { h.Double() }

func (h *Handle) Cursor() desktop.Cursor {
	if h.level {
		return desktop.VResizeCursor
	}
	return desktop.HResizeCursor
}

func (h *Handle) Explanation() string            { return h.tip.Explanation() }
func (h *Handle) MouseIn(*desktop.MouseEvent)    { h.over = true; h.mark(); h.tip.Rest(h) }
func (h *Handle) MouseMoved(*desktop.MouseEvent) {}
func (h *Handle) MouseOut()                      { h.over = false; h.mark(); h.tip.Out(h) }

func (h *Handle) mark() {
	h.line.FillColor = theme.ColorForWidget(ColorLine, h)
	if h.over || h.held {
		h.line.FillColor = theme.ColorForWidget(theme.ColorNamePrimary, h)
	}
	h.line.Refresh()
}

func (h *Handle) CreateRenderer() fyne.WidgetRenderer { return &handleRenderer{h} }

type handleRenderer struct{ h *Handle }

func (r *handleRenderer) Destroy()                     {}
func (r *handleRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.h.line} }
func (r *handleRenderer) MinSize() fyne.Size           { return fyne.Size{} }
func (r *handleRenderer) Refresh()                     { r.h.mark() }

// Layout draws a short line in the middle, or at the upper edge where it is level.
func (r *handleRenderer) Layout(size fyne.Size) {
	const long, thick = 36, 3
	w, h := float32(thick), min(long, size.Height)
	at := fyne.NewPos((size.Width-w)/2, (size.Height-h)/2)
	if r.h.level { // texts may lie below it
		w, h = min(long, size.Width), thick
		at = fyne.NewPos((size.Width-w)/2, 0)
	}
	r.h.line.Resize(fyne.NewSize(w, h))
	r.h.line.Move(at)
	r.h.mark()
}
