package ui

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"slices"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference/picture"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// inspector is the mask inspection. It takes the place of the stage: the maps of one subject, kind by kind and step by step, one
// of them enlarged, its numbers, and γ to try.
type inspector struct {
	w      *Window
	open   bool
	closed func() // takes back the note for Esc
	in     inspection
	kind   mapKind
	over   bool
	seen   inspected // the maps that are shown
	saved  error     // of the last map that was saved

	painter kit.Newest[inspectScene]
	asked   inspectKey

	body     *fyne.Container
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
	flat     *kit.Pill
	onto     *kit.Pill
	save     []*kit.Button
}

func newInspector(w *Window) *inspector {
	p := &inspector{w: w, kind: finalMask}
	p.painter.Do = func(s inspectScene) {
		out := s.paint()
		w.post(func() { p.show(out) })
	}
	small := func() *widget.Label {
		l := widget.NewLabel("")
		l.Wrapping, l.SizeName = fyne.TextWrapWord, theme.SizeNameCaptionText
		return l
	}
	low := func(text string, icon fyne.Resource, tapped func()) *kit.Button {
		b := kit.NewButtonWithIcon(text, icon, tapped)
		b.Importance, b.Alignment = widget.LowImportance, widget.ButtonAlignLeading
		return b
	}
	p.subjects = kit.NewRow(4)
	head := container.NewBorder(nil, nil, kit.NewRow(10, kit.Heading(i18n.T("Mask inspection")), p.subjects),
		container.New(kit.Fixed{Width: 28, Height: 28}, kit.SmallButton(i18n.T("Back to the picture"), theme.CancelIcon(), p.hide)))
	p.matrix = newMapMatrix(p.choose, w.Typed, p.repaint)
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
		}, container.New(kit.Band{Low: 0.05, High: state.ReachMax, From: kit.SafeLow, To: kit.SafeHigh}, kit.NewPlate(kit.ColorSafe, "", 5)))
	p.rerun = kit.NewButton(i18n.T("Generate with this"), p.again)
	p.reset = kit.NewButton(i18n.T("Reset"), func() { p.in.scope = 0; p.refresh() })
	p.flat = kit.NewPill(i18n.T("Map"), func() { p.over = false; p.refresh() })
	p.onto = kit.NewPill(i18n.T("Over the picture"), func() { p.over = true; p.refresh() })
	p.probe = low(i18n.T("Run again without T_stop"), theme.MediaFastForwardIcon(), p.probeRun)
	for _, bits := range []int{8, 16} {
		text := i18n.T("Save as grey picture (8 bit)…")
		if bits == 16 {
			text = i18n.T("Save raw values (16 bit)…")
		}
		p.save = append(p.save, low(text, theme.DocumentSaveIcon(), func() { p.export(bits) }))
	}
	side := kit.NewColumn(0, container.New(kit.Inset{X: 8, Y: 0}, p.title), p.numbers, container.New(kit.Inset{X: 4, Y: 0}, p.gamma.Container),
		container.New(kit.Inset{X: 4, Y: 2}, container.New(&kit.Flow{Gap: 4}, p.reset, p.rerun)), kit.Quiet(p.note),
		container.New(kit.Inset{X: 6, Y: 4}, kit.NewRow(4, p.flat.Tile, p.onto.Tile)), kit.Quiet(p.about), p.probe)
	if w.opt.SaveFile != nil {
		for _, b := range p.save {
			side.Add(b)
		}
	}
	lower := container.New(besides{}, container.New(boxed{p}, p.frame, p.large), kit.NewPage(side))
	p.body = container.NewBorder(kit.NewColumn(8, head, p.matrix, kit.NewColumn(0)), nil, nil, nil, lower)
	p.body.Hide()
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
type boxed struct{ p *inspector }

func (b boxed) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Resize(size)
	objects[0].Move(fyne.Position{})
	at, box := b.p.box(size)
	objects[1].Resize(box)
	objects[1].Move(at)
	b.p.repaint()
}

func (boxed) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(160, 160) }

func (p *inspector) box(room fyne.Size) (fyne.Position, fyne.Size) {
	const margin = 8
	inner := room.SubtractWidthHeight(2*margin, 2*margin)
	w, h := p.shape()
	width := max(min(inner.Width, inner.Height*w/h), 1)
	size := fyne.NewSize(width, width*h/w)
	return fyne.NewPos((room.Width-size.Width)/2, (room.Height-size.Height)/2), size
}

// shape is that of the guidance grid.
func (p *inspector) shape() (w, h float32) {
	if len(p.in.steps) == 0 {
		return 1, 1
	}
	return float32(max(p.in.steps[0].GridWidth, 1)), float32(max(p.in.steps[0].GridHeight, 1))
}

// canInspect tells whether what is in view has scores.
func (w *Window) canInspect() bool {
	_, ok := w.inspection(0)
	return ok
}

// inspection begins one of what is in view.
func (w *Window) inspection(subject int) (inspection, bool) {
	film, _ := w.state.Film()
	subjects, norm := w.state.Run.Subjects, w.state.Run.Norm
	if shot := w.state.Shot(); shot != nil {
		subjects, norm = shot.Recipe.Subjects, shot.Recipe.Normalization()
	}
	in, ok := inspect(film, subjects, norm, subject)
	in.dress = w.state.Dress()
	return in, ok
}

// inspectMasks opens the inspection with a subject, -1 for the one that was looked at last, or closes it.
func (w *Window) inspectMasks(subject int) {
	p := w.inspect
	if p.open && subject < 0 {
		p.hide()
		return
	}
	if subject < 0 {
		subject = p.in.subject
	}
	in, ok := w.inspection(subject)
	if !ok {
		return
	}
	p.in, p.saved = in, nil
	if !p.open {
		p.open = true
		p.closed = w.Opened(p.hide)
		w.lower.Hide()
		p.body.Show()
	}
	w.refresh()
	w.win.Canvas().Focus(p.matrix)
}

func (p *inspector) hide() {
	if !p.open {
		return
	}
	p.open = false
	p.closed()
	p.body.Hide()
	p.w.lower.Show()
	p.w.win.Canvas().Unfocus()
	p.w.refresh()
}

// follow keeps the inspection on what is in view: a run goes on, or another picture is chosen.
func (p *inspector) follow() {
	if !p.open {
		return
	}
	in, ok := p.w.inspection(p.in.subject)
	if !ok {
		p.hide()
		return
	}
	in.scope = p.in.scope
	p.in = in
	p.refresh()
}

// step is the column that is enlarged: the step in view, or the last one that has maps.
func (p *inspector) step() int {
	at := p.w.state.View.Step
	if at < 0 || at >= len(p.in.steps) {
		return len(p.in.steps) - 1
	}
	return at
}

// choose enlarges a cell.
func (p *inspector) choose(step int, kind mapKind) {
	p.kind = min(max(kind, rawMap), mapKinds-1)
	p.w.state.View.Step = min(max(step, 0), len(p.in.steps)-1)
	p.w.refresh()
}

func (k mapKind) name() string {
	switch k {
	case rawMap:
		return i18n.T("raw attention")
	case refinedMap:
		return i18n.T("refined")
	case topMask:
		return i18n.T("Top-K")
	}
	return i18n.T("final mask")
}

func (k mapKind) about() string {
	switch k {
	case rawMap:
		return i18n.T("Where the model attends to the word, before any processing.")
	case refinedMap:
		return i18n.T("The same, spread over positions that belong together: self-attention times cross-attention.")
	case topMask:
		return i18n.T("The top γ share of positions, as if the subject were alone.")
	}
	return i18n.T("Used for the picture: contested positions are shared out, and values are divided by their maximum.")
}

// refresh makes the panel equal to what is inspected.
func (p *inspector) refresh() {
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
	p.matrix.show(matrixLook{steps: len(p.in.steps), step: step, kind: p.kind})
	p.title.Set(i18n.T("%s · step %d of %d", p.kind.name(), step+1, p.in.steps[0].Steps))
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
	// After T_stop there are no masks to look at; a run without it makes them.
	p.probe.Hidden = why != nil || len(p.in.steps) >= p.in.steps[0].Steps
	p.repaint()
}

// scope is γ as it is shown.
func (p *inspector) scope() float64 {
	if p.in.scope > 0 {
		return p.in.scope
	}
	return p.in.ran()
}

// remark says what the what-if is worth, or what is wrong.
func (p *inspector) remark(step int, why error) string {
	switch {
	case p.saved != nil:
		return wording.Sentence(p.saved)
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

// cannotRerun says why the present settings cannot make this picture again with another γ.
func (p *inspector) cannotRerun() error {
	if p.card() == 0 {
		return errors.New(i18n.T("no card on the left has this word"))
	}
	if reasons := p.w.state.Reasons(); len(reasons) > 0 {
		return errors.New(reasons[0])
	}
	return nil
}

// card is the card on the left of the subject that is looked at, 0 for none.
func (p *inspector) card() int {
	subjects := p.w.state.Run.Subjects
	if shot := p.w.state.Shot(); shot != nil {
		subjects = shot.Recipe.Subjects
	}
	if p.in.subject >= len(subjects) {
		return 0
	}
	for _, c := range p.w.state.Form.Cards {
		if c.Live() && !c.Off && state.SameWord(c.Word, subjects[p.in.subject].Word) {
			return c.ID
		}
	}
	return 0
}

// again starts a run with γ as it was tried and the seed of the picture.
func (p *inspector) again() {
	if p.cannotRerun() != nil {
		return
	}
	p.w.state.Form = p.w.state.Form.WithScope(p.card(), p.scope())
	p.sameSeed()
}

// probeRun makes the picture again without early stop, so that the curve of mask changes can be seen to its end.
func (p *inspector) probeRun() {
	if p.cannotRerun() != nil {
		return
	}
	p.w.state.Form.Stop = p.w.state.Form.Steps
	p.sameSeed()
}

func (p *inspector) sameSeed() {
	w := p.w
	if shot := w.state.Shot(); shot != nil {
		w.state.Form.Seed = shot.Seed
	}
	w.state.Form.Spent = false // the round takes the seed as it is
	p.in.scope = 0
	p.hide()
	w.generate()
}

// repaint paints the maps anew, off this goroutine.
func (p *inspector) repaint() {
	if p.matrix == nil || !p.open || len(p.in.steps) == 0 {
		return
	}
	scale := float32(1)
	if c := fyne.CurrentApp().Driver().CanvasForObject(p.matrix); c != nil {
		scale = c.Scale()
	}
	px := func(v float32) int { return int(v*scale + 0.5) }
	col := func(n fyne.ThemeColorName) color.NRGBA { return kit.NRGBA(theme.ColorForWidget(n, p.matrix)) }
	w, h := p.shape()
	cell := p.matrix.cell(w / h)
	_, large := p.box(p.frame.Size())
	mode, opacity := p.w.stage.Lens()
	s := inspectScene{
		in: p.in, step: p.step(), kind: p.kind, over: p.over, mode: mode, opacity: max(opacity, 0.5),
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
func (p *inspector) show(out inspected) {
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
func (p *inspector) export(bits int) {
	w := p.w
	if w.opt.SaveFile == nil || len(p.in.steps) == 0 {
		return
	}
	in, step, kind, size := p.in, p.step(), p.kind, w.state.PictureSize()
	name := fmt.Sprintf("%s-%s-step-%02d-%dbit.png", in.subjects[in.subject].Word, [...]string{"raw", "refined", "top-k", "mask"}[kind],
		step+1, bits)
	w.background(func() func() {
		e := in.at(step)
		data, err := picture.Grid{Width: e.width, Height: e.height, Values: e.grids[kind]}.EncodeGrey(bits, size)
		if err = errors.Join(e.err, err); err == nil {
			var path string
			if path, err = w.opt.SaveFile(name); err == nil && path != "" {
				_, err = replaceFile(path, data)
			}
		}
		return func() {
			p.saved = err
			p.refresh()
		}
	})
}

var (
	_ fyne.Focusable     = (*mapMatrix)(nil)
	_ fyne.Accessible    = (*mapMatrix)(nil)
	_ desktop.Mouseable  = (*mapMatrix)(nil)
	_ desktop.Cursorable = (*mapMatrix)(nil)
)

// matrixLook is what a matrix shows beside its maps.
type matrixLook struct {
	steps, step int
	kind        mapKind
}

// mapMatrix is the maps of a subject, rows of kinds, columns of steps. A click or the arrow keys choose one.
type mapMatrix struct {
	widget.BaseWidget
	look    matrixLook
	choose  func(step int, kind mapKind)
	typed   func(*fyne.KeyEvent) // keys that are not its own
	resized func()
	focused bool
	aspect  float32

	image *canvas.Image
	head  *canvas.Rectangle
	names [mapKinds]*kit.Line
	ticks []*kit.Line
}

const (
	matrixGap    = 2
	matrixHeight = 44 // of a cell, at most
)

// Room for the names of the rows and the numbers of the steps; it grows with the texts.
func matrixNames() float32 { return 92 * max(kit.TextScale(), 1) }
func matrixTicks() float32 { return 15 * max(kit.TextScale(), 1) }

func newMapMatrix(choose func(int, mapKind), typed func(*fyne.KeyEvent), resized func()) *mapMatrix {
	m := &mapMatrix{choose: choose, typed: typed, resized: resized, aspect: 1}
	m.image = canvas.NewImageFromImage(image.NewRGBA(image.Rect(0, 0, 1, 1)))
	m.image.ScaleMode, m.image.FillMode = canvas.ImageScaleFastest, canvas.ImageFillStretch
	m.image.Hide()
	m.head = canvas.NewRectangle(color.Transparent)
	m.head.CornerRadius = 3
	for k := range m.names {
		m.names[k] = kit.Caption(mapKind(k).name())
	}
	m.ExtendBaseWidget(m)
	return m
}

func (m *mapMatrix) show(look matrixLook) {
	if m.look != look {
		m.look = look
		m.Refresh()
	}
}

func (m *mapMatrix) set(img *image.RGBA) {
	m.image.Image = img
	m.image.Show()
	m.Refresh()
	m.image.Refresh()
}

// cell is the size of a cell for grids of an aspect.
func (m *mapMatrix) cell(aspect float32) fyne.Size {
	m.aspect = aspect
	w := (m.Size().Width-matrixNames())/float32(max(m.look.steps, 1)) - matrixGap
	w = max(min(w, matrixHeight*aspect), 2)
	return fyne.NewSize(w, min(w/aspect, matrixHeight))
}

func (m *mapMatrix) at(p fyne.Position) (step int, kind mapKind) {
	c := m.cell(m.aspect)
	return int((p.X - matrixNames()) / (c.Width + matrixGap)), mapKind((p.Y - matrixTicks()) / (c.Height + matrixGap))
}

func (m *mapMatrix) MouseDown(e *desktop.MouseEvent) {
	if step, kind := m.at(e.Position); e.Position.X >= matrixNames() && step < m.look.steps {
		m.choose(step, kind)
	}
}

func (m *mapMatrix) MouseUp(*desktop.MouseEvent)            {}
func (m *mapMatrix) Cursor() desktop.Cursor                 { return desktop.PointerCursor }
func (m *mapMatrix) FocusGained()                           { m.focused = true; m.Refresh() }
func (m *mapMatrix) FocusLost()                             { m.focused = false; m.Refresh() }
func (m *mapMatrix) TypedRune(rune)                         {}
func (m *mapMatrix) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

func (m *mapMatrix) AccessibilityLabel() string {
	return i18n.T("%s · step %d of %d", m.look.kind.name(), m.look.step+1, m.look.steps)
}

func (m *mapMatrix) TypedKey(e *fyne.KeyEvent) {
	step, kind := m.look.step, m.look.kind
	switch e.Name {
	case fyne.KeyLeft:
		step--
	case fyne.KeyRight:
		step++
	case fyne.KeyUp:
		kind--
	case fyne.KeyDown:
		kind++
	case fyne.KeyHome:
		step = 0
	case fyne.KeyEnd:
		step = m.look.steps - 1
	default:
		m.typed(e)
		return
	}
	m.choose(step, kind)
}

func (m *mapMatrix) CreateRenderer() fyne.WidgetRenderer {
	r := &matrixRenderer{m: m}
	r.update()
	return r
}

type matrixRenderer struct {
	m       *mapMatrix
	objects []fyne.CanvasObject
}

func (r *matrixRenderer) Destroy()                     {}
func (r *matrixRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *matrixRenderer) MinSize() fyne.Size {
	c := r.m.cell(r.m.aspect)
	return fyne.NewSize(240, matrixTicks()+float32(mapKinds)*(max(c.Height, 16*kit.TextScale())+matrixGap))
}

func (r *matrixRenderer) Layout(size fyne.Size) {
	r.place()
	r.m.resized()
}

func (r *matrixRenderer) place() {
	m := r.m
	c := m.cell(m.aspect)
	put := func(o fyne.CanvasObject, x, y, w, h float32) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(w, h))
	}
	put(m.image, matrixNames(), matrixTicks(), float32(m.look.steps)*(c.Width+matrixGap), float32(mapKinds)*(c.Height+matrixGap))
	for k, name := range m.names {
		text := name.MinSize()
		put(name, 4, matrixTicks()+float32(k)*(c.Height+matrixGap)+(c.Height-text.Height)/2, text.Width, text.Height)
	}
	for i, tick := range m.ticks {
		put(tick, matrixNames()+float32(i)*(c.Width+matrixGap), 0, c.Width, matrixTicks())
	}
	put(m.head, matrixNames()+float32(m.look.step)*(c.Width+matrixGap)-1, matrixTicks()+float32(m.look.kind)*(c.Height+matrixGap)-1, c.Width+2,
		c.Height+2)
}

func (r *matrixRenderer) update() {
	m := r.m
	for i := len(m.ticks); i < m.look.steps; i++ {
		tick := kit.Caption("")
		tick.Align = fyne.TextAlignCenter
		m.ticks = append(m.ticks, tick)
	}
	m.ticks = m.ticks[:m.look.steps]
	r.objects = []fyne.CanvasObject{m.image}
	every := 1
	if m.cell(m.aspect).Width < 20*kit.TextScale() {
		every = 5
	}
	for i, tick := range m.ticks {
		text := ""
		if (i+1)%every == 0 || i == 0 || i == m.look.step {
			text = strconv.Itoa(i + 1)
		}
		tick.Color = theme.ColorNamePlaceHolder
		if i == m.look.step {
			tick.Color = theme.ColorNameForeground
		}
		tick.Text = text
		tick.Refresh()
		r.objects = append(r.objects, tick)
	}
	for k, name := range m.names {
		name.Color = theme.ColorNamePlaceHolder
		if mapKind(k) == m.look.kind {
			name.Color = theme.ColorNameForeground
		}
		name.Refresh()
		r.objects = append(r.objects, name)
	}
	m.head.StrokeColor, m.head.StrokeWidth = theme.ColorForWidget(theme.ColorNameForeground, m), 2
	if m.focused {
		m.head.StrokeColor = theme.ColorForWidget(theme.ColorNamePrimary, m)
	}
	m.head.Hidden = m.look.steps == 0
	r.objects = append(r.objects, m.head)
}

func (r *matrixRenderer) Refresh() {
	r.update()
	r.place()
	canvas.Refresh(r.m)
}

func (w *Window) inspectActions() []command.Action {
	return []command.Action{{
		ID: "view.inspect", Menu: command.MenuView, Label: i18n.T("Inspect masks"), Key: "K",
		Do: func() { w.inspectMasks(-1) }, Can: w.canInspect, On: func() bool { return w.inspect.open },
	}}
}
