package ui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"realword/ui/command"
	"realword/ui/gallery"
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

// rail is the column of tools left of the picture: what is done with how it is seen, and what is done with it.
type rail struct {
	w       *Window
	body    *container.Scroll
	buttons []*command.ToolButton
}

// Icons that Fyne has not.
var (
	crispIcon  = kit.Icon("crisp.svg", `M4 4h6v6H4zm10 0h6v6h-6zM9 9h6v6H9zm-5 5h6v6H4zm10 0h6v6h-6z`)
	splitIcon  = kit.Icon("split.svg", `M11 2h2v20h-2v-3H3V5h8zM5 7v10h6V7zm10-2h6v14h-6v-2h4V7h-4z`)
	againIcon  = kit.Icon("again.svg", `M3 5h10v2H5v10h14v-4h2v6H3zm12.5-3L21 7l-5.500 5V9H14c-2.500 0-4 1-5 3.500C9 8.500 11 5.500 15.500 5z`)
	recipeIcon = kit.Icon("recipe.svg", `M5 3h14v18H5zm2 2v14h10V5zm2 2h6v2H9zm0 4h6v2H9zm0 4h4v2H9z`)
)

func newRail(w *Window) *rail {
	r := &rail{w: w}
	column := func(tools ...*command.ToolButton) *fyne.Container {
		c := kit.NewColumn(2)
		for _, t := range tools {
			r.buttons = append(r.buttons, t)
			c.Add(container.New(kit.Square{Side: railSide}, t))
		}
		return c
	}
	tool := func(id string, icon fyne.Resource) *command.ToolButton {
		return command.NewToolButton(w.Commands, id, icon)
	}
	own := func(id string, icon fyne.Resource) *command.ToolButton {
		return tool(id, theme.NewThemedResource(icon))
	}
	made := []*command.ToolButton{own("picture.reference", againIcon), own("recall.all", recipeIcon)}
	if w.opt.SaveFile != nil {
		made = append(made, tool("file.save", theme.DocumentSaveIcon()))
	}
	made = append(made, tool("file.folder", theme.FolderOpenIcon()))
	seen := column(tool("view.zoom.fit", theme.ZoomFitIcon()), own("view.crisp", crispIcon), own("view.compare", splitIcon),
		tool("view.inspect", theme.SearchIcon()))
	r.body = container.NewVScroll(kit.NewColumn(10, column(made...), seen, column(own("view.rounds", gallery.TreeIcon))))
	return r
}

const railSide = 30

// refresh makes the rail equal to the state. It comes with the first picture.
func (r *rail) refresh() {
	st := r.w.state
	if some := len(st.Shots) > 0 || st.Busy(); r.body.Visible() != some {
		if some {
			r.body.Show()
		} else {
			r.body.Hide()
		}
		r.w.lower.Refresh()
	}
	for _, b := range r.buttons {
		b.Follow()
	}
}
