package ui

import (
	"slices"

	"realword/ui/command"
	"realword/ui/i18n"
)

// allActions is the table. A panel has its actions in a method of its own, beside the panel, and one line here.
func (w *Window) allActions() []command.Action {
	return slices.Concat(
		w.undoActions(),
		w.pictureActions(),
		w.saver.Actions(),
		w.stage.FileActions(),
		w.subjects.Actions(),
		w.mask.Actions(),
		w.queue.Actions(),
		w.reuse.Actions(),
		w.gallery.Actions(),
		w.tree.Actions(),
		w.models.Actions(),
		w.viewActions(),
		w.columns.actions(),
		w.stage.MaskActions(),
		w.inspect.Actions(),
		w.stage.ViewActions(),
		w.lookActions(),
		w.helpActions(), // the last lines of their menus
	)
}

func (w *Window) pictureActions() []command.Action {
	finished := func() bool { return w.state.Shot() != nil }
	return []command.Action{
		{
			ID: "file.open", Menu: command.MenuFile, Label: i18n.T("Open a picture…"), Key: "Ctrl+O", Do: w.subjects.ChoosePicture,
			Can: func() bool { return w.opt.OpenFile != nil },
		},
		{ID: "picture.reference", Menu: command.MenuEdit, Label: i18n.T("Use as reference"), Key: "R", Do: w.reuse.Reference, Can: finished},
	}
}

func (w *Window) viewActions() []command.Action {
	film := func() bool { film, _ := w.state.Film(); return len(film) > 0 }
	return []command.Action{
		{
			ID: "view.step.previous", Menu: command.MenuView, Label: i18n.T("Previous step"), Key: "Shift+Left",
			Do: func() { w.stage.Nudge(-1) }, Can: film,
		},
		{
			ID: "view.step.next", Menu: command.MenuView, Label: i18n.T("Next step"), Key: "Shift+Right",
			Do: func() { w.stage.Nudge(1) }, Can: film,
		},
		{ID: "view.back", Label: i18n.T("Close the topmost dialog or panel"), Key: "Esc", Do: w.Back},
	}
}
