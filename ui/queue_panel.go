package ui

import (
	"image"
	"slices"
	"sort"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// queuePanel lists the rounds that wait, over the button that adds to them. It is there only while some wait.
type queuePanel struct {
	w      *Window
	box    *fyne.Container
	title  *line
	note   *line
	pause  *widget.Button
	rows   *fyne.Container
	scroll *container.Scroll
	height *fixed
	byID   map[int]*queueRow
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
	q.pause = smallButton(theme.MediaPauseIcon(), w.pauseQueue)
	clear := smallButton(theme.DeleteIcon(), func() {
		w.ask(say("Cancel everything?"), say("The running round stops, and all that wait are taken out. Finished pictures stay."), say("Cancel everything"), w.stopAll)
	})
	q.rows = newColumn(4)
	q.scroll = container.NewVScroll(q.rows)
	q.box = newColumn(4, container.NewBorder(nil, nil, q.title, newRow(0, q.pause, clear)), q.note, container.New(q.height, q.scroll))
	q.box.Hide()
	return q
}

// smallButton is a button with a picture, in a size that several fit into a row.
func smallButton(icon fyne.Resource, tap func()) *widget.Button {
	b := widget.NewButtonWithIcon("", icon, tap)
	b.Importance = widget.LowImportance
	return b
}

// refresh makes the panel equal to the state.
func (q *queuePanel) refresh() {
	queue := q.w.state.Queue
	waiting := queue.Waiting
	q.box.Hidden = len(waiting) == 0
	if q.box.Hidden {
		clear(q.byID)
		q.rows.Objects = nil
		return
	}
	q.title.set(count(len(waiting), "%d round waits", "%d rounds wait", len(waiting)))
	icon := theme.MediaPauseIcon()
	note := ""
	if queue.Paused {
		icon = theme.MediaPlayIcon()
		note = say("Paused. Press ▶ to go on.")
	}
	if q.pause.Icon != icon {
		q.pause.SetIcon(icon)
	}
	q.note.set(note)
	q.note.Hidden = note == ""
	var rows []fyne.CanvasObject
	for i, t := range waiting {
		row := q.byID[t.ID]
		if row == nil {
			row = newQueueRow(q.w, t.ID)
			q.byID[t.ID] = row
		}
		row.show(t, i == 0, i == len(waiting)-1)
		rows = append(rows, row.body)
	}
	for id := range q.byID {
		if queue.at(id) < 0 {
			delete(q.byID, id)
		}
	}
	if !slices.Equal(rows, q.rows.Objects) {
		q.rows.Objects = rows
		q.rows.Refresh()
	}
	q.height.height = float32(min(len(rows), queueRows)*(queueRowHeight+4) - 4)
	q.box.Refresh()
}

// queueRow is one round that waits.
type queueRow struct {
	body          *fyne.Container
	thumb         *canvas.Image
	prompt, about *fitted
	up, down, run *widget.Button
}

func newQueueRow(w *Window, id int) *queueRow {
	r := &queueRow{prompt: newFitted(theme.ColorNameForeground), about: newFitted(theme.ColorNamePlaceHolder)}
	r.thumb = canvas.NewImageFromImage(image.NewRGBA(image.Rect(0, 0, 1, 1)))
	r.thumb.ScaleMode, r.thumb.FillMode, r.thumb.CornerRadius = canvas.ImageScaleSmooth, canvas.ImageFillContain, 4
	tool := func(icon fyne.Resource, tap func()) *widget.Button { return smallButton(icon, tap) }
	r.up = tool(theme.MoveUpIcon(), func() { w.moveTask(id, -1) })
	r.down = tool(theme.MoveDownIcon(), func() { w.moveTask(id, 1) })
	r.run = tool(theme.MediaReplayIcon(), func() { w.unpark(id) })
	gone := tool(theme.CancelIcon(), func() { w.dropTask(id) })
	small := func(b *widget.Button) fyne.CanvasObject { return container.New(fixed{24, 24}, b) }
	tools := newRow(0, small(r.run), small(r.up), small(r.down), small(gone))
	text := newColumn(1, r.prompt, r.about)
	r.body = container.New(fixed{height: queueRowHeight}, container.NewStack(newPlate(colorRaised, colorLine, 7),
		container.New(inset{5, 3}, container.NewBorder(nil, nil, container.NewCenter(container.New(fixed{30, 30}, r.thumb)), tools,
			container.New(inset{6, 2}, text)))))
	return r
}

// show makes the row a round.
func (r *queueRow) show(t Task, first, last bool) {
	if t.Thumb != nil && r.thumb.Image != t.Thumb {
		r.thumb.Image = t.Thumb
		r.thumb.Refresh()
	}
	r.prompt.set(t.Request.Prompt, theme.ColorNameForeground)
	about := ""
	if n := len(t.Request.Seeds); n > 0 {
		about = say("seed %d", t.Request.Seeds[0])
		if n > 1 {
			about = count(n, "%d picture", "%d pictures", n) + " · " + about
		}
	}
	color := theme.ColorNamePlaceHolder
	switch {
	case len(t.Missing) > 0:
		about, color = say("without %s it cannot run", strings.Join(t.Missing, ", ")), theme.ColorNameWarning
	case t.Parked:
		about, color = say("Realword ended twice over it"), theme.ColorNameWarning
	}
	r.about.set(about, color)
	r.run.Hidden = !t.Parked
	enable(r.up, !first)
	enable(r.down, !last)
}

func enable(b *widget.Button, on bool) {
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
		{id: "queue.next", menu: menuRun, label: say("Generate next"), key: "Ctrl+Shift+Enter", do: w.generateNext, can: func() bool { return len(w.state.Reasons()) == 0 }},
		{id: "queue.pause", menu: menuRun, label: say("Pause the queue"), do: w.pauseQueue, on: func() bool { return w.state.Queue.Paused }, can: func() bool { return waits() || w.state.Queue.Paused || w.state.Busy() }},
		{id: "queue.clear", menu: menuRun, label: say("Cancel everything"), key: "Ctrl+Shift+X", do: w.stopAll, can: func() bool { return waits() || w.state.Busy() }},
	}
}
