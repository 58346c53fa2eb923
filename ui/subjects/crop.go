package subjects

import (
	"cmp"
	"image"
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference/picture"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
)

var (
	_ fyne.Draggable    = (*cropper)(nil)
	_ fyne.Focusable    = (*cropper)(nil)
	_ fyne.Accessible   = (*cropper)(nil)
	_ desktop.Mouseable = (*cropper)(nil)
)

// cropper shows a whole picture with the square that is cut out of it. The square is dragged, or sized at its lower right
// corner; arrow keys move it, + and - size it.
type cropper struct {
	widget.BaseWidget
	changed func(box picture.Box, settled bool)

	pixels  image.Point // of the picture
	box     picture.Box // a square of the picture's pixels
	sizing  bool        // the corner is being dragged
	held    fyne.Position
	tip     kit.Tip
	focused bool

	image  *canvas.Image
	shades [4]*canvas.Rectangle // what is cut off
	frame  *canvas.Rectangle
	corner *canvas.Rectangle
}

func newCropper(changed func(box picture.Box, settled bool)) *cropper {
	c := &cropper{changed: changed, pixels: image.Pt(1, 1)}
	c.tip.Text = func() string {
		return i18n.T("The part that the model sees: drag the square, or its corner; the arrow keys move it.")
	}
	c.image = canvas.NewImageFromImage(image.NewRGBA(image.Rect(0, 0, 1, 1)))
	c.image.ScaleMode, c.image.FillMode = canvas.ImageScaleSmooth, canvas.ImageFillStretch
	for i := range c.shades {
		c.shades[i] = canvas.NewRectangle(color.NRGBA{0, 0, 0, 0xa0})
	}
	c.frame = canvas.NewRectangle(color.Transparent)
	c.corner = canvas.NewRectangle(color.Transparent)
	c.corner.CornerRadius = 2
	c.ExtendBaseWidget(c)
	return c
}

// show makes the cropper show a picture of so many pixels and the box.
func (c *cropper) show(img image.Image, pixels image.Point, box picture.Box) {
	if c.image.Image != img {
		c.image.Image = img
		c.image.Refresh()
	}
	c.pixels, c.box = pixels, squareBox(pixels, box)
	c.Refresh()
}

// squareBox is the largest centred square of a box, as picture.Crop takes it.
func squareBox(pixels image.Point, box picture.Box) picture.Box {
	w, h := float64(max(pixels.X, 1)), float64(max(pixels.Y, 1))
	if box == (picture.Box{}) {
		box = picture.Box{Right: 1, Bottom: 1}
	}
	side := min((box.Right-box.Left)*w, (box.Bottom-box.Top)*h)
	x, y := (box.Left+box.Right)/2*w, (box.Top+box.Bottom)/2*h
	return SquareAt(pixels, x, y, side)
}

// SquareAt is the square with a side and a centre in pixels, pushed inside of the picture.
func SquareAt(pixels image.Point, x, y, side float64) picture.Box {
	w, h := float64(max(pixels.X, 1)), float64(max(pixels.Y, 1))
	side = min(max(side, min(w, h)/16, 1), w, h)
	left, top := min(max(x-side/2, 0), w-side), min(max(y-side/2, 0), h-side)
	return picture.Box{Left: left / w, Top: top / h, Right: min((left+side)/w, 1), Bottom: min((top+side)/h, 1)}
}

// area is where the picture lies in the widget, and how many points its pixels have.
func (c *cropper) area() (fyne.Position, float32) {
	in := kit.NewInside(c.Size(), c.pixels)
	return in.Corner, in.Unit
}

// square is the box in points.
func (c *cropper) square() (fyne.Position, float32) {
	at, scale := c.area()
	w, h := float32(c.pixels.X)*scale, float32(c.pixels.Y)*scale
	return at.AddXY(float32(c.box.Left)*w, float32(c.box.Top)*h), float32(c.box.Right-c.box.Left) * w
}

const cornerSide = 14

func (c *cropper) MouseDown(e *desktop.MouseEvent) {
	c.tip.Leave(c)
	at, side := c.square()
	c.sizing = e.Position.X > at.X+side-cornerSide && e.Position.Y > at.Y+side-cornerSide &&
		e.Position.X < at.X+side+cornerSide && e.Position.Y < at.Y+side+cornerSide
	c.held = e.Position.Subtract(at)
	if c.held.X < 0 || c.held.Y < 0 || c.held.X > side || c.held.Y > side {
		if !c.sizing { // a click beside the square brings it there
			c.held = fyne.NewPos(side/2, side/2)
			c.place(e.Position, false)
		}
	}
	if canvas := fyne.CurrentApp().Driver().CanvasForObject(c); canvas != nil {
		canvas.Focus(c)
	}
}

func (c *cropper) MouseUp(*desktop.MouseEvent) { c.changed(c.box, true) }
func (c *cropper) Dragged(e *fyne.DragEvent)   { c.place(e.Position, c.sizing) }
func (c *cropper) DragEnd()                    { c.changed(c.box, true) }

// place takes the square, or its corner, to the pointer.
func (c *cropper) place(to fyne.Position, corner bool) {
	at, scale := c.area()
	origin, side := c.square()
	pixel := func(p fyne.Position) (x, y float64) {
		return float64((p.X - at.X) / scale), float64((p.Y - at.Y) / scale)
	}
	if corner {
		x, y := pixel(origin)
		room := min(float64(c.pixels.X)-x, float64(c.pixels.Y)-y)
		size := min(max(float64(max(to.X-origin.X, to.Y-origin.Y)/scale), 1), room)
		c.set(SquareAt(c.pixels, x+size/2, y+size/2, size), false)
		return
	}
	x, y := pixel(to.Subtract(c.held).AddXY(side/2, side/2))
	c.set(SquareAt(c.pixels, x, y, float64(side/scale)), false)
}

func (c *cropper) set(box picture.Box, settled bool) {
	c.box = box
	c.Refresh()
	c.changed(box, settled)
}

func (c *cropper) TypedKey(e *fyne.KeyEvent) {
	w, h := float64(c.pixels.X), float64(c.pixels.Y)
	x, y := (c.box.Left+c.box.Right)/2*w, (c.box.Top+c.box.Bottom)/2*h
	side := (c.box.Right - c.box.Left) * w
	step := max(min(w, h)/50, 1)
	switch e.Name {
	case fyne.KeyLeft:
		x -= step
	case fyne.KeyRight:
		x += step
	case fyne.KeyUp:
		y -= step
	case fyne.KeyDown:
		y += step
	case fyne.KeyPlus, fyne.KeyEqual:
		side += 2 * step
	case fyne.KeyMinus:
		side -= 2 * step
	case fyne.KeyHome:
		x, y, side = w/2, h/2, min(w, h)
	default:
		return
	}
	c.set(SquareAt(c.pixels, x, y, side), true)
}

func (c *cropper) TypedRune(rune)                 {}
func (c *cropper) FocusGained()                   { c.focused = true; c.Refresh(); c.tip.Reach(c) }
func (c *cropper) Explanation() string            { return c.tip.Explanation() }
func (c *cropper) MouseIn(*desktop.MouseEvent)    { c.tip.Rest(c) }
func (c *cropper) MouseMoved(*desktop.MouseEvent) {}
func (c *cropper) MouseOut()                      { c.tip.Out(c) }
func (c *cropper) FocusLost()                     { c.focused = false; c.Refresh(); c.tip.Leave(c) }

func (c *cropper) AccessibilityLabel() string             { return i18n.T("The square the model sees") }
func (c *cropper) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
func (c *cropper) Cursor() desktop.Cursor                 { return desktop.CrosshairCursor }
func (c *cropper) CreateRenderer() fyne.WidgetRenderer {
	objects := []fyne.CanvasObject{c.image}
	for _, s := range c.shades {
		objects = append(objects, s)
	}
	return &cropperRenderer{c, append(objects, c.frame, c.corner)}
}

type cropperRenderer struct {
	c       *cropper
	objects []fyne.CanvasObject
}

func (r *cropperRenderer) Destroy()                     {}
func (r *cropperRenderer) MinSize() fyne.Size           { return fyne.NewSize(60, 150) }
func (r *cropperRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *cropperRenderer) Layout(fyne.Size) {
	c := r.c
	at, scale := c.area()
	size := fyne.NewSize(float32(c.pixels.X)*scale, float32(c.pixels.Y)*scale)
	put := func(o fyne.CanvasObject, x, y, w, h float32) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(max(w, 0), max(h, 0)))
	}
	put(c.image, at.X, at.Y, size.Width, size.Height)
	box, side := c.square()
	right, bottom := at.X+size.Width, at.Y+size.Height
	put(c.shades[0], at.X, at.Y, size.Width, box.Y-at.Y)
	put(c.shades[1], at.X, box.Y+side, size.Width, bottom-box.Y-side)
	put(c.shades[2], at.X, box.Y, box.X-at.X, side)
	put(c.shades[3], box.X+side, box.Y, right-box.X-side, side)
	put(c.frame, box.X, box.Y, side, side)
	put(c.corner, box.X+side-9, box.Y+side-9, 11, 11)
}

func (r *cropperRenderer) Refresh() {
	c := r.c
	c.frame.StrokeColor, c.frame.StrokeWidth = color.White, 1.5
	c.corner.FillColor = color.White
	if c.focused {
		c.frame.StrokeColor, c.frame.StrokeWidth = theme.ColorForWidget(theme.ColorNamePrimary, c), 2.5
		c.corner.FillColor = c.frame.StrokeColor
	}
	r.Layout(c.Size())
	canvas.Refresh(c)
}

// squareEditor is the part of a card in which a picture is brought to the square that the encoders see: padded, cropped or
// stretched, and what lies behind it.
type squareEditor struct {
	*fyne.Container
	changed func(square picture.Square, settled bool)
	square  picture.Square
	own     picture.Fit // the preset's, which a square without a fit has

	Fits     map[picture.Fit]*kit.Button
	Crop     *cropper
	CropRow  *fyne.Container
	note     *kit.Line
	colors   []*kit.Tile
	behind   *fyne.Container
	Code     *kit.Field
	CodeNote *kit.Below
}

// backgrounds are the colours on offer behind padding and transparency.
var backgrounds = []struct {
	code  string
	name  func() string
	paint color.NRGBA
}{
	{"", func() string { return i18n.T("light grey background") }, color.NRGBA{0xd0, 0xd0, 0xd0, 0xff}},
	{"#ffffff", func() string { return i18n.T("white background") }, color.NRGBA{0xff, 0xff, 0xff, 0xff}},
	{"#808080", func() string { return i18n.T("grey background") }, color.NRGBA{0x80, 0x80, 0x80, 0xff}},
	{"#000000", func() string { return i18n.T("black background") }, color.NRGBA{0, 0, 0, 0xff}},
}

func newSquareEditor(shortcut func(fyne.Shortcut) bool, changed func(square picture.Square, settled bool)) *squareEditor {
	s := &squareEditor{changed: changed, Fits: map[picture.Fit]*kit.Button{}}
	row := container.New(&kit.Flow{Gap: 4, Even: 3})
	for _, f := range []struct {
		fit          picture.Fit
		label, about string
	}{
		{picture.Pad, i18n.T("Pad"), i18n.T("The whole picture, with a plain border that makes it a square.")},
		{picture.Crop, i18n.T("Crop"), i18n.T("A square part of the picture, which you choose.")},
		{picture.Stretch, i18n.T("Stretch"), i18n.T("The whole picture, stretched into a square.")},
	} {
		b := kit.NewButton(f.label, func() {
			s.square.Fit = f.fit
			s.square = state.Following(s.square, s.own)
			if f.fit != picture.Crop {
				s.square.Crop = picture.Box{}
			}
			s.changed(s.square, true)
		}).Explain(f.about)
		s.Fits[f.fit] = b
		row.Add(b)
	}
	s.Crop = newCropper(func(box picture.Box, settled bool) {
		s.square.Crop = box
		s.changed(s.square, settled)
	})
	s.CropRow = container.New(kit.Fixed{Height: 150}, s.Crop)
	s.note = kit.Caption("")
	swatches := kit.NewRow(5)
	for _, b := range backgrounds {
		paint := canvas.NewRectangle(b.paint)
		paint.CornerRadius = 4
		t := kit.NewTile(b.name(), 6, container.New(kit.Inset{X: 3, Y: 3}, container.New(kit.Fixed{Width: 18, Height: 18}, paint)), func() {
			s.square.Background = b.code
			s.changed(s.square, true)
		}).Explain(b.name)
		s.colors = append(s.colors, t)
		swatches.Add(t)
	}
	s.Code = kit.NewField(shortcut, false).Explain(i18n.T("The colour of the border, as six digits; Enter takes it."))
	s.Code.SetPlaceHolder(picture.DefaultBackground)
	s.Code.OnSubmitted = s.ColorTyped
	s.Code.Left = func() {
		if s.Code.Text != s.square.Background {
			s.ColorTyped(s.Code.Text)
		}
	}
	s.CodeNote = kit.NewBelow(theme.ColorNameError)
	s.behind = kit.NewColumn(4, container.NewBorder(nil, nil, swatches, nil, container.New(kit.Inset{X: 5, Y: 0}, s.Code)), s.CodeNote)
	s.Container = kit.NewColumn(6, row, s.note, s.CropRow, s.behind)
	return s
}

func (s *squareEditor) ColorTyped(text string) {
	square := s.square
	if square.Background = strings.ToLower(strings.TrimSpace(text)); square.Background != "" && square.Background[0] != '#' {
		square.Background = "#" + square.Background
	}
	wrong := ""
	if square.Validate() != nil {
		wrong = i18n.T("six digits, for example #ffe0c0")
	}
	s.CodeNote.Set(wrong, theme.ColorNameError)
	s.Refresh()
	if wrong == "" {
		s.square = square
		s.changed(square, true)
	}
}

// show makes the editor show a card's square.
func (s *squareEditor) show(c state.Card) {
	fresh := s.square.Background != c.Ref.Square.Background
	s.square, s.own = c.Ref.Square, cmp.Or(c.Fit, picture.Pad)
	fit := cmp.Or(s.square.Fit, s.own)
	for f, b := range s.Fits {
		want := widget.MediumImportance
		if f == fit {
			want = widget.HighImportance
		}
		if b.Importance != want {
			b.Importance = want
			b.Refresh()
		}
	}
	switch fit {
	case picture.Crop:
		s.note.Set(i18n.T("Drag the square, or its corner."))
	case picture.Stretch:
		s.note.Set(i18n.T("The whole picture, stretched to a square."))
	default:
		s.note.Set(i18n.T("The whole picture, padded to a square."))
		if c.Pixels.X == c.Pixels.Y {
			s.note.Set(i18n.T("The whole picture."))
		}
	}
	s.CropRow.Hidden = fit != picture.Crop
	if !s.CropRow.Hidden && c.Whole != nil {
		s.Crop.show(c.Whole, c.Pixels, s.square.Crop)
	}
	// Where the picture fills the square and hides what is behind it, there is nothing to choose.
	s.behind.Hidden = !c.Clear && (fit != picture.Pad || c.Pixels.X == c.Pixels.Y)
	for i, b := range backgrounds {
		s.colors[i].Choose(b.code == s.square.Background)
	}
	if fresh {
		s.CodeNote.Set("", theme.ColorNameError)
	}
	if s.Code.Text != s.square.Background && (fresh || s.Code.Text == "") {
		s.Code.SetText(s.square.Background)
	}
	s.Refresh()
}
