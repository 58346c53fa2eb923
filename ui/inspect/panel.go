package inspect

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference"
	"realword/inference/files"
	"realword/inference/picture"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// Host is what the inspection needs of the house.
type Host struct {
	State      func() state.State
	Change     func(func(*state.State))        // makes the state another one, and renders the rooms that show what has changed
	Refresh    func()                          // renders everything
	Post       func(func())                    // does something on Fyne's goroutine; called on any
	Background func(slow func() (show func())) // does slow elsewhere, then show on Fyne's goroutine
	Layers     *kit.Layers
	Commands   *command.Commands

	Lens func() (mode picture.Mode, opacity float64) // how masks lie over the picture
	Onto Painter
	// SaveFile asks where to save the named PNG file and writes there what data makes; "" is nowhere. Slow. Nil: maps cannot be saved.
	SaveFile func(name string, data func() ([]byte, error)) (path string, err error)
}

// saved is what became of the map that was saved last: err, or that it is at path and was the one of a step and a γ.
type saved struct {
	err   error
	path  string
	step  int
	scope float64
}

// Painter paints masks over a picture that it enlarges to size. It is called on any goroutine.
type Painter func(base image.Image, size image.Point, masks []picture.Layer, mode picture.Mode, opacity float64) *image.RGBA

// Panel is the mask inspection: the maps of one subject, kind by kind and step by step, one of them enlarged, its numbers, and γ to
// try. It is hidden until Show.
type Panel struct {
	OnOpen  func(open bool)                       // it takes the place of the picture, or gives it back
	OnAgain func(change func(*inference.Request)) // the picture is to be made again by its recipe with that change
	OnMine  func(card int, mask picture.Grid)     // a mask is to be the painted one of a card's subject

	Body *fyne.Container // on the screen

	host   Host
	open   bool
	closed func() // takes back the note for Esc
	in     inspection
	kind   mapKind
	over   bool
	seen   inspected // the maps that are shown
	saved  saved

	painter kit.Newest[scene]
	asked   sceneKey

	subjects *fyne.Container
	marks    []*kit.Legend
	words    []string
	dress    state.Dress
	matrix   *mapMatrix
	large    *canvas.Image
	frame    *kit.Plate
	title    *kit.Line
	about    *widget.Label
	numbers  *widget.Label
	gamma    *kit.Dial
	note     *widget.Label
	rerun    *kit.Button
	reset    *kit.Button
	probe    *kit.Button
	mine     *kit.Button
	flat     *kit.Pill
	onto     *kit.Pill
	save     []*kit.Button
}

// New makes an inspection that is not open.
func New(h Host) *Panel {
	p := &Panel{host: h, kind: finalMask}
	p.painter.Do = func(s scene) {
		out := s.paint()
		h.Post(func() { p.show(out) })
	}
	small := func() *widget.Label {
		l := widget.NewLabel("")
		l.Wrapping, l.SizeName = fyne.TextWrapWord, theme.SizeNameCaptionText
		return l
	}
	p.subjects = kit.NewRow(4)
	head := container.NewBorder(nil, nil, kit.NewRow(10, kit.Heading(i18n.T("Mask inspection")), p.subjects),
		container.New(kit.Fixed{Width: 28, Height: 28}, kit.SmallButton(i18n.T("Back to the picture"), theme.CancelIcon(), p.hide)))
	p.matrix = newMapMatrix(p.choose, h.Commands.Typed, p.repaint)
	p.frame = kit.NewPlate(kit.ColorWell, "", 8)
	p.large = canvas.NewImageFromImage(image.NewRGBA(image.Rect(0, 0, 1, 1)))
	p.large.ScaleMode, p.large.FillMode, p.large.CornerRadius = canvas.ImageScaleFastest, canvas.ImageFillStretch, 4
	p.large.Hide()

	p.title = kit.Heading("")
	p.about, p.numbers, p.note = small(), small(), small()
	p.about.Importance, p.note.Importance = widget.LowImportance, widget.LowImportance
	p.gamma = kit.NewDial(i18n.T("Try another γ"), 0.05, state.ReachMax, 0.01, func(v float64) string { return i18n.Number("%.2f", v) },
		func(v float64) {
			p.in.scope = v
			p.refresh()
		}, container.New(kit.Band{Low: 0.05, High: state.ReachMax, From: kit.SafeLow, To: kit.SafeHigh}, kit.NewPlate(kit.ColorSafe, "", 5))).
		Explain(i18n.T("How much of the picture the subject may cover. The masks here follow at once; the picture stays until you generate.") + " " + i18n.T("Above: the same mask at 10, 20 and 40 %%.")).
		Picture(kit.AreaSketch)
	p.rerun = kit.NewButton(i18n.T("Generate with this"), p.again).Explain(i18n.T("Makes the picture again with this area."))
	p.reset = kit.NewButton(i18n.T("Reset"), func() { p.in.scope = 0; p.refresh() }).
		Explain(i18n.T("Back to the area that the picture was made with."))
	p.flat = kit.NewPill(i18n.T("Map"), func() { p.over = false; p.refresh() })
	p.flat.Explain(func() string { return i18n.T("The map alone, in grey.") })
	p.onto = kit.NewPill(i18n.T("Over the picture"), func() { p.over = true; p.refresh() })
	p.onto.Explain(func() string { return i18n.T("The map lies over the picture of that step.") })
	p.probe = kit.LowButton(i18n.T("Run again without T_stop"), theme.MediaFastForwardIcon(), p.probeRun).
		Explain(i18n.T("Makes the picture again with masks that follow the words to the end, which shows where they settle."))
	p.mine = kit.LowButton(i18n.T("Make this mask mine"), theme.DocumentCreateIcon(), func() {
		card, e := p.card(), p.in.at(p.step())
		if p.hide(); e.err != nil {
			return
		}
		p.OnMine(card, picture.Grid{Width: e.width, Height: e.height, Values: e.grids[finalMask]})
	}).Explain(i18n.T("Takes this mask as one that you painted, to be changed with the brush."))
	for _, bits := range []int{8, 16} {
		text, about := i18n.T("Save as grey picture (8 bit)…"), i18n.T("Saves the enlarged map as a picture to look at.")
		if bits == 16 {
			text, about = i18n.T("Save raw values (16 bit)…"), i18n.T("Saves the enlarged map with all its values, for other programs.")
		}
		p.save = append(p.save, kit.LowButton(text, theme.DocumentSaveIcon(), func() { p.export(bits) }).Explain(about))
	}
	side := kit.NewColumn(0, container.New(kit.Inset{X: 8, Y: 0}, p.title), p.numbers, container.New(kit.Inset{X: 4, Y: 0}, p.gamma.Container),
		container.New(kit.Inset{X: 4, Y: 2}, container.New(&kit.Flow{Gap: 4}, p.reset, p.rerun)), kit.Quiet(p.note),
		container.New(kit.Inset{X: 6, Y: 4}, kit.NewRow(4, p.flat.Tile, p.onto.Tile)), kit.Quiet(p.about), p.mine, p.probe)
	if h.SaveFile != nil {
		for _, b := range p.save {
			side.Add(b)
		}
	}
	lower := container.New(besides{}, container.New(boxed{p}, p.frame, p.large), kit.NewPage(side))
	p.Body = container.NewBorder(kit.NewColumn(8, head, p.matrix, kit.NewColumn(0)), nil, nil, nil, lower)
	p.Body.Hide()
	return p
}

// besides is a square as large as the height allows, up to 55 % of the width, and the rest beside it.
type besides struct{}

func (besides) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	side := min(size.Height, size.Width*0.55)
	objects[0].Move(fyne.Position{})
	objects[0].Resize(fyne.NewSquareSize(side))
	objects[1].Move(fyne.NewPos(side+8, 0))
	objects[1].Resize(fyne.NewSize(size.Width-side-8, size.Height))
}

func (besides) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(300, 160) }

// boxed keeps the enlarged map within its frame, in the shape of the grid.
type boxed struct{ p *Panel }

func (b boxed) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Resize(size)
	objects[0].Move(fyne.Position{})
	at, box := b.p.box(size)
	objects[1].Resize(box)
	objects[1].Move(at)
	b.p.repaint()
}

func (boxed) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(160, 160) }

func (p *Panel) box(room fyne.Size) (fyne.Position, fyne.Size) {
	const margin = 8
	inner := room.SubtractWidthHeight(2*margin, 2*margin)
	w, h := p.shape()
	width := max(min(inner.Width, inner.Height*w/h), 1)
	size := fyne.NewSize(width, width*h/w)
	return fyne.NewPos((room.Width-size.Width)/2, (room.Height-size.Height)/2), size
}

// shape is that of the guidance grid.
func (p *Panel) shape() (w, h float32) {
	if len(p.in.steps) == 0 {
		return 1, 1
	}
	return float32(max(p.in.steps[0].GridWidth, 1)), float32(max(p.in.steps[0].GridHeight, 1))
}

// Working tells whether maps are being painted still.
func (p *Panel) Working() bool { return p.painter.Working() }

// Actions is the one with which it is opened and closed.
func (p *Panel) Actions() []command.Action {
	return []command.Action{{
		ID: "view.inspect", Menu: command.MenuView, Label: i18n.T("Inspect masks"),
		About: i18n.T("Every stage of the masks at every step, and another area tried at once."), Key: "K",
		Do: func() { p.Show(-1) }, Can: func() bool { _, ok := p.inView(0); return ok }, On: func() bool { return p.open },
	}}
}

// inView begins an inspection of what is in view.
func (p *Panel) inView(subject int) (inspection, bool) {
	s := p.host.State()
	film, _ := s.Film()
	run := s.Run()
	subjects, norm := run.Subjects, run.Norm
	if shot := s.Shot(); shot != nil {
		subjects, norm = shot.Recipe.Subjects, shot.Recipe.Normalization()
	}
	in, ok := begin(film, subjects, norm, subject)
	in.dress = s.Dress()
	return in, ok
}

// Show opens the inspection with a subject, -1 for the one that was looked at last, or closes it.
func (p *Panel) Show(subject int) {
	if p.open && subject < 0 {
		p.hide()
		return
	}
	if subject < 0 {
		subject = p.in.subject
	}
	in, ok := p.inView(subject)
	if !ok {
		return
	}
	p.in, p.saved = in, saved{}
	if !p.open {
		p.open = true
		p.closed = p.host.Layers.Opened(p.hide)
		p.OnOpen(true)
		p.Body.Show()
	}
	p.host.Refresh()
	p.host.Layers.Canvas().Focus(p.matrix)
}

func (p *Panel) hide() {
	if !p.open {
		return
	}
	p.open = false
	p.closed()
	p.Body.Hide()
	p.OnOpen(false)
	p.host.Layers.Canvas().Unfocus()
	p.host.Refresh()
}

// Shows is what the inspection shows while it is open.
func (p *Panel) Shows(s state.State) []any {
	if !p.open {
		return nil
	}
	film, _ := s.Film()
	return []any{p.kind, film, s.Run().Subjects, s.Run().Norm, s.Shot(), s.View, s.Dress(), s.CardLooks(), s.Reasons()}
}

// Refresh keeps the inspection on what is in view: a run goes on, or another picture is chosen.
func (p *Panel) Refresh() {
	if !p.open {
		return
	}
	in, ok := p.inView(p.in.subject)
	if !ok {
		p.hide()
		return
	}
	in.scope = p.in.scope
	p.in = in
	p.refresh()
}

// step is the column that is enlarged: the step in view, or the last one before it that has maps.
func (p *Panel) step() int {
	s := p.host.State()
	shown := s.Shown()
	if shown == nil {
		return len(p.in.steps) - 1
	}
	after := slices.IndexFunc(p.in.steps, func(step inference.StepDone) bool { return step.Step > shown.Step })
	if after < 0 {
		after = len(p.in.steps)
	}
	return max(after-1, 0)
}

// choose enlarges a cell.
func (p *Panel) choose(step int, kind mapKind) {
	p.kind = min(max(kind, rawMap), mapKinds-1)
	chosen := p.in.steps[min(max(step, 0), len(p.in.steps)-1)].Step
	p.host.Change(func(s *state.State) {
		film, _ := s.Film() // which has steps without maps as well
		s.View.Step = slices.IndexFunc(film, func(step inference.StepDone) bool { return step.Step == chosen })
	})
}

// refresh makes the panel equal to what is inspected.
func (p *Panel) refresh() {
	if !p.open || len(p.in.steps) == 0 {
		return
	}
	words := make([]string, len(p.in.subjects))
	for i, s := range p.in.subjects {
		words[i] = s.Word
	}
	if !slices.Equal(words, p.words) || p.dress != p.in.dress {
		p.dress, p.words, p.marks, p.subjects.Objects = p.in.dress, words, nil, nil
		for i, word := range words {
			l := kit.NewLegend(p.in.dress.Of(i), word, state.Shorten(word, 20), func() { p.in.subject, p.in.scope = i, 0; p.refresh() })
			p.marks = append(p.marks, l)
			p.subjects.Add(l.Tile)
		}
		p.subjects.Refresh()
	}
	for i, l := range p.marks {
		l.Light(i == p.in.subject)
		l.Tile.Choose(i == p.in.subject)
	}
	step := p.step()
	p.title.Set(i18n.T("%s · step %d of %d", p.kind.name(), p.in.steps[step].Step+1, p.in.steps[step].Steps))
	numbers := make([]int, len(p.in.steps))
	for i := range numbers {
		numbers[i] = p.in.steps[i].Step + 1
	}
	p.matrix.show(matrixLook{steps: len(p.in.steps), step: step, kind: p.kind}, numbers, p.title.Text)
	p.about.SetText(p.kind.about())
	p.flat.Choose(!p.over)
	p.onto.Choose(p.over)
	p.gamma.Set(p.scope())
	if p.in.trying() {
		p.reset.Enable()
	} else {
		p.reset.Disable()
	}
	why := p.cannotRerun()
	p.note.SetText(p.remark(step, why))
	if why == nil && p.in.trying() {
		p.rerun.Importance = widget.HighImportance
		p.rerun.Enable()
	} else {
		p.rerun.Importance = widget.MediumImportance
		p.rerun.Disable()
	}
	p.rerun.Refresh()
	kit.Enable(p.mine, p.card() != 0)
	// After T_stop there are no masks to look at; a run without it makes them.
	s := p.host.State()
	_, stop := s.Film()
	p.probe.Hidden = why != nil || stop >= p.in.steps[0].Steps
	p.repaint()
}

// scope is γ as it is shown.
func (p *Panel) scope() float64 {
	if p.in.scope > 0 {
		return p.in.scope
	}
	return p.in.ran()
}

// remark says what the what-if is worth, or what is wrong.
func (p *Panel) remark(step int, why error) string {
	switch {
	case p.saved.err != nil:
		return wording.Sentence(p.saved.err)
	case p.saved.path != "" && p.saved.step == step && p.saved.scope == p.scope():
		return i18n.T("Saved as %s", wording.Path(p.saved.path))
	case p.seen.err != nil && p.in.trying():
		return wording.Sentence(p.seen.err)
	case !p.in.trying():
		return i18n.T("This picture was made with γ %.2f. Another γ changes the masks here at once; the picture stays.", p.in.ran())
	case why != nil:
		return i18n.T("Masks only: the picture is not made again.") + " " + wording.Sentence(why)
	case step == 0:
		return i18n.T("Masks only: the picture is not made again. At the first step, this is exactly what a new picture would get.")
	}
	return i18n.T("Masks only: the picture is not made again. Take this as a tendency: earlier masks shape later attention.")
}

// cannotRerun says why the picture cannot be made again with another γ.
func (p *Panel) cannotRerun() error {
	s := p.host.State()
	switch shot := s.Shot(); {
	case shot == nil:
		return errors.New(i18n.T("it is still being made"))
	case s.Model == nil:
		return errors.New(i18n.T("The model is still opening."))
	case shot.Model != "" && !s.Model.Named(shot.Model):
		return state.Unmade(shot.Model)
	}
	return nil
}

// card is the card on the left of the subject that is looked at, 0 for none.
func (p *Panel) card() int {
	s := p.host.State()
	subjects := s.Run().Subjects
	if shot := s.Shot(); shot != nil {
		subjects = shot.Recipe.Subjects
	}
	if p.in.subject >= len(subjects) {
		return 0
	}
	for _, c := range s.Form.Cards {
		if c.Live() && !c.Off && state.SameWord(c.Word, subjects[p.in.subject].Word) {
			return c.ID
		}
	}
	return 0
}

// again makes the picture once more with γ as it was tried, which its card has from then on.
func (p *Panel) again() {
	if p.cannotRerun() != nil {
		return
	}
	card, subject, scope := p.card(), p.in.subject, p.scope()
	p.hide()
	if card != 0 {
		p.host.Change(func(s *state.State) { s.Form = s.Form.WithScope(card, scope) })
	}
	p.OnAgain(func(r *inference.Request) { r.Subjects[subject].Scope = scope })
}

// probeRun makes the picture again without early stop, so that the curve of mask changes can be seen to its end.
func (p *Panel) probeRun() {
	if p.cannotRerun() != nil {
		return
	}
	p.hide()
	p.OnAgain(func(r *inference.Request) { r.Stop = r.Steps })
}

// Repaint paints the maps anew: the window is on another screen.
func (p *Panel) Repaint() { p.repaint() }

// repaint paints the maps anew, off this goroutine.
func (p *Panel) repaint() {
	if p.matrix == nil || !p.open || len(p.in.steps) == 0 {
		return
	}
	scale := kit.Density(p.matrix)
	px := func(v float32) int { return int(v*scale + 0.5) }
	col := func(n fyne.ThemeColorName) color.NRGBA { return kit.NRGBA(theme.ColorForWidget(n, p.matrix)) }
	w, h := p.shape()
	cell := p.matrix.cell(w / h)
	_, large := p.box(p.frame.Size())
	mode, opacity := p.host.Lens()
	s := scene{
		in: p.in, step: p.step(), kind: p.kind, over: p.over, mode: mode, opacity: max(opacity, 0.5), onto: p.host.Onto,
		cell: image.Pt(px(cell.Width), px(cell.Height)), gap: px(matrixGap), large: image.Pt(px(large.Width), px(large.Height)),
		ink: ink{
			empty: col(kit.ColorWell), top: col(theme.ColorNameForeground), gained: col(theme.ColorNameSuccess),
			lost: col(theme.ColorNameError),
		},
	}
	if key := s.key(); key != p.asked {
		p.asked = key
		p.painter.Set(s)
	}
}

// show puts painted maps on the panel.
func (p *Panel) show(out inspected) {
	if !p.open || out.matrix == nil {
		return
	}
	p.seen = out
	p.matrix.set(out.matrix)
	if p.large.Hidden = out.large == nil; out.large != nil {
		at, box := p.box(p.frame.Size())
		p.large.Image = out.large
		p.large.Move(at)
		p.large.Resize(box)
		p.large.Refresh()
	}
	p.numbers.SetText(out.reading.text(p.kind, len(p.in.subjects)))
	p.note.SetText(p.remark(p.step(), p.cannotRerun()))
}

// text is the numbers as they stand beside the map.
func (r reading) text(kind mapKind, subjects int) string {
	text := i18n.T("highest at %.0f %% from the left, %.0f %% from the top", 100*r.x, 100*r.y)
	if kind >= topMask {
		text = i18n.T("area %.1f %%", 100*r.area) + "\n" + text
	}
	if r.change >= 0 {
		text += "\n" + i18n.T("%.0f %% changed since the step before", 100*r.change)
	}
	if subjects > 1 {
		text += "\n" + i18n.T("%.0f %% also wanted by another subject", 100*r.wanted)
	}
	return text
}

// export saves the enlarged map as a PNG file.
func (p *Panel) export(bits int) {
	if p.host.SaveFile == nil || len(p.in.steps) == 0 {
		return
	}
	s := p.host.State()
	in, step, kind, size, scope := p.in, p.step(), p.kind, s.PictureSize(), p.scope()
	name := fmt.Sprintf("%s-%s-step-%02d-%dbit.png", files.Words(in.subjects[in.subject].Word, 40), [...]string{"raw", "refined", "top-k", "mask"}[kind],
		in.steps[step].Step+1, bits)
	p.host.Background(func() func() {
		e := in.at(step)
		data, err := picture.Grid{Width: e.width, Height: e.height, Values: e.grids[kind]}.EncodeGrey(bits, size)
		path := ""
		if err = errors.Join(e.err, err); err == nil {
			path, err = p.host.SaveFile(name, func() ([]byte, error) { return data, nil })
		}
		return func() {
			p.saved = saved{err, path, step, scope}
			p.refresh()
		}
	})
}
