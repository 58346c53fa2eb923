package settings

import (
	"image"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// shaper sets the size of the pictures: by a ratio of the sides, or side by side. What is typed goes into the form as the nearest size that
// the model makes, with a word about it; the field shows that size once it is left.
type shaper struct {
	host   Host
	done   func() // what has changed is to be laid out
	box    *fyne.Container
	shapes []*kit.Tile
	free   *kit.Tile
	sides  [2]*kit.Field // width, height
	swap   *kit.IconButton
	note   *kit.Below
	stray  *widget.Label   // that the model has not learned from such sizes
	astray *fyne.Container // around it

	like   image.Point // the size whose number of pixels the shapes keep
	chosen image.Point // the size that a shape gave last
	shown  image.Point // what the fields show
}

func newShaper(h Host, page func() fyne.Scrollable, done func()) *shaper {
	p := &shaper{host: h, done: done, note: kit.NewBelow(theme.ColorNamePlaceHolder)}
	row := container.New(&kit.Flow{Gap: 4})
	tile := func(name string, shape state.Shape, tap func()) *kit.Tile {
		t := kit.NewTile(name, 6, container.New(kit.Inset{X: 5, Y: 4}, kit.NewRow(4, newFrame(shape), kit.Caption(name))), tap)
		row.Add(t)
		return t
	}
	for _, s := range state.Shapes() {
		p.shapes = append(p.shapes, tile(s.String(), s, func() { p.take(s) }).Explain(func() string { return p.explain(s) }))
	}
	p.free = tile(i18n.T("Free"), state.Shape{}, func() {
		if c := fyne.CurrentApp().Driver().CanvasForObject(p.sides[0]); c != nil {
			c.Focus(p.sides[0])
		}
	}).Explain(func() string { return i18n.T("Type the width and the height") })
	for i, name := range [2]string{i18n.T("Width"), i18n.T("Height")} {
		f := kit.NewField(h.Shortcut, false).Explain(i18n.T("Width and height of the pictures, in pixels."))
		f.PlaceHolder, f.InForm, f.OnChanged = name, true, func(string) { p.typed(i) }
		f.Left, f.OnSubmitted = p.settle, func(string) { p.settle() }
		f.Step = func(by int) { p.stepped(i, by) }
		p.sides[i] = f
	}
	p.swap = kit.SmallButton(i18n.T("Swap width and height"), swapIcon, func() {
		size := p.size()
		p.set(image.Pt(size.Y, size.X))
	})
	p.stray = widget.NewLabel("")
	p.stray.Wrapping, p.stray.SizeName, p.stray.Importance = fyne.TextWrapWord, theme.SizeNameCaptionText, widget.WarningImportance
	p.astray = container.New(kit.Inset{X: -4, Y: -6}, kit.Quiet(p.stray))
	p.astray.Hide()
	p.box = kit.NewColumn(5, container.New(kit.Inset{X: 4, Y: 0}, kit.Caption(i18n.T("Size of the picture"))), row,
		container.NewBorder(nil, nil, nil, p.swap,
			container.New(pairOf{14}, kit.InPage(p.sides[0], page), kit.Caption("×"), kit.InPage(p.sides[1], page))),
		container.New(kit.Inset{X: 4, Y: 0}, p.note), p.astray)
	return p
}

// size is what the form asks for now.
func (p *shaper) size() image.Point {
	st := p.host.State()
	if st.Model == nil {
		return image.Pt(st.Form.Width, st.Form.Height)
	}
	return st.Form.Size(st.Model)
}

// set asks for a size that the model makes.
func (p *shaper) set(size image.Point) {
	if p.host.State().Model == nil || size == p.size() {
		return
	}
	p.host.Change(func(st *state.State) { st.Form = st.Form.WithSize(size, st.Model) })
}

// take asks for a shape, with as many pixels as before: those of the model's own size, where it is about that.
func (p *shaper) take(s state.Shape) {
	m := p.host.State().Model
	if m == nil {
		return
	}
	if size := s.Size(p.liked(), m); size != (image.Point{}) {
		p.chosen = size
		p.set(size)
	}
}

// sameArea is how much of the model's own number of pixels a size may have more or less to be taken for it.
const sameArea = 0.25

func (p *shaper) liked() image.Point {
	m := p.host.State().Model
	if size := p.size(); size != p.chosen || p.like == (image.Point{}) {
		p.like = size
		own := image.Pt(m.Size.Width, m.Size.Height)
		if share := float64(size.X*size.Y) / float64(own.X*own.Y); share > 1-sameArea && share < 1+sameArea {
			p.like = own
		}
	}
	return p.like
}

func (p *shaper) explain(s state.Shape) string {
	m := p.host.State().Model
	if m == nil {
		return s.String()
	}
	size := s.Size(p.liked(), m)
	if size == (image.Point{}) {
		return i18n.T("This model makes no pictures of %s", s.String())
	}
	return strconv.Itoa(size.X) + " × " + strconv.Itoa(size.Y)
}

// typed takes what a field says as it is typed, as near as the model comes to it. A field that is empty has the model's own side.
func (p *shaper) typed(i int) {
	m := p.host.State().Model
	if m == nil {
		return
	}
	text := strings.TrimSpace(p.sides[i].Text)
	n, err := strconv.Atoi(text)
	if text == "" {
		n, err = [2]int{m.Size.Width, m.Size.Height}[i], nil
	}
	if err != nil {
		p.say(i18n.T("Write the size in pixels, for example %d", m.Size.Width), theme.ColorNameError)
		return
	}
	size := p.size()
	if i == 0 {
		size.X = n
	} else {
		size.Y = n
	}
	snapped := m.Size.Nearest(size)
	p.shown = snapped // the text stays as it is being typed
	p.set(snapped)
	p.tell(n, [2]int{snapped.X, snapped.Y}[i])
}

// tell says what becomes of a side that the model does not make.
func (p *shaper) tell(wanted, becomes int) {
	s := p.host.State().Model.Size
	switch {
	case wanted == becomes:
		p.say("", theme.ColorNamePlaceHolder)
	case wanted < s.Min || wanted > s.Max:
		p.say(i18n.T("%d becomes %d (%d to %d)", wanted, becomes, s.Min, s.Max), theme.ColorNameWarning)
	default:
		p.say(i18n.T("%d becomes %d (steps of %d)", wanted, becomes, s.Multiple), theme.ColorNameWarning)
	}
}

func (p *shaper) say(text string, paint fyne.ThemeColorName) {
	if p.note.Set(text, paint) {
		p.done()
	}
}

// settle shows in the fields what the form asks for. The word about it stays until the size is another one.
func (p *shaper) settle() {
	if p.host.State().Model == nil {
		return
	}
	if p.note.Color == theme.ColorNameError { // what was no size is gone from the field
		p.say("", theme.ColorNamePlaceHolder)
	}
	p.write(p.size())
}

// write shows a size in the fields.
func (p *shaper) write(size image.Point) {
	p.shown = size
	for i, n := range [2]int{size.X, size.Y} {
		f := p.sides[i]
		if text := strconv.Itoa(n); f.Text != text {
			tell := f.OnChanged
			f.OnChanged = nil // nobody types
			f.SetText(text)
			f.OnChanged = tell
		}
	}
}

// stepped makes a side longer or shorter by one step of the model.
func (p *shaper) stepped(i, by int) {
	m := p.host.State().Model
	if m == nil {
		return
	}
	size := p.size()
	if by *= max(m.Size.Multiple, 1); i == 0 {
		size.X += by
	} else {
		size.Y += by
	}
	p.set(m.Size.Nearest(size))
}

// refresh makes the control equal to the state.
func (p *shaper) refresh() {
	m := p.host.State().Model
	if m == nil {
		return
	}
	size := p.size()
	now, near := state.ShapeOf(size)
	for i, s := range state.Shapes() {
		p.shapes[i].Choose(near && s == now)
	}
	p.free.Choose(!near)
	if size != p.shown {
		p.write(size)
		p.say("", theme.ColorNamePlaceHolder)
	}
	if text := wording.Sentence(m.Size.Stray(size)); p.stray.Text != text {
		p.stray.SetText(text)
		p.astray.Hidden = text == ""
		p.done()
	}
	one := state.OneSize(m)
	kit.Enable(p.swap, size.X != size.Y)
	for _, f := range p.sides {
		kit.Enable(f, !one)
	}
	if one {
		p.say(i18n.T("This model makes %d × %d only", size.X, size.Y), theme.ColorNamePlaceHolder)
	}
}

// frameSide is the longer side of a drawn shape.
const frameSide = 14

// newFrame is a shape as a small drawing in the colour of the text, in the middle of a place that is as wide as it is, so that the texts
// beside them begin where they end, and as high as the highest. Without a shape it has no borders of its own.
func newFrame(s state.Shape) fyne.CanvasObject {
	w, h := float32(frameSide), float32(frameSide)
	switch {
	case s.Width > s.Height:
		h = w * float32(s.Height) / float32(s.Width)
	case s.Height > s.Width:
		w = h * float32(s.Width) / float32(s.Height)
	}
	plate := kit.NewPlate("", theme.ColorNameForeground, 1.5)
	if s == (state.Shape{}) {
		plate.Stroke = theme.ColorNamePlaceHolder
	}
	plate.Thick = 1.5
	return container.New(kit.Fixed{Width: w, Height: frameSide}, container.NewCenter(container.New(kit.Fixed{Width: w, Height: h}, plate)))
}

// pairOf is two objects of one width with a small one between them.
type pairOf struct{ middle float32 }

func (s pairOf) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	width := max((size.Width-s.middle)/2, 0)
	for i, o := range []fyne.CanvasObject{objects[0], objects[2]} {
		o.Resize(fyne.NewSize(width, size.Height))
		o.Move(fyne.NewPos(float32(i)*(width+s.middle), 0))
	}
	cross := objects[1].MinSize()
	objects[1].Resize(cross)
	objects[1].Move(fyne.NewPos(width+(s.middle-cross.Width)/2, (size.Height-cross.Height)/2))
}

func (s pairOf) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(0, max(objects[0].MinSize().Height, objects[2].MinSize().Height))
}

// swapIcon is two arrows, one to the right and one to the left.
var swapIcon = theme.NewThemedResource(kit.Icon("swap", "M16 4l5 4.500-5 4.500v-3.200H4V7.200h12zM8 11l-5 4.500 5 4.500v-3.200h12v-2.600H8z"))
