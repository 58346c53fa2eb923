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
		inRooms(w.subjects.FileActions()),
		inRooms(w.reuse.ReferenceActions()),
		inRooms(w.saver.Actions(), "file.folder"),
		inRooms(w.stage.FileActions()),
		inRooms(w.set.Book.Actions()),
		inRooms(w.subjects.Actions()),
		inRooms(w.mask.Actions()),
		inRooms(w.queue.Actions(), "run.cancel", "queue.pause", "queue.clear"),
		w.grid.Actions(),
		w.computers.Actions(),
		inRooms(w.reuse.Actions()),
		w.gallery.Actions(),
		inRooms(w.gallery.Tree.Actions()),
		w.models.Actions(),
		inRooms(w.stage.StepActions()),
		[]command.Action{{ID: "view.back", Label: i18n.T("Close the topmost dialog or panel"), Key: "Esc", Do: w.Back}},
		w.menuActions(),
		inRooms(w.columns.actions()),
		inRooms(w.queueActions()),
		inRooms(w.stage.MaskActions()),
		inRooms(w.inspect.Actions()),
		inRooms(w.stage.ViewActions(), "help.film"),
		likenessActions(w),
		w.prefs.LookActions(),
		inRooms(w.stage.ExampleActions()),
		w.subjects.HelpActions(),
		w.prefs.HelpActions(), // the last lines of their menus
		[]command.Action{
			command.Separator(command.MenuFile),
			{ID: "file.quit", Menu: command.MenuFile, Label: i18n.T("Quit"), Key: "Ctrl+Q", Do: w.askClose},
			{
				ID: "edit.prompt", Rooms: true, Menu: command.MenuEdit, Label: i18n.T("Go to the prompt"), Key: "Ctrl+L",
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

// menuActions open menus. Those of macOS have a key of the system's own.
func (w *Window) menuActions() []command.Action {
	list := []command.Action{
		{ID: "view.menu", Label: i18n.T("Menu of what has the focus"), Key: "Shift+F10", Do: w.menuHere},
		{ID: "view.menu.other", Label: i18n.T("Menu of what has the focus"), Key: "Menu", Do: w.menuHere},
	}
	if w.NativeMenus() {
		return list
	}
	return append([]command.Action{{ID: "view.menus", Label: i18n.T("Open the menus"), Key: "F10", Do: w.OpenMenus}}, list...)
}

// inRooms are actions on what a page covers, but for those that tell by themselves what they do, or stop what goes on.
func inRooms(list []command.Action, but ...string) []command.Action {
	for i := range list {
		list[i].Rooms = !slices.Contains(but, list[i].ID)
	}
	return list
}
