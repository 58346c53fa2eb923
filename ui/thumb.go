package ui

import (
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

var (
	_ fyne.Tappable      = (*thumb)(nil)
	_ desktop.Hoverable  = (*thumb)(nil)
	_ desktop.Cursorable = (*thumb)(nil)
)

// thumb is a small picture that can be clicked.
type thumb struct {
	widget.BaseWidget
	tapped func()
	chosen bool
	frame  *plate
	image  *canvas.Image
	body   *fyne.Container
}

func newThumb(img image.Image, side float32, tapped func()) *thumb {
	t := &thumb{tapped: tapped, frame: newPlate(colorWell, colorLine, 7)}
	t.image = canvas.NewImageFromImage(img)
	t.image.ScaleMode, t.image.FillMode, t.image.CornerRadius = canvas.ImageScaleSmooth, canvas.ImageFillContain, 6
	t.body = container.New(fixed{side, side}, t.frame, container.New(inset{2, 2}, t.image))
	t.ExtendBaseWidget(t)
	return t
}

func (t *thumb) choose(chosen bool) {
	if t.chosen != chosen {
		t.chosen = chosen
		t.mark(false)
	}
}

func (t *thumb) mark(hovered bool) {
	t.frame.stroke, t.frame.thick = colorLine, 1
	if t.chosen || hovered {
		t.frame.stroke, t.frame.thick = theme.ColorNamePrimary, 2
	}
	t.frame.Refresh()
}

func (t *thumb) Tapped(*fyne.PointEvent)             { t.tapped() }
func (t *thumb) MouseIn(*desktop.MouseEvent)         { t.mark(true) }
func (t *thumb) MouseMoved(*desktop.MouseEvent)      {}
func (t *thumb) MouseOut()                           { t.mark(false) }
func (t *thumb) Cursor() desktop.Cursor              { return desktop.PointerCursor }
func (t *thumb) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(t.body) }

// well is where pictures come in: drop them anywhere, or click here for a file dialog.
type well struct {
	widget.BaseWidget
	tapped func()
	frame  *plate
	body   *fyne.Container
}

func newWell(tapped func()) *well {
	w := &well{tapped: tapped, frame: newPlate(colorWell, colorLine, 10)}
	icon := widget.NewIcon(theme.NewThemedResource(theme.ContentAddIcon()))
	title := heading("Drop a picture here")
	title.align = fyne.TextAlignCenter
	more := caption("or click to open one")
	more.align = fyne.TextAlignCenter
	w.body = container.NewStack(w.frame, container.New(inset{10, 14},
		newColumn(3, container.NewCenter(container.New(fixed{22, 22}, icon)), title, more)))
	w.ExtendBaseWidget(w)
	return w
}

func (w *well) Tapped(*fyne.PointEvent) { w.tapped() }
func (w *well) MouseIn(*desktop.MouseEvent) {
	w.frame.stroke = theme.ColorNamePrimary
	w.frame.Refresh()
}
func (w *well) MouseMoved(*desktop.MouseEvent)      {}
func (w *well) MouseOut()                           { w.frame.stroke = colorLine; w.frame.Refresh() }
func (w *well) Cursor() desktop.Cursor              { return desktop.PointerCursor }
func (w *well) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(w.body) }
