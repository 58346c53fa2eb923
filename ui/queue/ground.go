package queue

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// ground lies behind the rows: between them the pointer is on the list too.
type ground struct {
	widget.BaseWidget
	point func(in bool)
}

var _ desktop.Hoverable = (*ground)(nil)

func newGround(point func(in bool)) *ground {
	g := &ground{point: point}
	g.ExtendBaseWidget(g)
	return g
}

func (g *ground) MouseIn(*desktop.MouseEvent)    { g.point(true) }
func (g *ground) MouseMoved(*desktop.MouseEvent) {}
func (g *ground) MouseOut()                      { g.point(false) }

func (g *ground) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(canvas.NewRectangle(color.Transparent))
}
