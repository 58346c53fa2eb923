package queue

import (
	"cmp"
	"fmt"
	"image"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference/bundle"
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

const (
	rowHeight = 46 // of a job, at the usual size of texts
	toolSide  = 22
)

// row is one job that waits, which can be dragged to another place. A click chooses it, for the keys; its tools are seen while it is
// chosen, has the focus or is under the pointer.
type row struct {
	*kit.Tile
	list                     *Panel
	id, place                int
	begun, carried, again    bool
	thumb                    *canvas.Image
	prompt, facts            *kit.Fitted
	up, down, hold, run, out *kit.IconButton
	tools, text              *fyne.Container
	under                    bool // the pointer
}

func newThumb() *canvas.Image {
	img := canvas.NewImageFromImage(image.NewRGBA(image.Rect(0, 0, 1, 1)))
	img.ScaleMode, img.FillMode, img.CornerRadius = canvas.ImageScaleSmooth, canvas.ImageFillContain, 4
	return img
}

func newRow(list *Panel, id int) *row {
	r := &row{list: list, id: id, thumb: newThumb()}
	r.prompt, r.facts = kit.NewFitted(theme.ColorNameForeground), kit.NewFitted(theme.ColorNamePlaceHolder)
	tool := func(name string, icon fyne.Resource, tap func()) *kit.IconButton {
		b := kit.SmallButton(name, icon, tap)
		b.OnPointed = r.point
		return b
	}
	r.up = tool(i18n.T("Run earlier"), theme.MoveUpIcon(), func() { list.Move(id, -1) })
	r.down = tool(i18n.T("Run later"), theme.MoveDownIcon(), func() { list.Move(id, 1) })
	r.hold = tool("", theme.MediaPauseIcon(), func() { list.Hold(id) })
	r.run = tool(i18n.T("Try again"), theme.MediaReplayIcon(), r.goOn)
	r.out = tool(i18n.T("Remove from queue"), theme.CancelIcon(), func() { list.Drop(id) })
	// The one that is always seen stands last: the others come to its left, and it stays under the pointer.
	r.tools = kit.NewRow(0, side(r.up), side(r.down), side(r.hold), side(r.run))
	r.text = kit.NewColumn(1, r.prompt, container.New(kit.Fixed{Height: toolSide}, container.NewBorder(nil, nil, nil, r.tools, r.facts)))
	r.Tile = kit.NewTile("", 7, container.New(kit.Inset{X: 5, Y: 3}, container.NewBorder(nil, nil,
		container.NewCenter(container.New(kit.Fixed{Width: 34, Height: 34}, r.thumb)), container.NewCenter(side(r.out)),
		container.New(kit.Inset{X: 6, Y: 0}, r.text))), r.choose)
	r.Tile.OnMenu, r.Tile.OnKey, r.Tile.OnPointed = r.menu, r.key, r.point
	r.Tile.OnFocus = func(bool) { r.showTools() }
	r.Tile.OnDragged = func(at fyne.Position) { list.drag(r, at) }
	r.Tile.OnDropped = func(fyne.Position) { list.drop(r) }
	return r
}

// side is a tool in its size.
func side(b *kit.IconButton) fyne.CanvasObject {
	return container.New(kit.Fixed{Width: toolSide, Height: toolSide}, b)
}

// point follows the pointer onto the row and its tools.
func (r *row) point(in bool) {
	r.list.point(in)
	if r.under = in; in {
		r.showTools()
		return
	}
	r.list.Post(func() { // onto a tool, perhaps
		if !r.under {
			r.showTools()
		}
	})
}

// choose has the keys act on this job.
func (r *row) choose() {
	if r.begun {
		return
	}
	r.list.Change(func(s *state.State) { s.Queue.Chosen = r.id })
	r.list.see(r.id)
}

// Menus are what is done with a job that waits, and with the one that runs.
var (
	JobMenu = command.Context{
		"queue.up", "queue.down", "queue.hold", "queue.retry", "queue.adopt", "queue.here", "queue.far", "queue.drop", "",
		"queue.pause", "queue.clear",
	}
	RunningMenu = command.Context{"view.live", "run.cancel", "", "queue.pause", "queue.clear"}
)

// menu chooses the job and shows what can be done with it.
func (r *row) menu(at fyne.Position) {
	if !r.begun {
		r.list.Change(func(s *state.State) { s.Queue.Chosen = r.id })
		r.list.Commands.Menu(at, JobMenu)
	}
}

// key takes the job out or goes to another one, and leaves to the window what is not its own.
func (r *row) key(e *fyne.KeyEvent) bool {
	q := r.list
	switch e.Name {
	case fyne.KeyDelete, fyne.KeyBackspace:
		q.Change(func(s *state.State) { s.Queue.Chosen = r.id })
		q.Drop(r.id)
		q.see(q.State().Queue.Target())
	case fyne.KeyUp, fyne.KeyDown:
		if q.Commands.Modifiers() != 0 {
			q.Commands.Typed(e)
			break
		}
		to := r.place + 1
		if e.Name == fyne.KeyUp {
			to = r.place - 1
		}
		if to >= 0 && to < len(q.order) {
			id := q.order[to].task.ID
			q.Change(func(s *state.State) { s.Queue.Chosen = id })
			q.see(id)
		}
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		return false
	default:
		q.Commands.Typed(e)
	}
	return true
}

// show makes the row a job of the list.
func (r *row) show(e entry, first, last bool) {
	t := e.task
	r.begun = e.begun
	if t.Thumb != nil && r.thumb.Image != t.Thumb {
		r.thumb.Image = t.Thumb
		r.thumb.Refresh()
	}
	ink, told, where := theme.ColorNameForeground, r.list.told[t.ID], ""
	if !e.begun {
		where = r.list.State().Queue.Elsewhere(t)
	}
	about, color := facts(t, told, where, r.list.State().Queue.Pace.Left(t)), theme.ColorNamePlaceHolder
	prompt := cmp.Or(told.Prompt, t.Request.Prompt)
	switch {
	case e.begun:
		ink, about = theme.ColorNamePlaceHolder, i18n.T("its turn has come")
	case len(t.Missing) > 0:
		about, color = i18n.T("without %s it cannot run", strings.Join(t.Missing, ", ")), theme.ColorNameWarning
	case t.Needs != "":
		about, color = waitsFor(t.Needs), theme.ColorNameWarning
	case t.Parked:
		about, color = i18n.T("Realword closed twice while making it"), theme.ColorNameWarning
	case t.Held:
		about = i18n.T("paused") + " · " + about
	}
	r.prompt.Set(prompt, ink)
	r.facts.Set(about, color)
	r.Tile.Name = i18n.T("%s, %s", t.Request.Prompt, about)
	r.Tile.Explain(func() string { return said(t) + " · " + about })
	icon, name := theme.MediaPauseIcon(), i18n.T("Pause this job")
	if t.Held {
		icon, name = theme.MediaPlayIcon(), i18n.T("Resume this job")
	}
	if r.hold.Name = name; r.hold.Icon != icon {
		r.hold.SetIcon(icon)
	}
	r.again = t.Parked || t.Needs != ""
	if r.run.Name = i18n.T("Try again"); t.Needs != "" {
		r.run.Name = i18n.T("Make with today's model")
	}
	kit.Enable(r.up, !first)
	kit.Enable(r.down, !last)
	kit.Enable(r.out, !e.begun)
	r.Tile.Choose(!e.begun && t.ID == r.list.State().Queue.Chosen)
	r.showTools()
}

// waitsFor says that a job waits for a model, or that nobody can wait for it any more.
func waitsFor(model string) string {
	if _, gone := bundle.Earlier(model); gone {
		return i18n.T("for the earlier model")
	}
	return i18n.T("needs %s", model)
}

// goOn lets the job run that cannot by itself.
func (r *row) goOn() {
	if i := r.list.State().Queue.At(r.id); i >= 0 && r.list.State().Queue.Waiting[i].Needs != "" {
		r.list.Adopt([]int{r.id})
		return
	}
	r.list.unpark(r.id)
}

// showTools shows the tools where they are wanted.
func (r *row) showTools() {
	hidden, changed := r.begun || !r.under && !r.Chosen && !r.Focused, false
	for _, o := range r.tools.Objects {
		box, away := o.(*fyne.Container), hidden
		if box.Objects[0] == fyne.CanvasObject(r.run) {
			away = r.begun || !r.again
		}
		changed = changed || box.Hidden != away
		box.Hidden = away
	}
	if changed {
		r.text.Refresh()
	}
}

// drag carries a waiting job over the list; a line shows where it would go.
func (q *Panel) drag(r *row, at fyne.Position) {
	if r.begun {
		return
	}
	q.dragged, r.carried = true, true
	q.Ghost.Follow(r.thumb.Image, at)
	driver := fyne.CurrentApp().Driver()
	if q.place = -1; kit.Covers(q.scroll, at) { // dropped elsewhere it stays where it is
		y := at.Y - driver.AbsolutePositionForObject(q.list).Y
		q.place = min(max(int(y/q.pitch()+0.5), 0), len(q.order))
	}
	q.mark.FillColor = theme.ColorForWidget(theme.ColorNamePrimary, r.Tile)
	q.mark.Hidden = q.place < 0
	if q.place >= 0 {
		q.mark.Move(fyne.NewPos(0, max(float32(q.place)*q.pitch()-3, 0)))
		q.mark.Resize(fyne.NewSize(q.list.Size().Width, 2))
		// Near an edge the list goes on.
		view := driver.AbsolutePositionForObject(q.scroll)
		switch {
		case at.Y < view.Y+12:
			q.scroll.ScrollToOffset(q.scroll.Offset.SubtractXY(0, 8))
		case at.Y > view.Y+q.scroll.Size().Height-12:
			q.scroll.ScrollToOffset(q.scroll.Offset.AddXY(0, 8))
		}
	}
	q.mark.Refresh()
}

// drop puts a job that was dragged where the line is.
func (q *Panel) drop(r *row) {
	q.Ghost.Gone()
	q.mark.Hide()
	place := q.place
	q.dragged, r.carried, q.place = false, false, -1
	queue := q.State().Queue
	if place < 0 || queue.At(r.id) < 0 {
		q.Refresh()
		return
	}
	to := len(queue.Waiting)
	for _, e := range q.order[place:] {
		if i := queue.At(e.task.ID); i >= 0 {
			to = i
			break
		}
	}
	q.reorder(r.id, queue.Place(r.id, to))
}

// running is the row of a job that runs. That of the one which the stage follows is always there, so that what pauses and stops stays in
// its place.
type running struct {
	*kit.Tile
	list          *Panel
	task          int // that it shows
	thumb         *canvas.Image
	prompt, facts *kit.Fitted
	pause, stop   *kit.IconButton
	stopBox       *fyne.Container
	progress      *widget.ProgressBar
	box, head     *fyne.Container // the thumb's, and around it
}

// newBeside is the row of a job that runs beside the one in view.
func newBeside(list *Panel) *running {
	var r *running
	r = newRunning(list, func() {
		list.Follow(r.task)
		list.Commands.Do("view.live")
	})
	r.Tile.OnMenu = nil
	r.pause.Hide()
	return r
}

func newRunning(list *Panel, tapped func()) *running {
	r := &running{list: list, thumb: newThumb()}
	r.prompt, r.facts = kit.NewFitted(theme.ColorNameForeground), kit.NewFitted(theme.ColorNamePlaceHolder)
	r.pause = kit.SmallButton("", theme.MediaPauseIcon(), list.Pause)
	r.stop = kit.SmallButton(i18n.T("Stop"), theme.MediaStopIcon(), func() { list.StopJob(r.task) })
	r.progress = widget.NewProgressBar()
	r.progress.TextFormatter = func() string { return "" }
	tool := func(b *kit.IconButton) *fyne.Container { return container.New(kit.Fixed{Width: 30, Height: 30}, b) }
	text := kit.NewColumn(2, r.prompt, r.facts)
	r.stopBox = tool(r.stop)
	r.box = container.NewCenter(container.New(kit.Fixed{Width: 34, Height: 34}, r.thumb))
	r.head = container.NewBorder(nil, nil, r.box,
		kit.NewRow(2, tool(r.pause), r.stopBox), container.New(kit.Inset{X: 6, Y: 2}, text))
	r.Tile = kit.NewTile("", 7, container.New(kit.Fixed{Height: rowHeight + 12}, container.New(kit.Inset{X: 5, Y: 4},
		container.NewBorder(nil, container.New(kit.Fixed{Height: 5}, r.progress), nil, nil, r.head))), tapped)
	r.Tile.OnMenu = func(at fyne.Position) { list.Commands.Menu(at, RunningMenu) }
	return r
}

// show makes it a job that runs, or says why none does.
func (r *running) show(s state.State, f state.Flight) {
	t, run := f.Task, f.Run
	r.task = t.ID
	busy := run.Phase != state.Idle && t.ID != 0
	prompt, about, ink, color := t.Request.Prompt, "", theme.ColorNameForeground, theme.ColorNamePlaceHolder
	switch {
	case busy && run.Phase == state.Stopping:
		about = i18n.T("Stopping…")
	case busy:
		about, color = progress(f, r.list.told[t.ID], len(s.Queue.Flights) > 1)
	case s.Queue.Paused:
		prompt, about, color = i18n.T("Paused"), i18n.T("Jobs wait until you resume."), theme.ColorNameWarning
	case len(s.Queue.Stranded()) > 0:
		prompt, about, color = i18n.T("Waiting for the farm"), i18n.T("This computer does not share its queue."), theme.ColorNameWarning
		if s.Farm.Elsewhere || s.Farm.Away {
			about = i18n.T("The farm does not answer; its jobs wait.")
		} else if s.Farm.Why != "" {
			about = s.Farm.Why
		}
	default:
		prompt, ink = i18n.T("Nothing is running"), theme.ColorNamePlaceHolder
	}
	r.prompt.Set(prompt, ink)
	if busy {
		r.prompt.Set(cmp.Or(r.list.told[t.ID].Prompt, prompt), ink)
	}
	r.facts.Set(about, color)
	r.Tile.Name = prompt
	if about != "" {
		r.Tile.Name = i18n.T("%s, %s", prompt, about)
	}
	r.Tile.Explain(func() string {
		switch {
		case busy:
			return said(t) + " · " + about + makers(t, run)
		case about != "":
			return about
		}
		return ""
	})
	if t.Thumb != nil && r.thumb.Image != t.Thumb {
		r.thumb.Image = t.Thumb
		r.thumb.Refresh()
	}
	if away := !busy || t.Thumb == nil; r.box.Hidden != away {
		r.box.Hidden = away
		r.head.Refresh()
	}
	icon, name := theme.MediaPauseIcon(), i18n.T("Pause the queue")
	if s.Queue.Paused {
		icon, name = theme.MediaPlayIcon(), i18n.T("Resume the queue")
	}
	if r.pause.Name = name; r.pause.Icon != icon {
		r.pause.SetIcon(icon)
	}
	kit.Enable(r.pause, busy || s.Queue.Paused || len(s.Queue.Waiting) > 0)
	kit.Enable(r.stop, busy && run.Phase == state.Running)
	if r.stopBox.Hidden == busy { // what is said has its room
		r.stopBox.Hidden = !busy
		r.head.Refresh()
	}
	value := 0.0
	if busy && run.Passes > 0 {
		value = float64(run.Pass) / float64(run.Passes)
	}
	if r.progress.Value != value {
		r.progress.SetValue(value)
	}
}

// progress says how far a job that runs is, and what tells it from the others; first of all where, if another one runs too.
func progress(f state.Flight, told state.Telling, other bool) (string, fyne.ThemeColorName) {
	t, run, color := f.Task, f.Run, theme.ColorNamePlaceHolder
	var parts []string
	where := run.Computers()
	if where != "" && other {
		parts = append(parts, where)
	}
	if run.Rests {
		parts, color = append(parts, i18n.T("paused")), theme.ColorNameWarning
	}
	if run.Pictures > 1 {
		parts = append(parts, i18n.T("picture %d of %d", run.Number(), run.Pictures))
	}
	if run.Waits {
		parts, color = append(parts, i18n.T("waiting for a computer of the farm")), theme.ColorNameWarning
	}
	if run.Remaining > 0 && !run.Rests && !run.Waits {
		parts = append(parts, i18n.T("about %s left", wording.Duration(run.Remaining)))
	}
	if where != "" && !other {
		parts = append(parts, where)
	}
	if told.Facts != "" {
		parts = append(parts, told.Facts)
	}
	if run.Pictures <= 1 {
		parts = append(parts, t.About())
	}
	return strings.Join(parts, " · "), color
}

// makers says which computers of a farm make which pictures of the running job, or have made them.
func makers(t state.Task, run state.Round) string {
	text := ""
	for _, m := range run.Makers {
		if m.Picture < len(t.Request.Seeds) {
			mark := "●"
			if m.Made {
				mark = "✓"
			}
			text += fmt.Sprintf(" · %s %d %s", mark, t.Request.Seeds[m.Picture], m.Text())
		}
	}
	return text
}
