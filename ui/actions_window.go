package ui

import (
	"slices"

	"realword/ui/command"
	"realword/ui/i18n"
)

// menuHere shows the menu of what has the focus, or of the picture.
func (w *Window) menuHere() { w.MenuOfFocus(w.stage.Picture) }

// allActions is the table. A panel has its actions in a method of its own, beside the panel, and one line here.
func (w *Window) allActions() []command.Action {
	return slices.Concat(
		w.undoActions(),
		w.subjects.FileActions(),
		w.reuse.ReferenceActions(),
		w.saver.Actions(),
		w.stage.FileActions(),
		w.set.Book.Actions(),
		w.subjects.Actions(),
		w.mask.Actions(),
		w.queue.Actions(),
		w.grid.Actions(),
		w.computers.Actions(),
		w.reuse.Actions(),
		w.gallery.Actions(),
		w.gallery.Tree.Actions(),
		w.models.Actions(),
		w.stage.StepActions(),
		[]command.Action{{ID: "view.back", Label: i18n.T("Close the topmost dialog or panel"), Key: "Esc", Do: w.Back}},
		[]command.Action{
			{ID: "view.menus", Label: i18n.T("Open the menus"), Key: "F10", Do: w.OpenMenus},
			{ID: "view.menu", Label: i18n.T("Menu of what has the focus"), Key: "Shift+F10", Do: w.menuHere},
			{ID: "view.menu.other", Label: i18n.T("Menu of what has the focus"), Key: "Menu", Do: w.menuHere},
		},
		w.columns.actions(),
		w.queueActions(),
		w.stage.MaskActions(),
		w.inspect.Actions(),
		w.stage.ViewActions(),
		likenessActions(w),
		w.prefs.LookActions(),
		w.stage.ExampleActions(),
		w.subjects.HelpActions(),
		w.prefs.HelpActions(), // the last lines of their menus
		[]command.Action{
			command.Separator(command.MenuFile),
			{ID: "file.quit", Menu: command.MenuFile, Label: i18n.T("Quit"), Key: "Ctrl+Q", Do: w.askClose},
			{
				ID: "edit.prompt", Menu: command.MenuEdit, Label: i18n.T("Go to the prompt"), Key: "Ctrl+L",
				Do: func() {
					if f := w.columns.folded(); f.prompt { // nobody types what is not seen
						f.prompt = false
						w.columns.fold(f)
					}
					w.win.Canvas().Focus(w.subjects.Prompt)
				},
			},
		},
	)
}
