package mask

import (
	"image"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"realword/inference/picture"
	"realword/ui/i18n"
	"realword/ui/kit"
)

var (
	_ desktop.Mouseable = (*cutter)(nil)
	_ fyne.Draggable    = (*cutter)(nil)
	_ fyne.Tappable     = (*cutter)(nil)
)

// What a press on a picture does that is cut out.
const (
	frame   tool = iota // a rectangle is drawn
	outline             // a line is painted; what it encloses belongs to it
	rub                 // what is chosen is taken away
)

// cutter is a reference of which the subject is chosen: a rectangle, or what is painted or enclosed by what is painted. What is not chosen
// is dark.
type cutter struct {
	widget.BaseWidget
	changed func()

	whole *image.NRGBA
	mask  *image.Gray
	tool  tool
	size  float32 // of the brush, as a share of the longer side

	pressed bool
	from    picture.Point // in pixels of the mask
	image   *canvas.Image
}

func newCutter(img image.Image, changed func()) *cutter {
	b := img.Bounds()
	c := &cutter{changed: changed, whole: image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy())), size: 0.04}
	for y := range b.Dy() {
		for x := range b.Dx() {
			c.whole.Set(x, y, img.At(b.Min.X+x, b.Min.Y+y))
		}
	}
	c.mask = image.NewGray(c.whole.Rect)
	c.image = canvas.NewImageFromImage(c.whole)
	c.image.FillMode, c.image.ScaleMode = canvas.ImageFillContain, canvas.ImageScaleSmooth
	c.ExtendBaseWidget(c)
	return c
}

// CreateRenderer implements fyne.Widget.
func (c *cutter) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(c.image) }

// MinSize implements fyne.CanvasObject.
func (c *cutter) MinSize() fyne.Size { return fyne.NewSize(240, 240) }

// where is a place of the widget in pixels of the picture, or the nearest one.
func (c *cutter) where(at fyne.Position) picture.Point {
	size := c.whole.Rect.Max
	p := kit.NewInside(c.Size(), size).Pixel(at)
	return picture.Point{X: min(max(p.X, 0), float32(size.X)), Y: min(max(p.Y, 0), float32(size.Y))}
}

// MouseDown implements desktop.Mouseable.
func (c *cutter) MouseDown(m *desktop.MouseEvent) {
	c.pressed, c.from = true, c.where(m.Position)
	if c.tool != frame {
		c.line(c.from)
	}
}

// MouseUp implements desktop.Mouseable.
func (c *cutter) MouseUp(*desktop.MouseEvent) { c.DragEnd() }

// Dragged implements fyne.Draggable.
func (c *cutter) Dragged(d *fyne.DragEvent) {
	if !c.pressed {
		return
	}
	if to := c.where(d.Position); c.tool == frame {
		c.show(rectangle(c.mask.Rect, c.from, to))
	} else {
		c.line(to)
		c.from = to
	}
}

// DragEnd implements fyne.Draggable: what a line encloses belongs to it.
func (c *cutter) DragEnd() {
	if c.pressed && c.tool == outline {
		c.show(filled(c.mask))
	}
	c.pressed = false
}

// Tapped takes the click.
func (c *cutter) Tapped(*fyne.PointEvent) {}

func (c *cutter) line(to picture.Point) {
	c.show(picture.Stroke(c.mask, c.from, to, picture.Brush{Size: c.size, Softness: 0.2, Erase: c.tool == rub}))
}

// show makes a mask the chosen part.
func (c *cutter) show(mask *image.Gray) {
	c.mask, c.image.Image = mask, c.whole
	if area(mask) > 0 {
		c.image.Image = picture.Dimmed(c.whole, mask)
	}
	c.image.Refresh()
	c.changed()
}

// chosen is what is cut out, with a soft edge; nil where nothing is.
func (c *cutter) chosen() *image.Gray {
	if area(c.mask) == 0 {
		return nil
	}
	return picture.Grown(c.mask, 0, max(c.mask.Rect.Dx(), c.mask.Rect.Dy())/64)
}

// rectangle is white between two corners.
func rectangle(size image.Rectangle, a, b picture.Point) *image.Gray {
	out := image.NewGray(size)
	for y := int(min(a.Y, b.Y)); y < min(int(max(a.Y, b.Y)), size.Dy()); y++ {
		for x := int(min(a.X, b.X)); x < min(int(max(a.X, b.X)), size.Dx()); x++ {
			out.SetGray(x, y, color.Gray{Y: 255})
		}
	}
	return out
}

// filled is a mask with what it encloses: all that cannot be reached from the border over what is less than half white.
func filled(mask *image.Gray) *image.Gray {
	w, h := mask.Rect.Dx(), mask.Rect.Dy()
	outside := make([]bool, w*h)
	var next []int
	reach := func(x, y int) {
		if x >= 0 && y >= 0 && x < w && y < h && !outside[y*w+x] && mask.Pix[y*mask.Stride+x] < 128 {
			outside[y*w+x] = true
			next = append(next, y*w+x)
		}
	}
	for x := range w {
		reach(x, 0)
		reach(x, h-1)
	}
	for y := range h {
		reach(0, y)
		reach(w-1, y)
	}
	for len(next) > 0 {
		p := next[len(next)-1]
		next = next[:len(next)-1]
		reach(p%w-1, p/w)
		reach(p%w+1, p/w)
		reach(p%w, p/w-1)
		reach(p%w, p/w+1)
	}
	out := copyOf(mask)
	for p := range outside {
		if !outside[p] {
			if v := &out.Pix[p/w*out.Stride+p%w]; *v < 128 {
				*v = 255
			}
		}
	}
	return out
}

// CutOut asks on a sheet what of a reference is its subject; done is given what was chosen, white where it is, with a soft edge.
func (p *Panel) CutOut(img image.Image, done func(mask *image.Gray)) {
	var use *kit.Button
	c := newCutter(img, func() {})
	note := kit.Caption("")
	tools := kit.NewRow(4)
	var pills []*kit.Pill
	hints := [...]string{
		frame:   i18n.T("Drag a rectangle around the subject."),
		outline: i18n.T("Paint along its outline, or all of it; what the line encloses belongs to it."),
		rub:     i18n.T("Erase what is not part of it."),
	}
	choose := func(t tool) {
		c.tool = t
		for i, pill := range pills {
			pill.Choose(tool(i) == t)
		}
		note.Set(hints[t])
	}
	for t, label := range [...]string{frame: i18n.T("Rectangle"), outline: i18n.T("Brush"), rub: i18n.T("Eraser")} {
		pill := kit.NewPill(label, func() { choose(tool(t)) })
		pills = append(pills, pill)
		tools.Add(pill.Tile)
	}
	tools.Add(kit.NewPill(i18n.T("Clear"), func() { c.show(image.NewGray(c.mask.Rect)) }).Tile)
	size := kit.NewSlider(0.01, 0.3)
	size.Step, size.Value = 0.005, float64(c.size)
	size.OnChanged = func(v float64) { c.size = float32(v) }
	top := kit.NewColumn(4, container.New(&kit.Flow{Gap: 8}, tools,
		kit.NewRow(2, kit.Caption(i18n.T("Size")), kit.ShortTrack(size, fyne.NewSize(84, 0)))), note)
	var closeIt func()
	cancel := kit.NewButton(i18n.T("Cancel"), func() { closeIt() })
	use = kit.NewButton(i18n.T("Cut it out"), func() {
		mask := c.chosen()
		closeIt()
		done(mask)
	})
	use.Importance = widget.HighImportance
	c.changed = func() { kit.Enable(use, area(c.mask) > 0) }
	closeIt = p.host.Layers.Sheet(i18n.T("Only the subject"), fyne.NewSize(640, 560),
		container.NewBorder(top, nil, nil, nil, container.New(kit.Fixed{Height: 400}, c)), cancel, use)
	choose(frame)
	kit.Enable(use, false)
}
