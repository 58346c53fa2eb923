package ui

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
)

var _ desktop.Mouseable = (*stage)(nil)

// stage shows one picture as large as the space allows. It never scales: it asks for a picture of its size (resized) and
// shows what it is given. While a mouse button is held on it, masks are hidden (peek).
type stage struct {
	widget.BaseWidget
	peek    func(held bool)
	resized func()

	aspect float32 // width / height of the picture
	well   *plate
	image  *canvas.Image
	coach  fyne.CanvasObject // instead of a picture
}

func newStage(coach fyne.CanvasObject, peek func(bool), resized func()) *stage {
	s := &stage{peek: peek, resized: resized, aspect: 1, coach: coach, well: newPlate(colorWell, "", 12)}
	s.image = canvas.NewImageFromImage(image.NewRGBA(image.Rect(0, 0, 1, 1)))
	s.image.ScaleMode, s.image.FillMode, s.image.CornerRadius = canvas.ImageScaleFastest, canvas.ImageFillStretch, 8
	s.image.Hide()
	s.ExtendBaseWidget(s)
	return s
}

func (s *stage) MouseDown(*desktop.MouseEvent) { s.peek(true) }
func (s *stage) MouseUp(*desktop.MouseEvent)   { s.peek(false) }

// box is where a picture of the stage's aspect lies.
func (s *stage) box() (fyne.Position, fyne.Size) {
	const margin = 14
	room := s.Size().SubtractWidthHeight(2*margin, 2*margin)
	w := min(room.Width, room.Height*s.aspect)
	size := fyne.NewSize(w, w/s.aspect)
	return fyne.NewPos((s.Size().Width-size.Width)/2, (s.Size().Height-size.Height)/2), size
}

// pixels is the size that a picture should be painted in for this stage.
func (s *stage) pixels(bounds image.Rectangle) (w, h int) {
	if bounds.Empty() {
		return 0, 0
	}
	if aspect := float32(bounds.Dx()) / float32(bounds.Dy()); aspect != s.aspect {
		s.aspect = aspect
	}
	scale := float32(1)
	if c := fyne.CurrentApp().Driver().CanvasForObject(s); c != nil {
		scale = c.Scale()
	}
	_, size := s.box()
	return int(size.Width*scale + 0.5), int(size.Height*scale + 0.5)
}

// show puts a painted picture on the stage; nil brings back the coach.
func (s *stage) show(img *image.RGBA) {
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

func (s *stage) CreateRenderer() fyne.WidgetRenderer {
	return &stageRenderer{s, []fyne.CanvasObject{s.well, s.coach, s.image}}
}

type stageRenderer struct {
	s       *stage
	objects []fyne.CanvasObject
}

func (r *stageRenderer) Destroy()                     {}
func (r *stageRenderer) MinSize() fyne.Size           { return fyne.NewSize(260, 240) }
func (r *stageRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *stageRenderer) Refresh()                     { r.s.well.Refresh() }

func (r *stageRenderer) Layout(size fyne.Size) {
	s := r.s
	s.well.Resize(size)
	m := s.coach.MinSize()
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
	marks [4]*line
}

func newCoach() *coach {
	c := &coach{body: newColumn(14)}
	for i, text := range [...]string{say("Write what the picture shows"), say("Drop a picture of your subject anywhere"), say("Click its word under the prompt"), say("Generate")} {
		c.marks[i] = newLine(strconv.Itoa(i+1), theme.ColorNamePrimary, theme.SizeNameSubHeadingText)
		c.marks[i].style.Bold, c.marks[i].align = true, fyne.TextAlignCenter
		c.body.Add(newRow(14, container.New(fixed{width: 20}, c.marks[i]), newLine(text, theme.ColorNamePlaceHolder, theme.SizeNameSubHeadingText)))
	}
	return c
}

func (c *coach) show(s State) {
	bound := slices.ContainsFunc(s.Form.Cards, func(c Card) bool { return c.Bound() && !c.Lost(s.Words) })
	for i, done := range [...]bool{strings.TrimSpace(s.Form.Prompt) != "", len(s.Form.Cards) > 0, bound} {
		m := c.marks[i]
		m.color = theme.ColorNamePrimary
		text := strconv.Itoa(i + 1)
		if done {
			m.color, text = theme.ColorNameSuccess, "✓"
		}
		m.set(text)
	}
}
