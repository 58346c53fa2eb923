package queue

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
)

// Panel is a queue and its list. The list is there only while some jobs wait, or one that makes several pictures runs.
type Panel struct {
	*Queue
	Root *fyne.Container

	title  *kit.Line
	note   *kit.Line
	pause  *kit.IconButton
	rows   *fyne.Container
	scroll *container.Scroll
	height *kit.Fixed
	byID   map[int]*row
	mark   *canvas.Rectangle // where a row that is dragged would go
	place  int               // its place among those that wait; -1: none
}

const (
	rowHeight  = 40
	rowsInView = 3 // in view at once
)

// New is an empty queue and its list, which is hidden while there is nothing to list.
func New(host Host) *Panel {
	q := &Panel{Queue: &Queue{Host: host}, byID: map[int]*row{}, height: &kit.Fixed{}}
	q.title = kit.Heading("")
	q.note = kit.Caption("")
	q.note.Color = theme.ColorNameWarning
	q.pause = kit.SmallButton("", theme.MediaPauseIcon(), q.Pause)
	clear := kit.SmallButton(i18n.T("Cancel all jobs"), theme.DeleteIcon(), func() {
		q.Layers.Ask(i18n.T("Cancel all jobs?"), i18n.T("The running job stops, and all queued jobs are removed. Finished pictures stay."),
			i18n.T("Cancel all jobs"), q.StopAll)
	})
	q.rows, q.place = kit.NewColumn(4), -1
	q.mark = canvas.NewRectangle(theme.Color(theme.ColorNamePrimary))
	q.mark.CornerRadius = 1
	q.mark.Hide()
	q.scroll = kit.NewPage(container.NewStack(q.rows, container.NewWithoutLayout(q.mark)))
	q.Root = kit.NewColumn(4, container.NewBorder(nil, nil, q.title, kit.NewRow(0, q.pause, clear)), q.note, container.New(q.height, q.scroll))
	q.Root.Hide()
	return q
}

// Refresh makes the panel equal to the state.
func (q *Panel) Refresh() {
	queue := q.State().Queue
	waiting := queue.Waiting
	// A job of one picture that runs alone says all there is to say beside the progress bar.
	alone := len(waiting) == 0 && (queue.Running.ID == 0 || len(queue.Running.Request.Seeds) < 2)
	if q.Root.Hidden = alone; alone {
		clear(q.byID)
		q.rows.Objects = nil
		return
	}
	title := i18n.T("Running")
	if len(waiting) > 0 {
		title = i18n.N(len(waiting), "%d job queued", "%d jobs queued", len(waiting))
	}
	q.title.Set(title)
	icon := theme.MediaPauseIcon()
	q.pause.Name = i18n.T("Pause the queue")
	note := ""
	if queue.Paused {
		icon = theme.MediaPlayIcon()
		q.pause.Name = i18n.T("Resume the queue")
		note = i18n.T("Paused: no other job will start.")
	}
	if q.pause.Icon != icon {
		q.pause.SetIcon(icon)
	}
	q.note.Set(note)
	q.note.Hidden = note == ""
	var rows []fyne.CanvasObject
	add := func(t state.Task, running, first, last bool) {
		row := q.byID[t.ID]
		if row == nil || row.running != running {
			row = newRow(q, t.ID, running)
			q.byID[t.ID] = row
		}
		row.show(t, first, last)
		rows = append(rows, row.Tile)
	}
	if queue.Running.ID != 0 {
		add(queue.Running, true, true, true)
	}
	for i, t := range waiting {
		add(t, false, i == 0, i == len(waiting)-1)
	}
	for id := range q.byID {
		if queue.At(id) < 0 && id != queue.Running.ID {
			delete(q.byID, id)
		}
	}
	if !slices.Equal(rows, q.rows.Objects) {
		q.rows.Objects = rows
		q.rows.Refresh()
	}
	var height float32
	for _, r := range rows[:min(len(rows), rowsInView)] {
		height += r.MinSize().Height + 4
	}
	q.height.Height = (height - 4) / kit.TextScale() // which the layout multiplies by
	q.Root.Refresh()
}

// targetWhere tells whether the job that the keys act on has such a place.
func (q *Queue) targetWhere(is func(state.Where) bool) bool {
	i := q.State().Queue.At(q.State().Queue.Target())
	return i >= 0 && is(q.State().Queue.Waiting[i].Where)
}

// Actions are what the user can do with jobs, by keys and menus.
func (q *Queue) Actions() []command.Action {
	waits := func() bool { return len(q.State().Queue.Waiting) > 0 }
	return []command.Action{
		{
			ID: "run.generate", Menu: command.MenuRun, Label: i18n.T("Generate"), Key: "Ctrl+Enter", Do: q.Generate,
			Can: func() bool { return len(q.State().Reasons()) == 0 },
		},
		{
			ID: "run.cancel", Menu: command.MenuRun, Label: i18n.T("Stop"), Key: "Ctrl+Alt+Enter", Do: q.Stop,
			Can: func() bool { return q.State().Run.Phase == state.Running },
		},
		{
			ID: "queue.next", Menu: command.MenuRun, Label: i18n.T("Generate next"), Key: "Ctrl+Shift+Enter", Do: q.GenerateNext,
			Can: func() bool { return len(q.State().Reasons()) == 0 },
		},
		{
			ID: "queue.pause", Menu: command.MenuRun, Label: i18n.T("Pause the queue"), Do: q.Pause,
			On: func() bool { return q.State().Queue.Paused },
		},
		{
			ID: "queue.up", Menu: command.MenuRun, Label: i18n.T("Move the job up"), Key: "Alt+Up",
			Do: func() { q.Move(q.State().Queue.Target(), -1) }, Can: waits,
		},
		{
			ID: "queue.down", Menu: command.MenuRun, Label: i18n.T("Move the job down"), Key: "Alt+Down",
			Do: func() { q.Move(q.State().Queue.Target(), 1) }, Can: waits,
		},
		{
			ID: "queue.retry", Label: i18n.T("Try again"), Do: func() { q.unpark(q.State().Queue.Target()) },
			Can: func() bool {
				i := q.State().Queue.At(q.State().Queue.Target())
				return i >= 0 && q.State().Queue.Waiting[i].Parked
			},
		},
		{
			ID: "queue.here", Label: i18n.T("Make it here"), Do: func() { q.Bring(q.State().Queue.Target(), state.Here) },
			Can: func() bool { return q.targetWhere(func(w state.Where) bool { return w != state.Here }) },
		},
		{
			ID: "queue.far", Label: i18n.T("Make it on the farm"), Do: func() { q.Bring(q.State().Queue.Target(), state.Far) },
			Can: func() bool {
				return q.State().Farm.Joined && q.targetWhere(func(w state.Where) bool { return w != state.Far })
			},
		},
		{
			ID: "queue.drop", Menu: command.MenuRun, Label: i18n.T("Remove from queue"), Do: func() { q.Drop(q.State().Queue.Target()) },
			Can: waits,
		},
		{
			ID: "queue.clear", Menu: command.MenuRun, Label: i18n.T("Cancel all jobs"), Key: "Ctrl+Shift+X", Do: q.StopAll,
			Can: func() bool { return waits() || q.State().Busy() },
		},
	}
}
