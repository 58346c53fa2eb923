package stage

import (
	"image"
	"slices"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
)

var (
	_ desktop.Mouseable      = (*pane)(nil)
	_ fyne.Scrollable        = (*pane)(nil)
	_ fyne.Draggable         = (*pane)(nil)
	_ fyne.DoubleTappable    = (*pane)(nil)
	_ fyne.SecondaryTappable = (*pane)(nil)
)

// pane shows one picture as large as the space allows, or zoomed with the wheel and dragged. It never scales: it asks for a
// picture of its size (resized) and shows what it is given. While a mouse button is held on a picture that fits, masks are
// hidden (peek).
type pane struct {
	widget.BaseWidget
	peek    func(held bool)
	cut     func(split float32) bool // moves the split of two pictures; false where none is
	resized func()
	zoomed  func()
	menu    func(at fyne.Position)
	carry   func(at fyne.Position) // drags the picture
	letGo   func(at fyne.Position)
	held    fyne.Position // where it is dragged to
	carried bool

	zoom    zoom
	natural image.Point // pixels of the picture
	well    *kit.Plate
	image   *canvas.Image
	coach   fyne.CanvasObject // instead of a picture
	easel   fyne.CanvasObject // over it; nil: none
}

func newPane(coach fyne.CanvasObject, peek func(bool), resized, zoomed func(), cut func(float32) bool, easel fyne.CanvasObject) *pane {
	s := &pane{peek: peek, resized: resized, zoomed: zoomed, cut: cut, coach: coach, easel: easel, well: kit.NewPlate(kit.ColorWell, "", 12)}
	s.image = canvas.NewImageFromImage(image.NewRGBA(image.Rect(0, 0, 1, 1)))
	s.image.ScaleMode, s.image.FillMode, s.image.CornerRadius = canvas.ImageScaleFastest, canvas.ImageFillStretch, 8
	s.image.Hide()
	s.ExtendBaseWidget(s)
	return s
}

func (s *pane) MouseDown(e *desktop.MouseEvent) {
	if s.zoom.scale == 0 && e.Button != desktop.MouseButtonSecondary {
		s.peek(true)
	}
}
func (s *pane) MouseUp(*desktop.MouseEvent) { s.peek(false) }

// TappedSecondary shows the menu of the picture.
func (s *pane) TappedSecondary(e *fyne.PointEvent) { s.menu(e.AbsolutePosition) }

// share is where in the seen part of the picture a place of the stage is, 0 to 1.
func (s *pane) share(at fyne.Position) (x, y float32) {
	pos, size := s.box()
	return min(max((at.X-pos.X)/max(size.Width, 1), 0), 1), min(max((at.Y-pos.Y)/max(size.Height, 1), 0), 1)
}

func (s *pane) Dragged(e *fyne.DragEvent) {
	if x, _ := s.share(e.Position); s.cut(x) {
		return
	}
	if s.peek(false); s.zoom.scale == 0 {
		s.held, s.carried = e.AbsolutePosition, true
		s.carry(s.held)
		return
	}
	d := s.density()
	s.set(s.zoom.move(e.Dragged.DX*d, e.Dragged.DY*d, s.natural, s.room()))
}

func (s *pane) DragEnd() {
	if s.peek(false); s.carried {
		s.carried = false
		s.letGo(s.held)
	}
}

// Scrolled zooms around the pointer.
func (s *pane) Scrolled(e *fyne.ScrollEvent) {
	if factor := kit.Wheel(e, 1.25); factor != 1 {
		x, y := s.share(e.Position)
		s.set(s.zoom.by(factor, x, y, s.natural, s.room()))
	}
}

// DoubleTapped fits the picture, or shows it pixel for pixel where it was clicked.
func (s *pane) DoubleTapped(e *fyne.PointEvent) {
	if s.zoom.scale != 0 {
		s.set(zoom{})
		return
	}
	x, y := s.share(e.Position)
	s.set(zoom{1, x, y})
}

func (s *pane) set(z zoom) {
	if s.zoom != z && s.natural != (image.Point{}) {
		s.zoom = z
		s.zoomed()
	}
}

// box is where the seen part of the picture lies.
func (s *pane) box() (fyne.Position, fyne.Size) {
	p, d := s.port(), s.density()
	size := fyne.NewSize(float32(p.part.Dx())/d, float32(p.part.Dy())/d)
	return fyne.NewPos((s.Size().Width-size.Width)/2, (s.Size().Height-size.Height)/2), size
}

// port is how the picture lies on the stage.
func (s *pane) port() port { return s.zoom.port(s.natural, s.room()) }

// show puts a painted picture on the stage; nil brings back the coach.
func (s *pane) show(img *image.RGBA) {
	if img == nil {
		s.image.Hide()
		s.coach.Show()
		return
	}
	s.coach.Hide()
	s.image.Image = img
	pos, size := s.box()
	s.image.Move(pos)
	s.image.Resize(size)
	s.image.Show()
	s.image.Refresh()
}

func (s *pane) CreateRenderer() fyne.WidgetRenderer {
	r := &paneRenderer{s, []fyne.CanvasObject{s.well, s.coach, s.image}}
	if s.easel != nil {
		r.objects = append(r.objects, s.easel)
	}
	return r
}

type paneRenderer struct {
	s       *pane
	objects []fyne.CanvasObject
}

func (r *paneRenderer) Destroy()                     {}
func (r *paneRenderer) MinSize() fyne.Size           { return fyne.NewSize(260, 120) }
func (r *paneRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *paneRenderer) Refresh()                     { r.s.well.Refresh() }

func (r *paneRenderer) Layout(size fyne.Size) {
	s := r.s
	s.well.Resize(size)
	if s.easel != nil {
		s.easel.Resize(size)
	}
	m := s.coach.MinSize()
	m.Width = min(m.Width, size.Width-16)
	s.coach.Resize(m) // its steps know their height only for a width
	m.Height = s.coach.MinSize().Height
	s.coach.Resize(m)
	s.coach.Move(fyne.NewPos((size.Width-m.Width)/2, (size.Height-m.Height)/2))
	pos, box := s.box()
	s.image.Move(pos)
	s.image.Resize(box)
	s.resized()
}

// coach is the empty stage: what to do, in order, with a mark at what is done.
type coach struct {
	body  *fyne.Container
	marks [3]*kit.Line
	below string // what stands under them: "ready", "example" or ""
	host  Example
	key   func() string // of Generate
}

func newCoach(e Example, key func() string) *coach {
	c := &coach{body: kit.NewColumn(14), host: e, key: key}
	for i, text := range [...]string{
		i18n.T("Write what the picture shows"), i18n.T("Drop a picture of your subject anywhere"),
		i18n.T("Click its word, then generate"),
	} {
		c.marks[i] = kit.NewLine(strconv.Itoa(i+1), theme.ColorNamePrimary, theme.SizeNameSubHeadingText)
		c.marks[i].Style.Bold, c.marks[i].Align = true, fyne.TextAlignCenter
		c.body.Add(container.NewBorder(nil, nil, container.New(kit.Fixed{Width: 34}, c.marks[i]), nil,
			kit.NewPassage(text, theme.ColorNamePlaceHolder, theme.SizeNameSubHeadingText)))
	}
	return c
}

// offers tells whether there is an example to be shown.
func (c *coach) offers() bool { return c.host.Can != nil && c.host.Can() }

// done is which of the coach's three steps are done.
func done(s state.State) [3]bool {
	cards := s.Form.Cards
	asks := slices.ContainsFunc(cards, func(c state.Card) bool { return !c.Off && (!c.Bound() || c.Lost(s.Words)) })
	return [...]bool{strings.TrimSpace(s.Form.Prompt) != "", len(cards) > 0, len(cards) > 0 && !asks}
}

func (c *coach) show(s state.State, ready bool) {
	for i, done := range done(s) {
		m := c.marks[i]
		m.Color = theme.ColorNamePrimary
		text := strconv.Itoa(i + 1)
		if done {
			m.Color, text = theme.ColorNameSuccess, "✓"
		}
		m.Set(text)
	}
	below := ""
	switch {
	case ready:
		below = "ready"
	case c.offers():
		below = "example"
	}
	if below == c.below {
		return
	}
	c.below, c.body.Objects = below, c.body.Objects[:len(c.marks)]
	switch below {
	case "ready":
		line := kit.NewLine(i18n.T("Press Generate, or %s", c.key()), theme.ColorNamePrimary, theme.SizeNameSubHeadingText)
		line.Style.Bold, line.Align, line.Gives = true, fyne.TextAlignCenter, true
		c.body.Add(kit.Whole(line, nil))
	case "example":
		c.body.Add(container.NewCenter(kit.NewButtonWithIcon(i18n.T("Show me an example"), theme.MediaPhotoIcon(), c.host.Show).
			Explain(i18n.T("Opens a finished picture with its steps and masks. Your own session waits meanwhile."))))
	}
	c.body.Refresh()
}
