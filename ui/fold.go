package ui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
)

// sidePanels are the panels left and right of the picture, which fold away so that it gets their room, and what stands for them
// in the head of the window.
type sidePanels struct {
	body        *fyne.Container // all three columns
	left, right fyne.CanvasObject
	run         *fyne.Container // in the head instead of the foot of the right panel
	status      *kit.Line
	generate    *kit.Button
	stop        *kit.IconButton
	buttons     []*command.ToolButton
}

func panelIcon(x string) fyne.Resource {
	return theme.NewThemedResource(fyne.NewStaticResource("panel"+x+".svg",
		[]byte(`<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">`+
			`<path fill="#000" fill-rule="evenodd" d="M3 5h18v14H3zM5 7v10h14V7z"/><path fill="#000" d="M`+x+` 7h5v10h-5z"/></svg>`)))
}

// headRun is the run in the head of the window, for a folded right panel.
func (w *Window) headRun() fyne.CanvasObject {
	f := &w.sides
	f.status = kit.Caption("")
	f.generate = kit.NewButton(i18n.T("Generate"), w.queue.Generate)
	f.stop = kit.SmallButton(i18n.T("Stop"), theme.MediaStopIcon(), w.queue.Stop)
	f.run = kit.NewRow(6, f.status, f.stop, f.generate)
	f.run.Hide()
	return f.run
}

func (w *Window) foldButton(id, x string) *command.ToolButton {
	t := command.NewToolButton(w.Commands, id, panelIcon(x))
	t.Plain = true
	w.sides.buttons = append(w.sides.buttons, t)
	return t
}

// fold shows the panels as the preferences say.
func (w *Window) fold() {
	f := &w.sides
	away := func(o fyne.CanvasObject, hidden bool) bool {
		c := o.(*fyne.Container)
		changed := c.Hidden != hidden
		c.Hidden = hidden
		return changed
	}
	p := w.prefs
	changes := []bool{away(f.left, p.FoldLeft), away(f.right, p.FoldRight), away(w.middle.Objects[0], p.FoldPrompt), away(f.run, !p.FoldRight)}
	if slices.Contains(changes, true) {
		f.body.Refresh()
		w.win.Content().Refresh()
	}
	for _, b := range f.buttons {
		b.Follow()
	}
	if f.run.Hidden {
		return
	}
	s := w.set
	f.status.Set(s.Status.Text)
	f.stop.Hidden = s.Halt.Hidden
	kit.Enable(f.stop, !s.Halt.Disabled())
	if f.generate.Text != s.Generate.Text || f.generate.Importance != s.Generate.Importance {
		f.generate.Importance = s.Generate.Importance
		f.generate.SetText(s.Generate.Text)
	}
	kit.Enable(f.generate, !s.Generate.Disabled())
	f.run.Refresh()
}

func (w *Window) foldActions() []command.Action {
	set := func(change func(*Preferences)) func() {
		return func() { p := w.prefs; change(&p); w.setPreferences(p) }
	}
	return []command.Action{
		command.Separator(command.MenuView),
		{
			ID: "view.left", Menu: command.MenuView, Label: i18n.T("Subjects panel"), Key: "T",
			Do: set(func(p *Preferences) { p.FoldLeft, p.FoldPrompt = !p.FoldLeft, false }), On: func() bool { return !w.prefs.FoldLeft },
		},
		{
			ID: "view.right", Menu: command.MenuView, Label: i18n.T("Settings panel"), Key: "G",
			Do: set(func(p *Preferences) { p.FoldRight, p.FoldPrompt = !p.FoldRight, false }), On: func() bool { return !w.prefs.FoldRight },
		},
		{ID: "view.panels", Menu: command.MenuView, Label: i18n.T("Only the picture"), Key: "F", Do: set(func(p *Preferences) {
			p.FoldPrompt = !p.FoldPrompt
			p.FoldLeft, p.FoldRight = p.FoldPrompt, p.FoldPrompt
		}), On: func() bool { return w.prefs.FoldPrompt }},
	}
}
