package ui

import (
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
)

// tabs are the pages of the right column: the settings of the next job, and the queue.
type tabs struct {
	Root  *fyne.Container
	pills [2]*kit.Pill
	pages [2]fyne.CanvasObject
	shown int
}

const (
	settingsTab = iota
	queueTab
)

func newTabs(settings, queue fyne.CanvasObject) *tabs {
	t := &tabs{pages: [2]fyne.CanvasObject{settings, queue}}
	row := container.New(&kit.Flow{Gap: 6}) // large texts of some languages need two rows
	about := [2]string{i18n.T("What the next job is made with."), i18n.T("The job that runs, and those that wait.")}
	for i, name := range [2]string{i18n.T("Settings"), i18n.T("Queue")} {
		t.pills[i] = kit.NewPill(name, func() { t.show(i) })
		t.pills[i].Explain(func() string { return about[i] })
		row.Add(t.pills[i].Tile)
	}
	t.Root = container.New(kit.Gapped{Gap: 8}, row, container.NewStack(settings, queue))
	t.show(settingsTab)
	return t
}

// show brings a page to the front.
func (t *tabs) show(i int) {
	t.shown = i
	for n, page := range t.pages {
		t.pills[n].Choose(n == i)
		if page.Visible() != (n == i) {
			if n == i {
				page.Show()
			} else {
				page.Hide()
			}
		}
	}
	t.Root.Refresh()
}

// follow says on the tab of the queue how many jobs there are.
func (t *tabs) follow(jobs int, paused bool) {
	text := i18n.T("Queue")
	if jobs > 0 {
		text += " · " + strconv.Itoa(jobs)
	}
	color := fyne.ThemeColorName("")
	if paused && jobs > 0 {
		color = theme.ColorNameWarning
	}
	if t.pills[queueTab].Say(text, color) {
		t.Root.Refresh()
	}
}

// queueActions show the queue.
func (w *Window) queueActions() []command.Action {
	t := w.columns.tabs
	return []command.Action{{
		ID: "view.queue", Menu: command.MenuView, Label: i18n.T("Queue"), Key: "Q",
		On: func() bool { return t.shown == queueTab && !w.columns.folded().right },
		Do: func() {
			if f := w.columns.folded(); f.right {
				f.right = false
				w.columns.fold(f)
				t.show(queueTab)
				return
			}
			t.show((t.shown + 1) % len(t.pages))
		},
	}}
}
