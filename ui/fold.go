package ui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
)

// folds are the parts of the window that are folded away.
type folds struct{ left, right, prompt bool }

// columns are the three columns of the window. The outer ones and the prompt fold away, so that the picture gets their room.
type columns struct {
	body                *fyne.Container
	left, middle, right *fyne.Container
	prompt              *fyne.Container // above the picture
	lower               *fyne.Container // the picture and what lies under it
	run                 *fyne.Container // for the head of the window while the right column is away
	buttons             []*command.ToolButton

	folded func() folds
	fold   func(folds)
	resize func() // everything has another size
}

// build puts the columns beside one another. over takes the place of lower for a while.
func (c *columns) build(over fyne.CanvasObject) fyne.CanvasObject {
	c.middle = container.New(kit.Gapped{Gap: 10}, c.prompt, kit.Panel(container.NewStack(c.lower, over)))
	c.body = container.New(kit.Columns{Left: 286, Right: 276, Gap: 10, Least: 420}, c.left, c.middle, c.right)
	return c.body
}

// relay lays the middle out anew: its words may need another row.
func (c *columns) relay() {
	if c.middle != nil {
		c.middle.Layout.Layout(c.middle.Objects, c.middle.Size())
	}
}

// button is one that folds a column away.
func (c *columns) button(of *command.Commands, id, x string) *command.ToolButton {
	t := command.NewToolButton(of, id, theme.NewThemedResource(kit.Icon("panel"+x+".svg", `M3 5h18v14H3zM5 7v10h14V7zM`+x+` 7h5v10h-5z`)))
	t.Plain = true
	c.buttons = append(c.buttons, t)
	return t
}

// refresh folds away what the user wants away.
func (c *columns) refresh() {
	away := func(o *fyne.Container, hidden bool) bool {
		changed := o.Hidden != hidden
		o.Hidden = hidden
		return changed
	}
	f := c.folded()
	changes := []bool{away(c.left, f.left), away(c.right, f.right), away(c.prompt, f.prompt), away(c.run, !f.right)}
	if slices.Contains(changes, true) {
		c.body.Refresh()
		c.resize()
	}
	for _, b := range c.buttons {
		b.Follow()
	}
}

func (c *columns) actions() []command.Action {
	set := func(change func(*folds)) func() {
		return func() { f := c.folded(); change(&f); c.fold(f) }
	}
	return []command.Action{
		command.Separator(command.MenuView),
		{
			ID: "view.left", Menu: command.MenuView, Label: i18n.T("Subjects panel"), Key: "T",
			Do: set(func(f *folds) { f.left, f.prompt = !f.left, false }), On: func() bool { return !c.folded().left },
		},
		{
			ID: "view.right", Menu: command.MenuView, Label: i18n.T("Settings panel"), Key: "G",
			Do: set(func(f *folds) { f.right, f.prompt = !f.right, false }), On: func() bool { return !c.folded().right },
		},
		{
			ID: "view.panels", Menu: command.MenuView, Label: i18n.T("Only the picture"), Key: "F",
			Do: set(func(f *folds) { *f = folds{!f.prompt, !f.prompt, !f.prompt} }), On: func() bool { return c.folded().prompt },
		},
	}
}
