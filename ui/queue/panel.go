package queue

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference/bundle"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// Panel is a queue and its page: the job that the stage follows, those that run beside it, and below them the list of those that wait.
type Panel struct {
	*Queue
	Root *fyne.Container

	running          *running
	beside           *fyne.Container // rows of the jobs that run beside it
	others           []*running      // those rows; more of them may be kept than are shown
	ways             *fyne.Container // out of waiting for a farm that is not there
	foreign          *fyne.Container // out of waiting for another model
	why              *widget.Label   // what those wait for
	adopt            *kit.Button
	share, here      *kit.Button
	title            *kit.Fitted
	undo, clear      *kit.IconButton
	empty            *fyne.Container
	list             *fyne.Container // the rows in view
	scroll           *container.Scroll
	order            []entry               // what the list shows
	told             map[int]state.Telling // what tells a job from the others; by their IDs
	telling          []state.Task          // what told is about
	rows             map[int]*row
	answered         func()            // takes the question back whether all jobs are to end; nil: it was not asked
	mark             *canvas.Rectangle // where a row that is dragged would go
	place            int               // its place in the list; -1: none
	dragged, pointed bool              // the pointer is on the list
}

// entry is a place in the list.
type entry struct {
	task  state.Task
	begun bool // it has left the queue; its row stays while the pointer is on the list
}

// New is an empty queue and its page.
func New(host Host) *Panel {
	q := &Panel{Queue: &Queue{Host: host}, rows: map[int]*row{}, place: -1}
	q.running = newRunning(q, func() { q.Commands.Do("view.live") })
	q.beside = kit.NewColumn(6)
	q.beside.Hide()
	q.share = kit.NewButton(i18n.T("Start sharing"), func() { q.Farm.Share() })
	q.here = kit.NewButton(i18n.T("Make them here"), func() {
		for _, id := range q.State().Queue.Stranded() {
			q.Bring(id, state.Here)
		}
	})
	q.ways = kit.NewRow(6, q.share, q.here)
	q.ways.Hide()
	q.why = widget.NewLabel("")
	q.why.Wrapping, q.why.SizeName = fyne.TextWrapWord, theme.SizeNameCaptionText
	q.adopt = kit.NewButton(i18n.T("Make with today's model"), func() {
		ids, _ := q.State().Queue.Foreign()
		q.Adopt(ids)
	})
	q.adopt.Explain(i18n.T("The open model makes these jobs: what was the other model's usual size becomes its own."))
	q.foreign = kit.NewColumn(2, kit.Quiet(q.why), kit.NewRow(6, q.adopt))
	q.foreign.Hide()
	q.title = kit.NewFitted(theme.ColorNameForeground)
	q.undo = kit.SmallButton("", theme.ContentUndoIcon(), q.Undo)
	q.clear = kit.SmallButton(i18n.T("Cancel all jobs"), theme.DeleteIcon(), func() {
		q.answered = q.Layers.Warn(i18n.T("Cancel all jobs?"), i18n.T("The running job stops, and all queued jobs are removed. Finished pictures stay."),
			i18n.T("Keep the jobs"), i18n.T("Cancel all jobs"), q.StopAll)
	})
	q.empty = container.New(kit.Inset{X: 4, Y: 4}, kit.Note(i18n.T("While a job runs, Generate adds the next one here.")))
	q.mark = canvas.NewRectangle(theme.Color(theme.ColorNamePrimary))
	q.mark.CornerRadius = 1
	q.mark.Hide()
	q.list = container.New(&places{q})
	q.scroll = kit.NewPage(container.NewStack(newGround(q.point), q.list, container.NewWithoutLayout(q.mark)))
	q.scroll.OnScrolled = func(fyne.Position) { q.fill() }
	head := container.New(kit.Fixed{Height: 28}, container.NewBorder(nil, nil, nil, kit.NewRow(0, q.undo, q.clear),
		container.New(kit.Inset{X: 4, Y: 6}, kit.WholeFitted(q.title))))
	q.Root = container.New(kit.Gapped{Gap: 4}, kit.NewColumn(6, q.running.Tile, q.beside, q.ways, q.foreign, head),
		container.NewStack(container.NewVBox(q.empty), container.New(&window{q}, q.scroll)))
	return q
}

// Shows is what the list shows, and what is over it.
func (q *Panel) Shows(s state.State) []any {
	undo, can := q.Undoable()
	if len(s.Queue.Waiting) == 0 {
		s.Queue.Pace = 0 // which changes at every pass
	}
	running := s.Queue.Running()
	s.Queue.Flights = nil // how far they are is none of its business
	return []any{s.Queue, running, undo, can, s.Farm.Elsewhere, s.Farm.Away, s.Farm.Only}
}

// ShowsRunning is what the rows of the jobs that run show.
func (q *Panel) ShowsRunning(s state.State) []any {
	shown := []any{
		s.Queue.Paused, len(s.Queue.Waiting) > 0, len(s.Queue.Stranded()) > 0, s.Farm.Elsewhere, s.Farm.Away, s.Farm.Why,
	}
	for _, f := range s.Queue.Flights {
		r := f.Run
		shown = append(shown, f.Task, r.Phase, r.Pictures, r.Made, r.Remaining, r.Makers, r.Waits, r.Pass, r.Passes, r.Rests)
	}
	return shown
}

// RefreshRunning makes the rows of the jobs that run equal to the state.
func (q *Panel) RefreshRunning() {
	s := q.State()
	q.tellApart(s.Queue, s.Model)
	q.running.show(s, s.Queue.Followed())
	list := s.Queue.Flights
	for i, f := range list[min(1, len(list)):] {
		if i == len(q.others) {
			q.others = append(q.others, newBeside(q))
		}
		q.others[i].show(s, f)
	}
	if n := max(len(list)-1, 0); n != len(q.beside.Objects) {
		q.beside.Objects = nil
		for _, r := range q.others[:n] {
			q.beside.Add(r.Tile)
		}
		q.beside.Hidden = n == 0
		q.Root.Refresh()
	}
}

// Refresh makes the rest of the page equal to the state.
func (q *Panel) Refresh() {
	s := q.State()
	queue := s.Queue
	if q.answered != nil && len(queue.Waiting) == 0 && !s.Busy() { // there is nothing left to ask about
		q.answered()
		q.answered = nil
	}
	title := i18n.T("Nothing is queued")
	pictures, left := 0, time.Duration(0)
	for _, t := range queue.Waiting {
		pictures += t.Pictures()
		left += queue.Pace.Left(t)
	}
	if n := len(queue.Waiting); n > 0 {
		title = i18n.N(n, "%d job queued", "%d jobs queued", n)
		if pictures > n {
			title += " · " + i18n.N(pictures, "%d picture", "%d pictures", pictures)
		}
		if left > 0 {
			title += " · " + i18n.T("about %s", wording.Duration(left))
		}
	}
	q.title.Set(title, theme.ColorNameForeground)
	name, can := q.Undoable()
	q.undo.Name = cmp.Or(name, i18n.T("Undo"))
	kit.Enable(q.undo, can)
	kit.Enable(q.clear, len(queue.Waiting) > 0 || s.Busy())
	stranded := len(queue.Stranded()) > 0 && q.Farm != nil
	q.share.Hidden = s.Farm.Elsewhere || s.Farm.Away
	kit.Enable(q.here, !s.Farm.Only)
	n := len(q.order)
	q.tellApart(queue, s.Model)
	others, gone := queue.Foreign()
	if text := foreignText(len(others), gone); text != q.why.Text {
		q.why.SetText(text)
	}
	if q.arrange(queue); len(q.order) != n || q.ways.Hidden == stranded || q.foreign.Hidden == (len(others) > 0) {
		q.ways.Hidden, q.foreign.Hidden = !stranded, len(others) == 0
		q.empty.Hidden = len(q.order) > 0
		q.Root.Refresh()
	}
	q.fill()
	for i, e := range q.order {
		if r := q.rows[e.task.ID]; r != nil {
			r.show(e, i == 0, i == len(q.order)-1)
		}
	}
}

// foreignText says what jobs wait for that another model was to make.
func foreignText(n int, gone bool) string {
	if gone {
		return i18n.N(n, "%d job was made for the earlier built-in model, which this version does not have.",
			"%d jobs were made for the earlier built-in model, which this version does not have.", n)
	}
	return i18n.N(n, "%d job waits for another model than the open one.", "%d jobs wait for another model than the open one.", n)
}

// tellApart finds out what tells the jobs from one another, where they are others than before. Those that run are among them.
func (q *Panel) tellApart(queue state.Queue, m *bundle.Manifest) {
	jobs := slices.Concat(queue.Waiting, queue.Running())
	same := slices.EqualFunc(jobs, q.telling, func(a, b state.Task) bool {
		return a.ID == b.ID && a.Checked == b.Checked && a.Needs == b.Needs
	})
	if same {
		return
	}
	q.telling, q.told = jobs, map[int]state.Telling{}
	for i, t := range state.TellApart(jobs, m) {
		q.told[jobs[i].ID] = t
	}
}

// arrange is what the list shows. Under the pointer nothing moves by itself: a job that has begun leaves its row until the pointer
// is gone, and what comes meanwhile comes at the end, as far as the user did nothing else.
func (q *Panel) arrange(queue state.Queue) {
	next := make([]entry, 0, len(queue.Waiting))
	for _, t := range queue.Waiting {
		next = append(next, entry{task: t})
	}
	if q.pointed || q.dragged {
		kept, n := make([]entry, 0, len(q.order)), 0
		for _, e := range q.order {
			switch i := queue.At(e.task.ID); {
			case i < 0 && (e.begun || e.task.ID == queue.Followed().Task.ID):
				e.begun = true
				kept = append(kept, e)
			case i < 0: // the user has taken it out
			case i == n:
				kept = append(kept, next[n])
				n++
			default: // the user has moved it, or put one before it
				n = -len(q.order)
			}
		}
		if n >= 0 {
			next = append(kept, next[n:]...)
		}
	}
	q.order = next
}

// point follows the pointer onto the list and away from it.
func (q *Panel) point(in bool) {
	if q.pointed = in; !in {
		q.Post(func() { // onto another row, perhaps
			if !q.pointed && slices.ContainsFunc(q.order, func(e entry) bool { return e.begun }) {
				q.Refresh()
			}
		})
	}
}

// rowGap is between two rows of the list.
const rowGap = 4

// pitch is from the top of a row to that of the next one.
func (q *Panel) pitch() float32 { return rowHeight*kit.TextScale() + rowGap }

// fill has rows for what is in view of the list, and for the one that has the focus.
func (q *Panel) fill() {
	first := int(q.scroll.Offset.Y / q.pitch())
	last := int((q.scroll.Offset.Y + q.scroll.Size().Height) / q.pitch())
	rows := map[int]*row{}
	objects := make([]fyne.CanvasObject, 0, last-first+2)
	for i, e := range q.order {
		r := q.rows[e.task.ID]
		if (i < first || i > last) && (r == nil || !r.Focused && !r.carried) {
			continue
		}
		if r == nil {
			r = newRow(q, e.task.ID)
			r.show(e, i == 0, i == len(q.order)-1)
		}
		r.place = i
		rows[e.task.ID], objects = r, append(objects, r.Tile)
	}
	q.rows = rows
	if !slices.Equal(objects, q.list.Objects) {
		q.list.Objects = objects
		q.list.Refresh()
		return
	}
	q.list.Layout.Layout(objects, q.list.Size())
}

// see brings a row into view and gives it the focus.
func (q *Panel) see(id int) {
	i := slices.IndexFunc(q.order, func(e entry) bool { return e.task.ID == id })
	if i < 0 {
		return
	}
	y, high := float32(i)*q.pitch(), q.scroll.Size().Height
	if to := max(min(q.scroll.Offset.Y, y), y+q.pitch()-high, 0); to != q.scroll.Offset.Y {
		q.scroll.ScrollToOffset(fyne.NewPos(0, to))
		q.fill()
	}
	if r := q.rows[id]; r != nil {
		if c := q.Layers.Canvas(); c != nil {
			c.Focus(r.Tile)
		}
	}
}

// places lays the rows out.
type places struct{ q *Panel }

func (p *places) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	for _, r := range p.q.rows {
		r.Tile.Move(fyne.NewPos(0, float32(r.place)*p.q.pitch()))
		r.Tile.Resize(fyne.NewSize(size.Width, p.q.pitch()-rowGap))
	}
}

func (p *places) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(0, max(float32(len(p.q.order))*p.q.pitch()-rowGap, 0))
}

// window gives the list its place, and has it filled.
type window struct{ q *Panel }

func (w *window) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(0, w.q.pitch()) }

func (w *window) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.Position{})
		o.Resize(size)
	}
	w.q.fill()
}

// facts says what tells a job from the others, what it makes, and how long that takes.
func facts(t state.Task, told state.Telling, where string, left time.Duration) string {
	var parts []string
	add := func(text string) {
		if text != "" {
			parts = append(parts, text)
		}
	}
	add(where)
	seeds := ""
	switch n := len(t.Request.Seeds); {
	case n == 1:
		seeds = i18n.T("seed %s", ending(t.Request.Seeds[0]))
	case n > 1:
		seeds = i18n.T("seeds %s", state.SeedList(t.Request.Seeds))
	}
	add(told.Facts)
	if told.Seeds {
		add(seeds)
	}
	switch n := t.Pictures(); {
	case t.Request.Grid != nil:
		add(t.About())
	case n > 1 || n == 1 && len(parts) == 0:
		add(i18n.N(n, "%d picture", "%d pictures", n))
	}
	if left > 0 {
		add(i18n.T("about %s", wording.Duration(left)))
	}
	return strings.Join(parts, " · ")
}

// ending is the end of a seed, which tells it from others where there is little room.
func ending(seed uint64) string {
	const most = 4
	digits := fmt.Sprint(seed)
	if len(digits) <= most+1 {
		return digits
	}
	return "…" + digits[len(digits)-most:]
}

// said is all that there is to say of a job, in a line.
func said(t state.Task) string {
	return fmt.Sprint(state.Shorten(t.Request.Prompt, 90), " · ", t.About())
}
