package stage

import (
	"image"
	"image/color"
	"image/draw"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference"
	"realword/inference/picture"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
)

var (
	_ fyne.DoubleTappable = (*filmStrip)(nil)
	_ fyne.Draggable      = (*filmStrip)(nil)
	_ fyne.Focusable      = (*filmStrip)(nil)
	_ fyne.Accessible     = (*filmStrip)(nil)
	_ desktop.Keyable     = (*filmStrip)(nil)
	_ desktop.Mouseable   = (*filmStrip)(nil)
	_ desktop.Cursorable  = (*filmStrip)(nil)
)

// filmLook is what the film shows beside its pictures.
type filmLook struct {
	places   int // steps of the run
	first    int // that the film begins with: a second pass begins in the middle
	subjects int
	room     int // the subjects that it has room for
	dress    state.Dress
	settled  int  // T_stop of the run
	done     int  // steps that are there
	shown    int  // step on the stage; -1 none
	calm     int  // the step from which the masks stay as they are; -1 unknown
	gone     bool // its steps are not kept
}

// filmStrip is a run, step by step, from left to right: how much the masks changed, the previews, and the mask of every subject. A
// click shows a step, the arrow keys go on from it, a double click or Enter inspects it.
type filmStrip struct {
	widget.BaseWidget
	look    filmLook
	onStep  func(step int)
	nudge   func(by int)
	inspect func(subject int) // -1: none in particular
	peek    func(held bool)
	typed   func(*fyne.KeyEvent) // keys that are not its own
	resized func()
	tip     kit.Tip
	row     filmRow         // under the pointer
	words   func() []string // of its subjects
	zoom    float32         // how large the rows are; 1 is the usual
	focused bool

	back    *kit.Plate
	strip   *canvas.Image
	head    *canvas.Rectangle
	follow  *canvas.Rectangle
	rest    *canvas.Rectangle
	ring    *canvas.Rectangle
	settled *kit.Line
	without *kit.Line         // says that there are no steps
	under   *canvas.Rectangle // keeps bands and curves from the letters of settled
	backs   []*canvas.Rectangle
	letters []*canvas.Text
}

// gutter is left of the steps; the letters of the subjects stand there.
const gutter = 22

// filmRows is where the rows of a film lie, from the top, in the units of previews.
type filmRows struct {
	curve, preview, mask float32 // heights; curve and mask are 0 without subjects
	gap                  float32
	subjects             int
}

func rowsOf(subjects int, zoom float32) filmRows {
	r := filmRows{preview: 34 * zoom, subjects: subjects}
	if subjects > 0 {
		r.curve, r.preview, r.gap = max(24*zoom, 21*kit.TextScale()), 28*zoom, 2
		r.mask = min(max(float32(72)/float32(subjects), 16), 26) * zoom
	}
	return r
}

func (r filmRows) previewTop() float32 { return r.curve }
func (r filmRows) maskTop(subject int) float32 {
	return r.curve + r.preview + r.gap + float32(subject)*(r.mask+r.gap)
}

func (r filmRows) height() float32 {
	return r.curve + r.preview + float32(r.subjects)*(r.mask+r.gap)
}

const (
	filmFoot = 6
	filmGap  = 4 // between the film and what is above it
)

// leastRows is how small the rows of a film get by themselves, before it goes: smaller where it has many, so that three and four subjects
// have the place of two.
func leastRows(subjects int) float32 {
	if subjects > 2 {
		return 0.39
	}
	return 0.54
}

func newFilm(onStep, nudge func(int), inspect func(int), peek func(bool), typed func(*fyne.KeyEvent), resized func()) *filmStrip {
	f := &filmStrip{
		onStep: onStep, nudge: nudge, inspect: inspect, peek: peek, typed: typed, resized: resized,
		look: filmLook{shown: -1, calm: -1}, zoom: 1,
	}
	bar := func(radius float32) *canvas.Rectangle {
		r := canvas.NewRectangle(color.Transparent)
		r.CornerRadius = radius
		return r
	}
	f.head, f.follow, f.rest, f.ring = bar(3), bar(1.5), bar(1.5), bar(7)
	f.back = kit.NewPlate(kit.ColorWell, "", 6)
	f.strip = canvas.NewImageFromImage(image.NewRGBA(image.Rect(0, 0, 1, 1)))
	f.strip.ScaleMode, f.strip.CornerRadius = canvas.ImageScaleFastest, 6
	f.strip.Hide()
	f.settled = kit.Caption("")
	f.under = bar(3)
	f.without = kit.Caption("")
	f.tip.Text, f.words = f.Explanation, func() []string { return nil }
	f.ExtendBaseWidget(f)
	return f
}

// show makes the film equal to look, and tells whether its height has changed.
func (f *filmStrip) show(look filmLook) (taller bool) {
	if f.look == look {
		return false
	}
	taller = f.look.room != look.room
	f.look = look
	f.Refresh()
	return taller
}

// resize makes the rows larger or smaller.
func (f *filmStrip) resize(zoom float32) {
	if f.zoom != zoom {
		f.zoom = zoom
		f.Refresh()
		f.resized()
	}
}

// set shows the painted strip; nil an empty one.
func (f *filmStrip) set(img *image.RGBA) {
	if img == nil {
		f.strip.Hide()
		return
	}
	f.strip.Image = img
	f.strip.Show()
	f.strip.Refresh()
}

// pixels is the width that the strip should be painted in, and the pixels of a unit.
func (f *filmStrip) pixels() (w int, scale float32) {
	scale = kit.Density(f)
	return int((f.Size().Width-gutter)*scale + 0.5), scale
}

// at is the step, counted within the film, and the subject (-1: none) at a place.
func (f *filmStrip) at(p fyne.Position) (step, subject int) {
	rows := rowsOf(f.look.subjects, f.zoom)
	subject = -1
	for j := range rows.subjects {
		if top := rows.maskTop(j); p.Y >= top && p.Y < top+rows.mask+rows.gap {
			subject = j
		}
	}
	step = int((p.X - gutter) / (f.Size().Width - gutter) * float32(f.look.places))
	return min(max(step-f.look.first, 0), f.look.done-1), subject
}

func (f *filmStrip) choose(p fyne.Position) {
	if f.look.places > 0 && f.look.done > 0 {
		step, _ := f.at(p)
		f.onStep(step)
	}
}

// MouseDown shows a step at once; a tap would wait for the second one of a double tap.
func (f *filmStrip) MouseDown(e *desktop.MouseEvent) { f.tip.Leave(f); f.choose(e.Position) }
func (f *filmStrip) MouseUp(*desktop.MouseEvent)     {}

func (f *filmStrip) DoubleTapped(e *fyne.PointEvent) {
	_, subject := f.at(e.Position)
	f.inspect(subject)
}

func (f *filmStrip) Dragged(e *fyne.DragEvent) { f.tip.Leave(f); f.choose(e.Position) }

func (f *filmStrip) MouseIn(e *desktop.MouseEvent) {
	f.row = f.rowAt(e.Position)
	f.tip.Rest(f)
}

func (f *filmStrip) MouseMoved(e *desktop.MouseEvent) {
	if row := f.rowAt(e.Position); row != f.row { // each row has something else to say
		f.row = row
		f.tip.Rest(f)
	}
}

func (f *filmStrip) MouseOut() { f.row = filmRow{}; f.tip.Out(f) }

// filmRow is a row of the film; the zero one is all of it.
type filmRow struct {
	kind    rowKind
	subject int // of a row of masks
}

type rowKind int

const (
	wholeFilm rowKind = iota
	curveRow
	previewRow
	maskRow
	footRow
)

// rowAt is the row at a place.
func (f *filmStrip) rowAt(p fyne.Position) filmRow {
	rows := rowsOf(f.look.subjects, f.zoom)
	_, subject := f.at(p)
	switch {
	case f.look.done < 1:
		return filmRow{}
	case subject >= 0:
		return filmRow{maskRow, subject}
	case p.Y > rows.height():
		return filmRow{kind: footRow}
	case p.Y < rows.previewTop():
		return filmRow{kind: curveRow}
	}
	return filmRow{kind: previewRow}
}

// Explanation says what the row under the pointer shows.
func (f *filmStrip) Explanation() string {
	switch f.row.kind {
	case curveRow:
		text := i18n.T("How much each mask changed from one step to the next. Below the dotted line it is at rest.")
		if f.look.calm >= 0 {
			text += " " + i18n.T("From the upright line on, all of them are at rest: they could settle after step %d.", f.look.calm+1)
		}
		return text
	case previewRow:
		return i18n.T("The emerging picture, step by step. Click one to see it large, with its masks.")
	case maskRow:
		word := ""
		if words := f.words(); f.row.subject < len(words) {
			word = words[f.row.subject]
		}
		return i18n.T("Where “%s” acts at each step. A double click inspects the masks.", word)
	case footRow:
		return i18n.T("Blue: the masks followed the words. Grey: they had settled, after step %d (T_stop).", f.look.settled)
	case wholeFilm:
	}
	if f.look.gone {
		return stepsGone()
	}
	if f.look.done < 1 {
		return i18n.T("Here come the steps of the next picture: the picture as it emerges, and where each subject acts.")
	}
	return i18n.T("The steps of this picture, and where each subject acted. The arrow keys go from one to the next.")
}

// stepsGone stands in place of the steps.
func stepsGone() string { return i18n.T("The steps of this picture are not kept.") }

func (f *filmStrip) DragEnd()               {}
func (f *filmStrip) Cursor() desktop.Cursor { return desktop.PointerCursor }
func (f *filmStrip) FocusGained()           { f.focused = true; f.Refresh(); f.tip.Reach(f) }
func (f *filmStrip) FocusLost()             { f.focused = false; f.peek(false); f.Refresh(); f.tip.Leave(f) }
func (f *filmStrip) TypedRune(r rune)       { kit.HandOnSign(f, r) }

func (f *filmStrip) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyLeft:
		f.nudge(-1)
	case fyne.KeyRight:
		f.nudge(1)
	case fyne.KeyHome:
		f.onStep(0)
	case fyne.KeyEnd:
		f.onStep(-1)
	case fyne.KeyReturn, fyne.KeyEnter:
		f.inspect(-1)
	case fyne.KeySpace: // see KeyDown
	default:
		f.typed(e)
	}
}

func (f *filmStrip) KeyDown(e *fyne.KeyEvent) {
	if e.Name == fyne.KeySpace {
		f.peek(true)
	}
}

func (f *filmStrip) KeyUp(e *fyne.KeyEvent) {
	if e.Name == fyne.KeySpace {
		f.peek(false)
	}
}

func (f *filmStrip) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

func (f *filmStrip) AccessibilityLabel() string {
	if f.look.gone {
		return stepsGone()
	}
	if f.look.shown < 0 {
		return i18n.N(f.look.done, "film of %d step", "film of %d steps", f.look.done)
	}
	return i18n.T("step %d of %d", f.look.shown+1, f.look.places)
}

func (f *filmStrip) CreateRenderer() fyne.WidgetRenderer {
	r := &filmRenderer{f: f}
	r.update()
	return r
}

type filmRenderer struct {
	f       *filmStrip
	objects []fyne.CanvasObject
}

func (r *filmRenderer) Destroy()                     {}
func (r *filmRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *filmRenderer) MinSize() fyne.Size { return fyne.NewSize(200, r.f.height(r.f.zoom)) }

// height is how high the film is at a zoom.
func (f *filmStrip) height(zoom float32) float32 {
	return rowsOf(max(f.look.subjects, f.look.room), zoom).height() + filmFoot
}

// fitting is the zoom up to most at which the film fits into a height; 0 where it would be too small to be read.
func (f *filmStrip) fitting(height, most float32) float32 {
	least := min(leastRows(max(f.look.subjects, f.look.room)), most)
	for n := 20; n > 0; n-- {
		if zoom := most * float32(n) / 20; zoom >= least && f.height(zoom) <= height {
			return zoom
		}
	}
	return 0
}

func (r *filmRenderer) Layout(size fyne.Size) {
	r.place(size)
	r.f.resized()
}

func (r *filmRenderer) place(size fyne.Size) {
	f := r.f
	put := func(o fyne.CanvasObject, x, y, w, h float32) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(w, h))
	}
	rows := rowsOf(f.look.subjects, f.zoom)
	width, height := size.Width-gutter, rows.height()
	put(f.back, gutter, 0, width, max(height, size.Height-filmFoot))
	put(f.strip, gutter, 0, width, height)
	put(f.ring, gutter-2, -2, width+4, height+4)
	for i := range f.backs {
		side := min(kit.BadgeSide(), gutter)
		y := rows.maskTop(i) + (rows.mask-side)/2
		put(f.backs[i], 0, y, side, side)
		put(f.letters[i], 0, y, side, side)
	}
	place := float32(0)
	if f.look.places > 0 {
		place = width / float32(f.look.places)
	}
	first, done := float32(f.look.first)*place, float32(f.look.done)*place
	put(f.rest, gutter+first, height+3, done, 3)
	put(f.follow, gutter+first, height+3, min(done, max(float32(f.look.settled)*place-first, 0)), 3)
	put(f.head, gutter+float32(f.look.shown)*place-1, rows.previewTop()-1, place+1, height-rows.previewTop()+2)
	said := f.without.MinSize()
	put(f.without, gutter+max((width-said.Width)/2, 4), (max(height, size.Height-filmFoot)-said.Height)/2,
		min(said.Width, width-4), said.Height)
	text := f.settled.MinSize()
	x := gutter + (float32(f.look.calm)+0.5)*place + 6
	if x+text.Width > size.Width-4 {
		x -= text.Width + 12
	}
	y := max((levelAt(state.Calm, rows.curve)-text.Height)/2, -2) // above the dotted line
	put(f.settled, x, y, text.Width, text.Height)
	put(f.under, x-3, 1, text.Width+6, y+text.Height-1)
}

func (r *filmRenderer) update() {
	f := r.f
	col := func(n fyne.ThemeColorName) color.Color { return theme.ColorForWidget(n, f) }
	for i := len(f.backs); i < f.look.subjects; i++ {
		back, letter := kit.NewBadge()
		f.backs, f.letters = append(f.backs, back), append(f.letters, letter)
	}
	f.backs, f.letters = f.backs[:f.look.subjects], f.letters[:f.look.subjects]
	r.objects = []fyne.CanvasObject{f.back, f.strip}
	for i := range f.backs {
		f.backs[i].FillColor, f.letters[i].Text = kit.SubjectColor(f.look.dress.Of(i)), kit.SubjectLetter(f.look.dress.Of(i))
		r.objects = append(r.objects, f.backs[i], f.letters[i])
	}
	r.objects = append(r.objects, f.without, f.under, f.settled, f.rest, f.follow, f.head, f.ring)
	f.settled.Text, f.without.Text = "", ""
	if f.look.gone {
		f.without.Text = stepsGone()
	}
	f.without.Refresh()
	if f.look.calm >= 0 {
		f.settled.Text = i18n.T("could settle after %d", f.look.calm+1)
	}
	f.settled.Refresh()
	shade := kit.NRGBA(col(kit.ColorWell))
	shade.A = 0xb0
	f.under.FillColor, f.under.Hidden = shade, f.settled.Text == ""
	f.follow.FillColor, f.rest.FillColor = col(theme.ColorNamePrimary), col(theme.ColorNameDisabled)
	f.head.StrokeColor, f.head.StrokeWidth, f.head.FillColor = col(theme.ColorNameForeground), 2, color.Transparent
	f.ring.StrokeColor, f.ring.StrokeWidth, f.ring.Hidden = col(theme.ColorNamePrimary), 2, !f.focused
	f.head.Hidden = f.look.shown < 0 || f.look.places < 1
	f.follow.Hidden, f.rest.Hidden = f.look.done < 1, f.look.done < 1
}

func (r *filmRenderer) Refresh() {
	r.update()
	r.place(r.f.Size())
	r.f.back.Refresh()
	canvas.Refresh(r.f)
}

// filmScene is the strip of a film as a value, to be painted on another goroutine.
type filmScene struct {
	steps    []inference.StepDone
	last     image.Image // what the last step has become; nil: nothing yet
	places   int         // on the strip
	subjects int
	dress    state.Dress
	settling state.Settling
	width    int     // pixels
	scale    float32 // pixels of a unit
	zoom     float32 // of the rows
	empty    color.Color
	faint    color.Color // threshold of the curve
	alarm    color.Color // behind late rises of the curve
}

type filmKey struct {
	first    *image.RGBA
	last     image.Image
	mask     *float32 // of the first step
	steps    int
	subjects int
	dress    state.Dress
	width    int
	scale    float32
	zoom     float32
	empty    color.Color
}

func (f filmScene) key() filmKey {
	k := filmKey{
		last: f.last, steps: len(f.steps), subjects: f.subjects, dress: f.dress, width: f.width, scale: f.scale, zoom: f.zoom, empty: f.empty,
	}
	if k.steps > 0 {
		k.first = f.steps[0].Preview
		if s := f.steps[0].Subjects; len(s) > 0 && len(s[0].Mask) > 0 {
			k.mask = &s[0].Mask[0]
		}
	}
	return k
}

func (f filmScene) paint() *image.RGBA {
	rows := rowsOf(f.subjects, f.zoom)
	px := func(v float32) int { return int(v*f.scale + 0.5) }
	height := px(rows.height())
	if f.width < 1 || height < 1 || f.places < 1 {
		return nil
	}
	out := image.NewRGBA(image.Rect(0, 0, f.width, height))
	draw.Draw(out, out.Rect, image.NewUniform(f.empty), image.Point{}, draw.Src)
	for i := range f.steps {
		step := &f.steps[i]
		if step.Step < 0 || step.Step >= f.places {
			continue
		}
		left, right := step.Step*f.width/f.places, (step.Step+1)*f.width/f.places-1
		f.tile(out, image.Rect(left, px(rows.previewTop()), right, px(rows.previewTop()+rows.preview)), step, -1)
		for j := range f.subjects {
			f.tile(out, image.Rect(left, px(rows.maskTop(j)), right, px(rows.maskTop(j)+rows.mask)), step, j)
		}
	}
	f.curves(out, px(rows.curve))
	return out
}

// preview is what a step looked like: the finished picture after the last one, which a preview only resembles.
func (f filmScene) preview(step *inference.StepDone, side int) *image.RGBA {
	if f.last == nil || step.Step+1 != step.Steps || step.Preview == nil || f.last.Bounds().Empty() {
		return step.Preview
	}
	size := f.last.Bounds().Size()
	high := max(min(2*side, size.Y), 1)
	return whole(f.last, max(high*size.X/size.Y, 1), high).paint()
}

// tile paints a step's preview, or its middle (subject < 0), or the mask of a subject on the darkened preview.
func (f filmScene) tile(out *image.RGBA, tile image.Rectangle, step *inference.StepDone, subject int) {
	size := tile.Size()
	preview := f.preview(step, max(size.X, size.Y))
	switch {
	case size.X < 1 || size.Y < 1 || preview == nil && subject < 0:
		return
	case preview == nil || preview.Rect.Empty(): // a film of another model
		preview = image.NewRGBA(image.Rect(0, 0, max(step.GridWidth, 1), max(step.GridHeight, 1)))
		draw.Draw(preview, preview.Rect, image.Black, image.Point{}, draw.Src)
	}
	b := preview.Bounds()
	full := image.Pt(size.Y*b.Dx()/b.Dy(), size.Y)
	if full.X < size.X {
		full = image.Pt(size.X, max(size.X*b.Dy()/b.Dx(), size.Y))
	}
	if long := max(b.Dx(), b.Dy()); 4*long > 5*min(b.Dx(), b.Dy()) && (2*full.X > 3*size.X || 2*full.Y > 3*size.Y) {
		// so much of a picture that is no square would be cut: it is all seen, in a smaller size
		if full = image.Pt(size.X, max(size.X*b.Dy()/b.Dx(), 1)); full.Y > size.Y {
			full = image.Pt(max(size.Y*b.Dx()/b.Dy(), 1), size.Y)
		}
	}
	small := picture.Upscale(preview, full.X, full.Y, true)
	if subject >= 0 && subject < len(step.Subjects) {
		for i, v := range small.Pix {
			if i%4 != 3 {
				small.Pix[i] = v / 3
			}
		}
		layer := picture.Layer{
			Grid:  picture.Grid{Width: step.GridWidth, Height: step.GridHeight, Values: step.Subjects[subject].Mask},
			Style: picture.SubjectStyle(f.dress.Of(subject)),
		}
		if masked, err := picture.Overlay(small, []picture.Layer{layer}, picture.Tint, 1); err == nil {
			small = masked
		}
	}
	draw.Draw(out, tile, small, full.Sub(size).Div(2), draw.Src)
}

// fullScale is the change at the top of the curve; more is cut off.
const fullScale = 0.4

// levelAt is where a change lies in curves of a height, from their top.
func levelAt(change float64, height float32) float32 {
	return height - 3 - float32(min(change, fullScale)/fullScale)*(height-6)
}

// curves paints how much the mask of every subject changed from step to step, in the uppermost height pixels: a line in the
// colour and dash of the subject, the threshold, a mark where all are settled, and a shade where one rises again.
func (f filmScene) curves(out *image.RGBA, height int) {
	if f.subjects == 0 || height < 4 {
		return
	}
	x := func(step int) float32 { return (float32(step) + 0.5) * float32(f.width) / float32(f.places) }
	y := func(change float64) float32 { return levelAt(change, float32(height)) }
	for _, step := range f.settling.Rises {
		band := image.Rect(step*f.width/f.places, 0, (step+1)*f.width/f.places, height)
		draw.Draw(out, band, image.NewUniform(f.alarm), image.Point{}, draw.Over)
	}
	thin, thick := max(f.scale, 1), max(1.8*f.scale, 1.5)
	level := []picture.Point{{X: 0, Y: y(state.Calm)}, {X: float32(f.width), Y: y(state.Calm)}}
	picture.DrawLine(out, level, thin, picture.Dotted, kit.NRGBA(f.faint))
	if at := f.settling.At; at >= 0 {
		picture.DrawLine(out, []picture.Point{{X: x(at), Y: 1}, {X: x(at), Y: float32(height)}}, thin, picture.Solid, kit.NRGBA(f.faint))
	}
	for j, curve := range f.settling.Curves {
		var line []picture.Point
		for step := 1; step < len(curve); step++ {
			line = append(line, picture.Point{X: x(f.settling.First + step), Y: y(curve[step])})
		}
		picture.DrawLine(out, line, thick, picture.SubjectStyle(f.dress.Of(j)).Dash, kit.SubjectColor(f.dress.Of(j)))
	}
}
