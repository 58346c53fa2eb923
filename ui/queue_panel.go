package ui

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

// queuePanel lists the rounds that wait, over the button that adds to them. It is there only while some wait.
type queuePanel struct {
	w      *Window
	box    *fyne.Container
	title  *kit.Line
	note   *kit.Line
	pause  *kit.IconButton
	rows   *fyne.Container
	scroll *container.Scroll
	height *kit.Fixed
	byID   map[int]*queueRow
	mark   *canvas.Rectangle // where a row that is dragged would go
	place  int               // its place among those that wait; -1: none
}

const (
	queueRowHeight = 40
	queueRows      = 3 // in view at once
)

func newQueuePanel(w *Window) *queuePanel {
	q := &queuePanel{w: w, byID: map[int]*queueRow{}, height: &kit.Fixed{}}
	q.title = kit.Heading("")
	q.note = kit.Caption("")
	q.note.Color = theme.ColorNameWarning
	q.pause = kit.SmallButton("", theme.MediaPauseIcon(), w.pauseQueue)
	clear := kit.SmallButton(i18n.T("Cancel all jobs"), theme.DeleteIcon(), func() {
		w.Ask(i18n.T("Cancel all jobs?"), i18n.T("The running job stops, and all queued jobs are removed. Finished pictures stay."),
			i18n.T("Cancel all jobs"), w.stopAll)
	})
	q.rows, q.place = kit.NewColumn(4), -1
	q.mark = canvas.NewRectangle(theme.Color(theme.ColorNamePrimary))
	q.mark.CornerRadius = 1
	q.mark.Hide()
	q.scroll = kit.NewPage(container.NewStack(q.rows, container.NewWithoutLayout(q.mark)))
	q.box = kit.NewColumn(4, container.NewBorder(nil, nil, q.title, kit.NewRow(0, q.pause, clear)), q.note, container.New(q.height, q.scroll))
	q.box.Hide()
	return q
}

// refresh makes the panel equal to the state.
func (q *queuePanel) refresh() {
	queue := q.w.state.Queue
	waiting := queue.Waiting
	// A round of one picture that runs alone says all there is to say beside the progress bar.
	alone := len(waiting) == 0 && (queue.Running.ID == 0 || len(queue.Running.Request.Seeds) < 2)
	if q.box.Hidden = alone; alone {
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
			row = newQueueRow(q.w, t.ID, running)
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
	for _, r := range rows[:min(len(rows), queueRows)] {
		height += r.MinSize().Height + 4
	}
	q.height.Height = (height - 4) / kit.TextScale() // which the layout multiplies by
	q.box.Refresh()
}

// queueActions are the keys and menu items of the queue.
func (w *Window) queueActions() []command.Action {
	waits := func() bool { return len(w.state.Queue.Waiting) > 0 }
	return []command.Action{
		{
			ID: "queue.next", Menu: command.MenuRun, Label: i18n.T("Generate next"), Key: "Ctrl+Shift+Enter", Do: w.generateNext,
			Can: func() bool { return len(w.state.Reasons()) == 0 },
		},
		{
			ID: "queue.pause", Menu: command.MenuRun, Label: i18n.T("Pause the queue"), Do: w.pauseQueue,
			On: func() bool { return w.state.Queue.Paused },
		},
		{
			ID: "queue.up", Menu: command.MenuRun, Label: i18n.T("Move the job up"), Key: "Alt+Up",
			Do: func() { w.moveTask(w.state.Queue.Target(), -1) }, Can: waits,
		},
		{
			ID: "queue.down", Menu: command.MenuRun, Label: i18n.T("Move the job down"), Key: "Alt+Down",
			Do: func() { w.moveTask(w.state.Queue.Target(), 1) }, Can: waits,
		},
		{
			ID: "queue.drop", Menu: command.MenuRun, Label: i18n.T("Remove from queue"), Do: func() { w.dropTask(w.state.Queue.Target()) },
			Can: waits,
		},
		{
			ID: "queue.clear", Menu: command.MenuRun, Label: i18n.T("Cancel all jobs"), Key: "Ctrl+Shift+X", Do: w.stopAll,
			Can: func() bool { return waits() || w.state.Busy() },
		},
	}
}
