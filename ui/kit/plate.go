package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Plate is a rounded background in a colour of the theme.
type Plate struct {
	widget.BaseWidget
	fill, Stroke fyne.ThemeColorName // either may be empty
	Paint        color.Color         // instead of stroke, when set
	radius       float32
	Thick        float32
	rect         *canvas.Rectangle
}

func NewPlate(fill, stroke fyne.ThemeColorName, radius float32) *Plate {
	p := &Plate{fill: fill, Stroke: stroke, radius: radius, Thick: 1}
	p.rect = canvas.NewRectangle(color.Transparent)
	p.ExtendBaseWidget(p)
	return p
}

func (p *Plate) CreateRenderer() fyne.WidgetRenderer {
	r := &plateRenderer{p, []fyne.CanvasObject{p.rect}}
	r.Refresh()
	return r
}

type plateRenderer struct {
	p       *Plate
	objects []fyne.CanvasObject
}

func (r *plateRenderer) Destroy()                     {}
func (r *plateRenderer) Layout(size fyne.Size)        { r.p.rect.Resize(size) }
func (r *plateRenderer) MinSize() fyne.Size           { return fyne.Size{} }
func (r *plateRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *plateRenderer) Refresh() {
	p := r.p
	if p.fill != "" {
		p.rect.FillColor = theme.ColorForWidget(p.fill, p)
	}
	p.rect.CornerRadius = p.radius
	p.rect.StrokeWidth = 0
	switch {
	case p.Paint != nil:
		p.rect.StrokeColor, p.rect.StrokeWidth = p.Paint, p.Thick
	case p.Stroke != "":
		p.rect.StrokeColor, p.rect.StrokeWidth = theme.ColorForWidget(p.Stroke, p), p.Thick
	}
	p.rect.Refresh()
}

func Panel(content fyne.CanvasObject) fyne.CanvasObject { return PanelOf(12, content) }

// PanelOf is a panel with another margin above and below.
func PanelOf(margin float32, content fyne.CanvasObject) fyne.CanvasObject {
	return container.NewStack(NewPlate(ColorPlate, "", 12), container.New(Inset{12, margin}, content))
}
