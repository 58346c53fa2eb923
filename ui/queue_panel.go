package ui

import (
	"slices"
	"sort"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/ui/i18n"
)

// queuePanel lists the rounds that wait, over the button that adds to them. It is there only while some wait.
type queuePanel struct {
	w      *Window
	box    *fyne.Container
	title  *line
	note   *line
	pause  *iconButton
	rows   *fyne.Container
	scroll *container.Scroll
	height *fixed
	byID   map[int]*queueRow
	mark   *canvas.Rectangle // where a row that is dragged would go
	place  int               // its place among those that wait; -1: none
}

const (
	queueRowHeight = 40
	queueRows      = 3 // in view at once
)

func newQueuePanel(w *Window) *queuePanel {
	q := &queuePanel{w: w, byID: map[int]*queueRow{}, height: &fixed{}}
	q.title = heading("")
	q.note = caption("")
	q.note.color = theme.ColorNameWarning
	q.pause = smallButton("", theme.MediaPauseIcon(), w.pauseQueue)
	clear := smallButton(i18n.T("Cancel everything"), theme.DeleteIcon(), func() {
		w.ask(i18n.T("Cancel everything?"), i18n.T("The running round stops, and all that wait are taken out. Finished pictures stay."), i18n.T("Cancel everything"), w.stopAll)
	})
	q.rows, q.place = newColumn(4), -1
	q.mark = canvas.NewRectangle(theme.Color(theme.ColorNamePrimary))
	q.mark.CornerRadius = 1
	q.mark.Hide()
	q.scroll = newPage(container.NewStack(q.rows, container.NewWithoutLayout(q.mark)))
	q.box = newColumn(4, container.NewBorder(nil, nil, q.title, newRow(0, q.pause, clear)), q.note, container.New(q.height, q.scroll))
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
		title = i18n.N(len(waiting), "%d round waits", "%d rounds wait", len(waiting))
	}
	q.title.set(title)
	icon := theme.MediaPauseIcon()
	q.pause.name = i18n.T("Pause the queue")
	note := ""
	if queue.Paused {
		icon = theme.MediaPlayIcon()
		q.pause.name = i18n.T("Go on with the queue")
		note = i18n.T("Paused: no other round begins.")
	}
	if q.pause.Icon != icon {
		q.pause.SetIcon(icon)
	}
	q.note.set(note)
	q.note.Hidden = note == ""
	var rows []fyne.CanvasObject
	add := func(t Task, running, first, last bool) {
		row := q.byID[t.ID]
		if row == nil || row.running != running {
			row = newQueueRow(q.w, t.ID, running)
			q.byID[t.ID] = row
		}
		row.show(t, first, last)
		rows = append(rows, row.tile)
	}
	if queue.Running.ID != 0 {
		add(queue.Running, true, true, true)
	}
	for i, t := range waiting {
		add(t, false, i == 0, i == len(waiting)-1)
	}
	for id := range q.byID {
		if queue.at(id) < 0 && id != queue.Running.ID {
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
	q.height.height = (height - 4) / textScale() // which the layout multiplies by
	q.box.Refresh()
}

func enable(b fyne.Disableable, on bool) {
	switch {
	case on && b.Disabled():
		b.Enable()
	case !on && !b.Disabled():
		b.Disable()
	}
}

// fitted is a line of caption text that shows as much as there is room for.
type fitted struct {
	widget.BaseWidget
	text  string
	color fyne.ThemeColorName
	draw  *canvas.Text
}

func newFitted(color fyne.ThemeColorName) *fitted {
	f := &fitted{color: color, draw: canvas.NewText("", nil)}
	f.ExtendBaseWidget(f)
	return f
}

func (f *fitted) set(text string, color fyne.ThemeColorName) {
	if f.text != text || f.color != color {
		f.text, f.color = text, color
		f.Refresh()
	}
}

func (f *fitted) CreateRenderer() fyne.WidgetRenderer {
	r := &fittedRenderer{f, []fyne.CanvasObject{f.draw}}
	r.update(f.Size().Width)
	return r
}

type fittedRenderer struct {
	f       *fitted
	objects []fyne.CanvasObject
}

func (r *fittedRenderer) Destroy()                     {}
func (r *fittedRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *fittedRenderer) Layout(size fyne.Size) {
	r.update(size.Width)
	r.f.draw.Resize(size)
	r.f.draw.Refresh()
}

func (r *fittedRenderer) MinSize() fyne.Size {
	return fyne.NewSize(20, fyne.MeasureText("Mg", theme.SizeForWidget(theme.SizeNameCaptionText, r.f), fyne.TextStyle{}).Height)
}

func (r *fittedRenderer) Refresh() {
	r.update(r.f.Size().Width)
	r.f.draw.Refresh()
}

// update draws the longest beginning of the text that fits.
func (r *fittedRenderer) update(width float32) {
	f := r.f
	f.draw.TextSize = theme.SizeForWidget(theme.SizeNameCaptionText, f)
	f.draw.Color = theme.ColorForWidget(f.color, f)
	letters := []rune(f.text)
	fits := func(n int) bool {
		text := string(letters[:n])
		if n < len(letters) {
			text += "…"
		}
		f.draw.Text = text
		return fyne.MeasureText(text, f.draw.TextSize, f.draw.TextStyle).Width <= width
	}
	if !fits(len(letters)) {
		fits(max(sort.Search(len(letters), func(n int) bool { return !fits(n) })-1, 0))
	}
}

// queueActions are the keys and menu items of the queue.
func (w *Window) queueActions() []action {
	waits := func() bool { return len(w.state.Queue.Waiting) > 0 }
	return []action{
		{id: "queue.next", menu: menuRun, label: i18n.T("Generate next"), key: "Ctrl+Shift+Enter", do: w.generateNext, can: func() bool { return len(w.state.Reasons()) == 0 }},
		{id: "queue.pause", menu: menuRun, label: i18n.T("Pause the queue"), do: w.pauseQueue, on: func() bool { return w.state.Queue.Paused }},
		{id: "queue.up", menu: menuRun, label: i18n.T("Move the round up"), key: "Alt+Up", do: func() { w.moveTask(w.state.Queue.chosen(), -1) }, can: waits},
		{id: "queue.down", menu: menuRun, label: i18n.T("Move the round down"), key: "Alt+Down", do: func() { w.moveTask(w.state.Queue.chosen(), 1) }, can: waits},
		{id: "queue.drop", menu: menuRun, label: i18n.T("Take the round out of the queue"), do: func() { w.dropTask(w.state.Queue.chosen()) }, can: waits},
		{id: "queue.clear", menu: menuRun, label: i18n.T("Cancel everything"), key: "Ctrl+Shift+X", do: w.stopAll, can: func() bool { return waits() || w.state.Busy() }},
	}
}
