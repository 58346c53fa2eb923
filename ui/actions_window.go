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
		w.subjects.Actions(),
		w.mask.Actions(),
		w.queue.Actions(),
		w.reuse.Actions(),
		w.gallery.Actions(),
		w.gallery.Tree.Actions(),
		w.models.Actions(),
		w.stage.StepActions(),
		[]command.Action{{ID: "view.back", Label: i18n.T("Close the topmost dialog or panel"), Key: "Esc", Do: w.Back}},
		[]command.Action{
			{ID: "view.menu", Label: i18n.T("Menu of what has the focus"), Key: "Shift+F10", Do: w.menuHere},
			{ID: "view.menu.other", Label: i18n.T("Menu of what has the focus"), Key: "Menu", Do: w.menuHere},
		},
		w.columns.actions(),
		w.stage.MaskActions(),
		w.inspect.Actions(),
		w.stage.ViewActions(),
		w.lookActions(),
		w.helpActions(), // the last lines of their menus
	)
}
