package mask

import (
	"context"
	"fmt"
	"image"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"realword/inference"
	"realword/inference/files"
	"realword/inference/guidance"
	"realword/inference/picture"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// Host is what the brush needs of the house.
type Host struct {
	State    func() state.State
	Change   func(func(*state.State)) // makes the state another one, and renders the rooms that show what has changed
	Refresh  func()                   // renders everything
	Post     func(func())             // does it on the window's goroutine
	Layers   *kit.Layers
	Commands *command.Commands
}

// tool is what a press on the picture does.
type tool int

const (
	paint tool = iota
	erase
	move
)

// Panel is the brush. Nothing of it is seen until Paint.
type Panel struct {
	Ground   Ground
	OnHeight func() // what lies under the picture has another height

	Easel fyne.CanvasObject // over the picture
	Tools *fyne.Container   // under it

	host   Host
	easel  *easel
	open   bool
	closed func() // takes back the note for Esc

	card     int // whose mask it is: the first card of a subject
	tool     tool
	size     float32 // of the brush, as a share of the picture's longer side
	softness float32
	kind     guidance.Kind // of a mask that is not painted yet

	mask    *image.Gray // as it is seen
	sum     string      // of the form's mask that it is; "" while none is painted
	away    bool        // that one cannot be read, and stays as it is until it can, or another one takes its place
	pen     picture.Point
	pressed bool
	erasing bool
	from    *image.Gray   // before it was moved
	grip    picture.Point // where it was taken
	scale   float32
	turned  bool        // by the wheel, and the form does not have it yet
	rest    *time.Timer // until it has

	cover map[string]*image.Gray // masks of other subjects, by SHA-256
	seen  seen

	bar bar
}

// seen is what Veil has answered last. The key is equal where it would answer the same again.
type seen struct {
	key    string
	layers []picture.Layer
	err    error
}

// subject is one whose mask can be painted.
type subject struct {
	card, style int
	word        inference.Word
	scope       float64
	region      inference.Region
}

// New makes a brush that is not in hand.
func New(h Host) *Panel {
	p := &Panel{host: h, size: 0.15, softness: 0.3, kind: guidance.OnlyHere, cover: map[string]*image.Gray{}}
	p.pen = picture.Point{X: 0.5, Y: 0.5}
	p.easel = newEasel(p)
	h.Commands.Pending = append(h.Commands.Pending, p.easel)
	p.Easel = p.easel
	p.buildBar()
	return p
}

// subjects are those whose masks can be painted.
func (p *Panel) subjects() []subject {
	s := p.host.State()
	var list []subject
	for _, g := range s.Form.Groups() {
		if l := s.CardLook(g); l.Live() && !l.Off && !l.WordLost {
			list = append(list, subject{g.ID, l.Subject, l.Word, l.Gamma, l.Region})
		}
	}
	return list
}

// own is the subject whose mask is painted; ok is false where there is none.
func (p *Panel) own() (own subject, ok bool) {
	list := p.subjects()
	i := slices.IndexFunc(list, func(s subject) bool { return s.card == p.card })
	if i < 0 {
		return subject{}, false
	}
	return list[i], true
}

// Painting tells whether the brush is in hand.
func (p *Panel) Painting() bool { return p.open }

// Paint takes the brush for the mask of a card's subject; 0 is the chosen one, or the first.
func (p *Panel) Paint(card int) {
	list := p.subjects()
	if len(list) == 0 {
		return
	}
	f := p.host.State().Form
	if card == 0 {
		card = p.host.State().Selected
	}
	if card == 0 && p.open {
		card = p.card
	}
	group, _ := f.Group(card)
	if !slices.ContainsFunc(list, func(s subject) bool { return s.card == group.ID }) {
		group.ID = list[0].card
	}
	p.settle()
	p.take(group.ID)
	if !p.open {
		p.open, p.tool = true, paint
		p.closed = p.host.Layers.Opened(p.Close)
		p.Easel.Show()
		p.Tools.Show()
		p.OnHeight()
	}
	p.host.Refresh()
	p.host.Layers.Canvas().Focus(p.easel) // not through the driver, which knows only of what was painted already
}

// take chooses the subject whose mask is painted.
func (p *Panel) take(card int) {
	p.card, p.mask, p.from, p.pressed, p.turned, p.kind = card, nil, nil, false, false, guidance.OnlyHere
}

// hold takes another tool; a stroke ends before.
func (p *Panel) hold(t tool) {
	p.release()
	p.settle()
	p.tool, p.from = t, nil
	p.host.Refresh()
}

// Close lays the brush down. A stroke that has not ended is not kept.
func (p *Panel) Close() {
	if !p.open {
		return
	}
	p.settle()
	p.open, p.mask, p.from, p.turned = false, nil, nil, false
	p.pressed, p.easel.held = false, 0 // Fyne may tell another widget where the button is let go
	p.closed()
	p.Easel.Hide()
	p.Tools.Hide()
	p.OnHeight()
	if c := p.host.Layers.Canvas(); c.Focused() == p.easel {
		c.Unfocus()
	}
	p.host.Refresh()
}

// Shows is what the brush shows while it is in hand.
func (p *Panel) Shows(s state.State) []any {
	if !p.open {
		return nil
	}
	step, subjects, norm := s.ScoredStep()
	return []any{s.CardLooks(), s.Form.Settings, s.Model, step, subjects, norm}
}

// Refresh makes the brush equal to the state: the mask may have been undone, the subject may be gone.
func (p *Panel) Refresh() {
	if !p.open {
		return
	}
	own, ok := p.own()
	if !ok {
		if list := p.subjects(); len(list) > 0 {
			p.take(list[0].card)
			own = list[0]
		} else {
			p.Close()
			return
		}
	}
	if own.region.Kind != guidance.Anywhere {
		p.kind = own.region.Kind
	}
	size := p.raster()
	back := p.away && p.read(own.region) != nil
	if p.mask == nil || !p.pressed && (back || p.sum != own.region.SHA256 || p.mask.Rect.Size() != size) {
		p.mask, p.sum, p.from, p.turned = p.load(own.region, size), own.region.SHA256, nil, false
		p.away = !own.region.IsZero() && p.read(own.region) == nil
	}
	p.showBar()
}

// size is that of the picture that the form asks for, in pixels.
func (p *Panel) pictureSize() image.Point {
	s := p.host.State()
	c := s.Form.Completed(s.Model)
	if c.Width < 1 || c.Height < 1 {
		return image.Pt(1024, 1024)
	}
	return image.Pt(c.Width, c.Height)
}

// grid is the guidance grid.
func (p *Panel) grid() image.Point {
	cell := 16
	if m := p.host.State().Model; m != nil && m.Latent.Factor*m.Grid > 0 {
		cell = m.Latent.Factor * m.Grid
	}
	return p.pictureSize().Div(cell)
}

// raster is the size in which masks are painted: about 1024 pixels along the longer side, each position of the grid a square of them.
func (p *Panel) raster() image.Point {
	g := p.grid()
	return g.Mul(max(1024/max(g.X, g.Y, 1), 1))
}

// load reads a painted mask; without one, or where it cannot be read, it is empty.
func (p *Panel) load(r inference.Region, size image.Point) *image.Gray {
	mask := p.read(r)
	switch {
	case mask == nil:
		return image.NewGray(image.Rectangle{Max: size})
	case mask.Rect.Size() != size:
		return placed(mask, size, float32(size.X)/float32(mask.Rect.Dx()), float32(size.Y)/float32(mask.Rect.Dy()), 0, 0)
	}
	return mask
}

// read reads a painted mask, nil where there is none or it cannot be read. One whose bytes are not here may have them later.
func (p *Panel) read(r inference.Region) *image.Gray {
	if r.IsZero() || len(r.Data) == 0 {
		return nil
	}
	mask, known := p.cover[r.SHA256]
	if !known {
		mask, _, _, _ = picture.ReadPainted(context.Background(), r.Data)
		if len(p.cover) > 16 {
			clear(p.cover)
		}
		p.cover[r.SHA256] = mask
	}
	return mask
}

// keep gives the form the mask as it is painted now.
func (p *Panel) keep() {
	region := inference.Region{}
	if slices.ContainsFunc(p.mask.Pix, func(v uint8) bool { return v != 0 }) {
		data, err := picture.EncodePainted(p.mask)
		if err != nil {
			return // into memory it does not fail
		}
		region = inference.Region{Kind: p.kind, Painted: inference.Painted{SHA256: files.Sum(data), Data: data}}
	}
	p.sum, p.away = region.SHA256, false
	p.host.Change(func(s *state.State) {
		s.Form = s.Form.WithRegion(p.card, region)
	})
}

// show paints the mask on the screen as it is now.
func (p *Panel) show(mask *image.Gray) {
	p.mask = mask
	p.Ground.Repaint()
}

// pixels is a place of the picture on the mask.
func (p *Panel) pixels(at picture.Point) picture.Point {
	return picture.Point{X: at.X * float32(p.mask.Rect.Dx()), Y: at.Y * float32(p.mask.Rect.Dy())}
}

// press begins a stroke, or takes the mask to move it.
func (p *Panel) press(at picture.Point, erasing bool) {
	if !p.open || p.mask == nil || p.away {
		return
	}
	p.settle()
	p.pressed, p.pen, p.grip, p.erasing = true, at, at, erasing || p.tool == erase
	if p.tool == move {
		p.from, p.scale = p.mask, 1
		return
	}
	p.show(picture.Stroke(p.mask, p.pixels(at), p.pixels(at), p.brush()))
}

// brush is the brush that is in hand.
func (p *Panel) brush() picture.Brush {
	return picture.Brush{Size: p.size, Softness: p.softness, Erase: p.erasing}
}

// drag goes on with a stroke.
func (p *Panel) drag(at picture.Point) {
	if !p.pressed {
		return
	}
	if p.tool == move {
		a, b := p.pixels(p.grip), p.pixels(at)
		p.show(placed(p.from, p.from.Rect.Size(), 1, 1, whole(b.X-a.X), whole(b.Y-a.Y)))
	} else {
		p.show(picture.Stroke(p.mask, p.pixels(p.pen), p.pixels(at), p.brush()))
	}
	p.pen = at
}

// whole is a number of pixels without a rest, so that what is moved stays as sharp as it is.
func whole(v float32) float32 { return float32(int(v + 0.5*sign(v))) }

func sign(v float32) float32 {
	if v < 0 {
		return -1
	}
	return 1
}

// release ends a stroke: the form has it now.
func (p *Panel) release() {
	if !p.pressed {
		return
	}
	p.pressed, p.from = false, nil
	p.keep()
}

// wheelRest is how long the wheel rests after a turn: one turn is many events, and one change of the form.
const wheelRest = 300 * time.Millisecond

// enlarge makes the mask larger or smaller around a place. The form has it when the wheel has come to rest.
func (p *Panel) enlarge(factor float32, at picture.Point) {
	if p.mask == nil || p.pressed || p.away {
		return
	}
	if p.from == nil || p.grip != at {
		p.from, p.grip, p.scale = p.mask, at, 1
	}
	p.scale *= factor
	from, scale, m := p.from, p.scale, p.pixels(at)
	p.show(placed(from, from.Rect.Size(), scale, scale, m.X*(1-scale), m.Y*(1-scale)))
	if p.turned = true; p.rest != nil {
		p.rest.Stop()
	}
	p.rest = time.AfterFunc(wheelRest, func() { p.host.Post(p.settle) })
}

// settle gives the form what the wheel has made of the mask. Whatever else is done with the mask or the form does it first.
func (p *Panel) settle() {
	if _, ok := p.own(); ok && p.turned {
		p.turned = false
		p.keep()
	}
}

// alter keeps another mask in place of the one in hand.
func (p *Panel) alter(change func(*image.Gray) *image.Gray) {
	if p.open && p.mask != nil && !p.pressed {
		p.settle()
		p.mask, p.from = change(p.mask), nil
		p.keep()
	}
}

// reshape keeps what becomes of the mask in hand, where that can be read.
func (p *Panel) reshape(change func(*image.Gray) *image.Gray) {
	if !p.away {
		p.alter(change)
	}
}

func (p *Panel) clear() {
	p.alter(func(m *image.Gray) *image.Gray { return image.NewGray(m.Rect) })
}

// Remove takes the painted mask of a card's subject away.
func (p *Panel) Remove(card int) {
	p.host.Change(func(s *state.State) {
		s.Form = s.Form.WithRegion(card, inference.Region{})
	})
}

// mean gives the painted mask another meaning.
func (p *Panel) mean(kind guidance.Kind) {
	p.settle()
	p.kind = kind
	own, _ := p.own()
	if own.region.IsZero() {
		p.host.Refresh()
		return
	}
	own.region.Kind = kind
	p.host.Change(func(s *state.State) {
		s.Form = s.Form.WithRegion(p.card, own.region)
	})
}

// resize makes the brush larger or smaller, as a share of the picture.
func (p *Panel) resize(size float32) {
	p.size = min(max(size, leastSize), mostSize)
	p.showBrush()
}

// soften makes the brush's edge softer (0 to 1).
func (p *Panel) soften(softness float32) {
	p.softness = min(max(softness, 0), 1)
	p.showBrush()
}

const leastSize, mostSize = 0.01, 0.6

// mineOf is the mask of a card's subject at the step in view; false where there is none, or the subject is none that can be painted.
func (p *Panel) mineOf(card int) (picture.Grid, bool) {
	s := p.host.State()
	step := s.MaskStep()
	group, _ := s.Form.Group(card)
	list := p.subjects()
	i := slices.IndexFunc(list, func(one subject) bool { return one.card == group.ID })
	if step == nil || i < 0 {
		return picture.Grid{}, false
	}
	_, subjects, _ := s.ScoredStep()
	for j, of := range subjects {
		if j < len(step.Subjects) && state.SameWord(of.Word, list[i].word) {
			g := picture.Grid{Width: step.GridWidth, Height: step.GridHeight, Values: step.Subjects[j].Mask}
			return g, len(g.Values) > 0 && len(g.Values) == g.Width*g.Height
		}
	}
	return picture.Grid{}, false
}

// chosen is the card that actions without the brush are about: the chosen one, or that of the first subject.
func (p *Panel) chosen() int {
	if p.open {
		return p.card
	}
	if card := p.host.State().Selected; card != 0 {
		return card
	}
	if list := p.subjects(); len(list) > 0 {
		return list[0].card
	}
	return 0
}

// adopt makes the mask that a card's subject has at the step in view its painted one.
func (p *Panel) adopt(card int) {
	if grid, ok := p.mineOf(card); ok {
		p.Mine(card, grid)
	}
}

// Mine makes a mask the painted one of a card's subject, exactly, and takes the brush for it. Where that subject cannot be painted, it
// does nothing.
func (p *Panel) Mine(card int, grid picture.Grid) {
	group, _ := p.host.State().Form.Group(card)
	if !slices.ContainsFunc(p.subjects(), func(one subject) bool { return one.card == group.ID }) {
		return
	}
	p.Paint(card)
	p.kind = guidance.Exactly
	p.alter(func(m *image.Gray) *image.Gray {
		return enlarged(grid, max(1024/max(grid.Width, grid.Height), 1))
	})
}

// Veil is the mask in hand, in the style and with the meaning that it has, and the masks that the kept scores would make with it. Nothing
// of it is written again. The mask is nil where none is painted now.
func (p *Panel) Veil() (mask *image.Gray, style int, kind guidance.Kind, masks []picture.Layer) {
	own, ok := p.own()
	if !p.open || p.mask == nil || !ok {
		return nil, 0, guidance.Anywhere, nil
	}
	p.weigh()
	return p.mask, own.style, p.kind, p.seen.layers
}

// weigh works out what Top-K would take of the kept scores with the masks as they are painted.
func (p *Panel) weigh() {
	s := p.host.State()
	step, subjects, norm := s.ScoredStep()
	list := p.subjects()
	key := fmt.Sprintf("%p %v %v", p.mask, p.kind, norm)
	for _, o := range list {
		key += fmt.Sprint(o.card, o.scope, o.region.Kind, o.region.SHA256, len(o.region.Data) > 0, o.style)
	}
	if step != nil {
		key += fmt.Sprintf(" %p", &step.Subjects[0].Scores[0])
	}
	if key == p.seen.key {
		return
	}
	p.seen = seen{key: key}
	if step == nil {
		p.seen.layers = p.others(list)
		return
	}
	rule, err := inference.Rule(subjects, step.GridWidth, step.GridHeight)
	for j := 0; j < len(rule) && err == nil; j++ {
		i := slices.IndexFunc(list, func(o subject) bool { return state.SameWord(o.word, subjects[j].Word) })
		if i < 0 {
			continue
		}
		rule[j] = guidance.Subject{Word: subjects[j].Word.Text, Scope: list[i].scope}
		mask, kind := p.read(list[i].region), list[i].region.Kind
		if list[i].card == p.card {
			mask, kind = p.mask, p.kind
			if (p.sum == "" || p.away) && area(mask) == 0 {
				mask = nil
			}
		}
		if mask != nil {
			rule[j].Kind, rule[j].Region = kind, picture.Cover(mask, step.GridWidth, step.GridHeight)
		}
	}
	if err != nil {
		p.seen.err = err
		return
	}
	masks, err := guidance.Masks(state.ScoresOf(step), rule, norm)
	if p.seen.err = err; err != nil {
		return
	}
	dress := s.Dress()
	for j, m := range masks {
		p.seen.layers = append(p.seen.layers, picture.Layer{
			Grid:  picture.Grid{Width: step.GridWidth, Height: step.GridHeight, Values: m},
			Style: picture.SubjectStyle(dress.Of(j)),
		})
	}
}

// others are the painted masks of the other subjects, to be seen where there are no scores yet.
func (p *Panel) others(list []subject) (layers []picture.Layer) {
	grid := p.grid()
	for _, o := range list {
		if o.card == p.card || o.region.Kind == guidance.NotHere {
			continue
		}
		if mask := p.read(o.region); mask != nil {
			layers = append(layers, picture.Layer{
				Grid:  picture.Grid{Width: grid.X, Height: grid.Y, Values: picture.Cover(mask, grid.X, grid.Y)},
				Style: picture.SubjectStyle(o.style),
			})
		}
	}
	return layers
}

// Actions are what is done with the brush.
func (p *Panel) Actions() []command.Action {
	painting := func() bool { return p.open }
	return []command.Action{
		command.Separator(command.MenuEdit),
		{
			ID: "mask.paint", Menu: command.MenuEdit, Label: i18n.T("Paint a mask"), Key: "B", Do: func() {
				p.hold(paint)
				p.Paint(0)
			},
			Can: func() bool { return len(p.subjects()) > 0 }, On: painting,
		},
		{
			ID: "mask.mine", Menu: command.MenuEdit, Label: i18n.T("Make this mask mine"), Key: "Shift+B", Do: func() { p.adopt(p.chosen()) },
			Can: func() bool { _, ok := p.mineOf(p.chosen()); return ok },
		},
		{
			ID: "mask.remove", Menu: command.MenuEdit, Label: i18n.T("Remove the painted mask"), Do: func() { p.Remove(p.chosen()) },
			Can: func() bool {
				f := p.host.State().Form
				i := f.Card(p.chosen())
				return i >= 0 && !f.Cards[i].Region.IsZero()
			},
		},
		{ID: "mask.erase", Label: i18n.T("Eraser"), Key: "E", Do: func() { p.hold(erase) }, Can: painting},
		{ID: "mask.move", Label: i18n.T("Move the mask"), Key: "V", Do: func() { p.hold(move) }, Can: painting},
		{ID: "mask.smaller", Label: i18n.T("Smaller brush"), Key: "[", Do: func() { p.resize(p.size / 1.25) }, Can: painting},
		{ID: "mask.larger", Label: i18n.T("Larger brush"), Key: "]", Do: func() { p.resize(p.size * 1.25) }, Can: painting},
		{ID: "mask.harder", Label: i18n.T("Harder brush"), Key: "Shift+[", Do: func() { p.soften(p.softness - 0.1) }, Can: painting},
		{ID: "mask.softer", Label: i18n.T("Softer brush"), Key: "Shift+]", Do: func() { p.soften(p.softness + 0.1) }, Can: painting},
		// [ and ] are on no key of half the keyboards, and have no Shift where AltGr writes them.
		{ID: "mask.smaller.other", Label: i18n.T("Smaller brush"), Key: "Alt+Left", Do: func() { p.resize(p.size / 1.25) }, Can: painting},
		{ID: "mask.larger.other", Label: i18n.T("Larger brush"), Key: "Alt+Right", Do: func() { p.resize(p.size * 1.25) }, Can: painting},
		{ID: "mask.harder.other", Label: i18n.T("Harder brush"), Key: "Alt+Shift+Left", Do: func() { p.soften(p.softness - 0.1) }, Can: painting},
		{ID: "mask.softer.other", Label: i18n.T("Softer brush"), Key: "Alt+Shift+Right", Do: func() { p.soften(p.softness + 0.1) }, Can: painting},
		{ID: "mask.invert", Label: i18n.T("Invert the mask"), Key: "I", Do: func() { p.reshape(inverted) }, Can: painting},
		{ID: "mask.mirror", Label: i18n.T("Mirror the mask"), Key: "Shift+I", Do: func() { p.reshape(mirrored) }, Can: painting},
	}
}

// bar is the row of tools under the picture.
type bar struct {
	subjects *fyne.Container
	marks    []*kit.Legend
	list     []subject // that it shows
	tools    [3]*kit.Pill
	kinds    []*kit.Pill
	size     *kit.Slider
	soft     *kit.Slider
	mine     *kit.Tile
	note     *kit.Line
}

func (p *Panel) buildBar() {
	b := &p.bar
	b.subjects = kit.NewRow(4)
	tools := kit.NewRow(4)
	for t, label := range [...]string{paint: i18n.T("Brush"), erase: i18n.T("Eraser"), move: i18n.T("Move")} {
		id := [...]string{paint: "mask.paint", erase: "mask.erase", move: "mask.move"}[t]
		b.tools[t] = kit.NewPill(label, func() { p.hold(tool(t)) })
		about := [...]string{
			paint: i18n.T("Paint where it applies; the right button erases"), erase: i18n.T("Take away what is painted"),
			move: i18n.T("Drag the mask; the wheel makes it larger or smaller"),
		}[t]
		b.tools[t].Explain(func() string { return withKey(about, p.host.Commands.KeyOf(id)) })
		tools.Add(b.tools[t].Tile)
	}
	kinds := kit.NewRow(4)
	for _, k := range guidance.Kinds() {
		pill := kit.NewPill(wording.MeaningOf(k).Name, func() { p.mean(k) })
		pill.Explain(func() string { return wording.MeaningOf(k).About })
		b.kinds = append(b.kinds, pill)
		kinds.Add(pill.Tile)
	}
	slider := func(label, about string, least, most float64, changed func(float64)) (*kit.Slider, fyne.CanvasObject) {
		s := kit.NewSlider(least, most)
		s.Explain(func() string { return about })
		s.Step, s.OnChanged = 0.001, changed
		return s, kit.NewRow(2, kit.Caption(label), kit.ShortTrack(s, fyne.NewSize(84, 0)))
	}
	var size, soft fyne.CanvasObject
	b.size, size = slider(i18n.T("Size"), i18n.T("How large the brush is."), leastSize, mostSize, func(v float64) { p.resize(float32(v)) })
	b.soft, soft = slider(i18n.T("Softness"), i18n.T("How gently the edge of the brush fades out."), 0, 1,
		func(v float64) { p.soften(float32(v)) })
	act := func(text, about string, do func()) *kit.Tile {
		return kit.NewPill(text, do).Explain(func() string { return about })
	}
	b.mine = act(i18n.T("Make this mask mine"), i18n.T("Begins with the mask of the step in view."), func() { p.adopt(p.card) })
	b.note = kit.Caption("")
	p.Tools = kit.NewColumn(2,
		container.New(&kit.Flow{Gap: 8}, b.subjects, tools, size, soft, kit.SmallButton(i18n.T("Done painting"), theme.ConfirmIcon(), p.Close)),
		container.New(&kit.Flow{Gap: 8}, kinds,
			act(i18n.T("Mirror"), i18n.T("Mirrors the mask, left to right."), func() { p.reshape(mirrored) }),
			act(i18n.T("Invert"), i18n.T("Swaps painted and unpainted places."), func() { p.reshape(inverted) }),
			act(i18n.T("Clear"), i18n.T("Erases everything you have painted."), p.clear), b.mine),
		container.New(kit.Inset{X: 4, Y: 2}, b.note))
	p.Tools.Hide()
}

func withKey(text, key string) string {
	if key == "" {
		return text
	}
	return text + "   " + key
}

// showBar makes the tools equal to what is in hand.
func (p *Panel) showBar() {
	b := &p.bar
	list := p.subjects()
	if !slices.EqualFunc(list, b.list, func(a, b subject) bool { return a.card == b.card && a.style == b.style && a.word == b.word }) {
		b.marks, b.subjects.Objects = nil, nil
		for _, s := range list {
			l := kit.NewLegend(s.style, s.word.Text, state.Shorten(s.word.Text, 14), func() { p.Paint(s.card) })
			b.marks = append(b.marks, l)
			b.subjects.Add(l.Tile)
		}
		b.subjects.Refresh()
	}
	b.list = list
	for i, l := range b.marks {
		l.Light(list[i].card == p.card)
		l.Tile.Choose(list[i].card == p.card)
	}
	for t, pill := range b.tools {
		pill.Choose(tool(t) == p.tool)
	}
	for i, k := range guidance.Kinds() {
		b.kinds[i].Choose(k == p.kind)
	}
	_, ok := p.mineOf(p.card)
	b.mine.Hidden = !ok
	p.weigh()
	note := wording.MeaningOf(p.kind).About
	if covers := area(p.mask); p.away {
		note = i18n.T("This mask cannot be read: its file is away or damaged. It stays as it is; to paint another one, clear it first.")
	} else if p.seen.err != nil && covers > 0 {
		note = wording.Sentence(p.seen.err)
	} else if covers > 0 {
		note = i18n.T("painted: %.0f %% of the picture", 100*covers) + " · " + note
	}
	b.note.Set(note)
	p.showBrush()
}

// showBrush shows how the brush is.
func (p *Panel) showBrush() {
	for s, v := range map[*kit.Slider]float32{p.bar.size: p.size, p.bar.soft: p.softness} {
		if s.Value != float64(v) {
			s.Value = float64(v)
			s.Refresh()
		}
	}
	if p.open && p.easel.Visible() && p.Ground != nil {
		p.easel.follow(p.pen)
	}
}
