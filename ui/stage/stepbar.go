package stage

import (
	"image/color"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/ui/i18n"
	"realword/ui/kit"
)

var (
	_ fyne.Tappable      = (*stepBar)(nil)
	_ fyne.Draggable     = (*stepBar)(nil)
	_ fyne.Focusable     = (*stepBar)(nil)
	_ fyne.Accessible    = (*stepBar)(nil)
	_ desktop.Cursorable = (*stepBar)(nil)
)

// barLook is what a step bar shows.
type barLook struct {
	steps, stop int  // of the next run: how long the plan is and where masks settle
	faster      int  // by how many percent, see state.State.Faster
	plain       bool // there is no subject, and so there are no masks
	hint        int  // T_stop that the film suggests; 0 none
}

// stepBar is the plan of the next run over the film: its steps and the T_stop marker, which is dragged, or moved with the arrow
// keys. A hollow marker stands where the film suggests it.
type stepBar struct {
	widget.BaseWidget
	look   barLook
	onStop func(step int)

	tip            kit.Tip
	focused        bool
	follow, rest   *canvas.Rectangle
	marker, handle *canvas.Rectangle
	ghost          *canvas.Rectangle
	ticks          []*canvas.Rectangle
	caption        *kit.Line
	said           []string // what the caption says: whole, and shorter where there is too little room
}

// planHeight is the height of a step bar: its caption and its lane.
func planHeight() float32 { return 8 + 16*max(kit.TextScale(), 1) }

func newStepBar(onStop func(int)) *stepBar {
	b := &stepBar{onStop: onStop, said: []string{""}}
	bar := func(radius float32) *canvas.Rectangle {
		r := canvas.NewRectangle(color.Transparent)
		r.CornerRadius = radius
		return r
	}
	b.follow, b.rest, b.handle, b.marker, b.ghost = bar(1.5), bar(1.5), bar(3), bar(0), bar(3)
	b.caption = kit.Caption("")
	b.tip.Text, b.tip.Picture = b.Explanation, kit.StopSketch
	b.ExtendBaseWidget(b)
	return b
}

// show makes the bar equal to look.
func (b *stepBar) show(look barLook) {
	if b.look != look {
		b.look = look
		b.Refresh()
	}
}

func (b *stepBar) Tapped(e *fyne.PointEvent)      { b.moveTo(e.Position.X) }
func (b *stepBar) Dragged(e *fyne.DragEvent)      { b.tip.Leave(b); b.moveTo(e.Position.X) }
func (b *stepBar) MouseIn(*desktop.MouseEvent)    { b.tip.Rest(b) }
func (b *stepBar) MouseMoved(*desktop.MouseEvent) {}
func (b *stepBar) MouseOut()                      { b.tip.Out(b) }
func (b *stepBar) DragEnd()                       {}
func (b *stepBar) Cursor() desktop.Cursor         { return desktop.HResizeCursor }
func (b *stepBar) FocusGained()                   { b.focused = true; b.Refresh(); b.tip.Reach(b) }
func (b *stepBar) FocusLost()                     { b.focused = false; b.Refresh(); b.tip.Leave(b) }
func (b *stepBar) TypedRune(rune)                 {}

// Scrolled moves the marker by a step.
func (b *stepBar) Scrolled(e *fyne.ScrollEvent) {
	if b.tip.Leave(b); e.Scrolled.DY != 0 {
		b.set(b.look.stop + int(math.Copysign(1, float64(e.Scrolled.DY))))
	}
}

// Explanation implements kit.Explained.
func (b *stepBar) Explanation() string {
	text := i18n.T("The steps of the next job. Up to the marker the masks follow the words, from there on they stay: drag it, or turn the wheel.")
	if !b.ghost.Hidden {
		text += " " + i18n.T("The hollow marker is where the masks of this film could settle; Enter takes it.")
	}
	if whole := b.said[0]; b.caption.Text != whole || b.caption.Cut() {
		text = whole + "\n" + text
	}
	return text
}

func (b *stepBar) AccessibilityLabel() string             { return b.said[0] }
func (b *stepBar) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

func (b *stepBar) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyLeft:
		b.set(b.look.stop - 1)
	case fyne.KeyRight:
		b.set(b.look.stop + 1)
	case fyne.KeyHome:
		b.set(1)
	case fyne.KeyEnd:
		b.set(b.look.steps)
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		if b.look.hint > 0 {
			b.set(b.look.hint)
		}
	}
}

func (b *stepBar) moveTo(x float32) {
	b.set(int(math.Round(float64((x - gutter) / (b.Size().Width - gutter) * float32(b.look.steps)))))
}

func (b *stepBar) set(stop int) {
	if b.look.steps < 1 {
		return
	}
	if stop = min(max(stop, 1), b.look.steps); stop != b.look.stop {
		b.onStop(stop)
	}
}

func (b *stepBar) CreateRenderer() fyne.WidgetRenderer {
	r := &stepBarRenderer{b: b}
	r.update()
	return r
}

type stepBarRenderer struct {
	b       *stepBar
	objects []fyne.CanvasObject
}

func (r *stepBarRenderer) Destroy()                     {}
func (r *stepBarRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *stepBarRenderer) MinSize() fyne.Size           { return fyne.NewSize(200, planHeight()) }
func (r *stepBarRenderer) Layout(size fyne.Size)        { r.place(size) }

func (r *stepBarRenderer) place(size fyne.Size) {
	b := r.b
	put := func(o fyne.CanvasObject, x, y, w, h float32) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(w, h))
	}
	lane := planHeight() - 8
	width := size.Width - gutter
	at := func(step int) float32 { return gutter + width*float32(step)/float32(max(b.look.steps, 1)) }
	stop := at(b.look.stop)
	put(b.rest, gutter, lane, width, 3)
	put(b.follow, gutter, lane, stop-gutter, 3)
	for i, tick := range b.ticks {
		put(tick, at(i+1)-0.5, lane+5, 1, 3)
	}
	put(b.handle, min(max(stop-4, gutter), size.Width-8), lane-5, 8, 13)
	put(b.marker, stop-0.75, lane, 1.5, size.Height-lane)
	put(b.ghost, at(b.look.hint)-4, lane-1, 8, 9) // below the caption, which may stand over it
	r.write(size.Width, stop, lane)
}

// write puts the caption beside the marker: right of it, else left, as much of it as there is room for.
func (r *stepBarRenderer) write(width, stop, lane float32) {
	const apart = 10
	b := r.b
	right, left := width-stop-apart, stop-apart-gutter
	var text fyne.Size
	for _, said := range b.said {
		b.caption.Set(said)
		if text = b.caption.MinSize(); text.Width <= max(right, left) {
			break
		}
	}
	x := stop + apart
	if text.Width > right && left > right {
		x = max(stop-apart-text.Width, gutter)
		right = left
	}
	b.caption.Move(fyne.NewPos(x, lane-text.Height-1))
	b.caption.Resize(fyne.NewSize(max(min(text.Width, right), 0), text.Height)) // a line cuts itself
}

func (r *stepBarRenderer) update() {
	b := r.b
	col := func(n fyne.ThemeColorName) color.Color { return theme.ColorForWidget(n, b) }
	for len(b.ticks) < b.look.steps-1 {
		b.ticks = append(b.ticks, canvas.NewRectangle(color.Transparent))
	}
	b.ticks = b.ticks[:max(b.look.steps-1, 0)]
	r.objects = []fyne.CanvasObject{b.rest, b.follow}
	for _, tick := range b.ticks {
		tick.FillColor = col(kit.ColorTrack)
		r.objects = append(r.objects, tick)
	}
	r.objects = append(r.objects, b.ghost, b.marker, b.handle, b.caption)
	b.rest.FillColor = col(kit.ColorLine)
	for _, o := range []*canvas.Rectangle{b.follow, b.handle, b.marker} {
		o.FillColor = col(theme.ColorNamePrimary)
		o.Hidden = b.look.steps < 1
	}
	b.handle.StrokeWidth = 0
	if b.focused {
		b.handle.StrokeColor, b.handle.StrokeWidth = col(theme.ColorNameForeground), 2
	}
	b.ghost.StrokeColor, b.ghost.StrokeWidth, b.ghost.FillColor = col(theme.ColorNamePrimary), 1.5, color.Transparent
	b.ghost.Hidden = b.look.hint < 1 || b.look.hint == b.look.stop || b.look.hint > b.look.steps
	b.said = []string{""}
	if b.look.steps > 0 {
		short := i18n.T("next job: masks settle after step %d of %d", b.look.stop, b.look.steps)
		b.said = []string{short + " · " + i18n.T("%d %% faster", b.look.faster), short}
		switch {
		case b.look.plain:
			b.said = []string{i18n.T("next job: no subject, plain text-to-image")}
		case b.look.stop >= b.look.steps:
			b.said = []string{i18n.T("next job: masks follow the words to the end")}
		}
	}
	b.caption.Refresh()
}

func (r *stepBarRenderer) Refresh() {
	r.update()
	r.place(r.b.Size())
	canvas.Refresh(r.b)
}
