package reuse

import (
	"image"
	"image/draw"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"realword/inference/picture"
	"realword/ui/kit"
)

var (
	_ desktop.Mouseable  = (*regionPad)(nil)
	_ desktop.Hoverable  = (*regionPad)(nil)
	_ desktop.Cursorable = (*regionPad)(nil)
	_ fyne.Draggable     = (*regionPad)(nil)
	_ fyne.Scrollable    = (*regionPad)(nil)
)

// regionPad shows a picture that is bright where it is made again. With a region that is painted over: the left button adds to it, the
// right one takes away, and the wheel makes the brush larger or smaller.
type regionPad struct {
	widget.BaseWidget
	changed func() // the region is another one

	whole, look *image.NRGBA // the picture in a size for the screen, and as the region leaves it
	region      *image.Gray  // in the picture's own size; nil: nothing is painted here
	size        float32      // of the brush, as a share of the picture's longer side
	held        desktop.MouseButton
	last        picture.Point // where the brush was, in pixels

	least, most *image.Gray // what the strokes make of nothing and of everything: of any region, what lies between

	image *canvas.Image
	ring  kit.Ring
}

// padSide is the side of the pad; its picture is large enough for screens of twice the usual density, where the card brings two pixels
// to one.
const padSide, padPixels = 340, 2 * padSide

// newRegionPad shows a picture of at most padPixels: at the size of the picture itself only what a stroke touches is computed.
func newRegionPad(whole *image.NRGBA, changed func()) *regionPad {
	p := &regionPad{
		changed: changed, size: 0.12, ring: kit.NewRing(), whole: whole, look: image.NewNRGBA(image.Rectangle{Max: whole.Rect.Size()}),
		image: canvas.NewImageFromImage(whole),
	}
	p.image.FillMode, p.image.ScaleMode, p.image.CornerRadius = canvas.ImageFillContain, canvas.ImageScaleFastest, 8
	p.ExtendBaseWidget(p)
	return p
}

func (p *regionPad) CreateRenderer() fyne.WidgetRenderer { return &padRenderer{p} }

type padRenderer struct{ p *regionPad }

func (padRenderer) Destroy()                {}
func (padRenderer) MinSize() fyne.Size      { return fyne.NewSquareSize(120) }
func (r padRenderer) Layout(size fyne.Size) { r.p.image.Resize(size) }
func (r padRenderer) Refresh()              { r.p.image.Refresh() }
func (r padRenderer) Objects() []fyne.CanvasObject {
	return append([]fyne.CanvasObject{r.p.image}, r.p.ring.Objects()...)
}

// show shows the picture, and a region of it that can be painted over, which it copies; nil for none.
func (p *regionPad) show(region *image.Gray) {
	p.region, p.held, p.least, p.most = nil, 0, nil, nil
	if region == nil {
		p.image.Image = p.whole
		p.ring.Hide()
		p.Refresh()
		return
	}
	p.region = image.NewGray(image.Rectangle{Max: region.Rect.Size()})
	draw.Draw(p.region, p.region.Rect, region, region.Rect.Min, draw.Src)
	p.image.Image = p.look
	p.dim(p.region.Rect)
}

// dim shows what a part of the region leaves of the picture.
func (p *regionPad) dim(part image.Rectangle) {
	picture.Dim(p.look, p.whole, p.region, part)
	p.image.Refresh()
}

// take is the region, which is painted over no more.
func (p *regionPad) take() *image.Gray {
	region := p.region
	p.region = nil
	return region
}

// empty tells whether a region holds nothing.
func (p *regionPad) empty() bool {
	for _, v := range p.region.Pix {
		if v > 0 {
			return false
		}
	}
	return true
}

// inside is where the picture lies on the pad.
func (p *regionPad) inside() kit.Inside { return kit.NewInside(p.Size(), p.region.Rect.Size()) }

// paint draws the brush from where it was to a place.
func (p *regionPad) paint(to picture.Point) {
	b := picture.Brush{Size: p.size, Softness: 0.3, Erase: p.held == desktop.MouseButtonSecondary}
	if p.least == nil {
		p.least, p.most = image.NewGray(p.region.Rect), image.NewGray(p.region.Rect)
		for i := range p.most.Pix {
			p.most.Pix[i] = 255
		}
	}
	part := b.Draw(p.last, to, p.region, p.least, p.most)
	p.last = to
	p.dim(part)
	p.changed()
}

// put shows another region, of the same size, under what was painted.
func (p *regionPad) put(region *image.Gray) {
	if p.least != nil {
		for i, v := range region.Pix {
			region.Pix[i] = min(max(v, p.least.Pix[i]), p.most.Pix[i])
		}
	}
	p.region = region
	p.dim(region.Rect)
	p.changed()
}

// follow shows the ring of the brush around a place.
func (p *regionPad) follow(at fyne.Position) {
	p.ring.Show(at, p.size*float32(max(p.region.Rect.Dx(), p.region.Rect.Dy()))*p.inside().Unit)
}

func (p *regionPad) MouseDown(e *desktop.MouseEvent) {
	if p.region != nil && p.held == 0 {
		p.held, p.last = e.Button, p.inside().Pixel(e.Position)
		p.paint(p.last)
	}
}

func (p *regionPad) MouseUp(*desktop.MouseEvent)      { p.held = 0 }
func (p *regionPad) MouseIn(e *desktop.MouseEvent)    { p.MouseMoved(e) }
func (p *regionPad) MouseOut()                        { p.ring.Hide() }
func (p *regionPad) DragEnd()                         { p.held = 0 }
func (p *regionPad) Dragged(e *fyne.DragEvent)        { p.move(e.Position) }
func (p *regionPad) MouseMoved(e *desktop.MouseEvent) { p.move(e.Position) }

func (p *regionPad) move(at fyne.Position) {
	if p.region == nil {
		return
	}
	if p.follow(at); p.held != 0 {
		p.paint(p.inside().Pixel(at))
	}
}

// Scrolled makes the brush larger or smaller.
func (p *regionPad) Scrolled(e *fyne.ScrollEvent) {
	if p.region == nil {
		return
	}
	p.size = min(max(p.size*kit.Wheel(e, 1.25), 0.01), 0.8)
	p.follow(e.Position)
}

func (p *regionPad) Cursor() desktop.Cursor {
	if p.region != nil {
		return desktop.CrosshairCursor
	}
	return desktop.DefaultCursor
}
