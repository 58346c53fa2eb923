package ui

import (
	"strconv"

	"fyne.io/fyne/v2"

	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
)

// adopt shows a form of earlier, and brings what it changes into view; the form as it is was left by a deed of the queue.
func (w *Window) adopt(f state.Form, changed bool) {
	if !changed {
		return
	}
	f = f.Settle(w.state.Model) // it may be of another model
	w.undo.See(f)
	was, page := w.state.Form, -1
	switch text, deed := was.Turned(f, w.state.Model); {
	case deed || text == "": // it shows itself; words and subjects are in view
	case w.columns.folded().right:
		w.state.Told = w.state.Tell(text)
	default:
		page = settingsTab
	}
	if page >= 0 && !w.columns.folded().right {
		w.columns.tabs.show(page)
	}
	w.state.Form = f
	w.state.Words = w.subjects.Words(f.Prompt)
	if w.state.Form.Card(w.state.Selected) < 0 {
		w.state.Selected = 0
	}
	w.refresh()
}

// did notes a deed of what a tab shows: that comes up where it is taken back, or done again.
func (w *Window) did(d state.Deed, tab int) {
	shown := func(do func()) func() {
		return func() {
			do()
			if !w.columns.folded().right {
				w.columns.tabs.show(tab)
			}
		}
	}
	w.undo.Did(state.Deed{Back: shown(d.Back), Again: shown(d.Again), Done: d.Done})
}

// done says what the user has done with something that has a name and shows nowhere else, and offers to take it back; back says that it is.
func (w *Window) done(text, back string, d state.Deed) {
	var undo func()
	say := func(done bool) {
		switch {
		case d.Done() != done:
			w.notice.Say(kit.Notice{Text: i18n.T("Another one was saved under that name since: it stays.")})
		case done:
			w.notice.Say(kit.Notice{Text: text, Act: i18n.T("Undo"), Do: undo})
		default:
			w.notice.Say(kit.Notice{Text: back})
		}
		w.refresh()
	}
	undo = func() {
		if d.Done() {
			d.Back()
			w.notice.TakeBack(text)
			say(false)
		}
	}
	w.undo.Did(state.Deed{Back: undo, Again: func() {
		if !d.Done() {
			d.Again()
			say(true)
		}
	}, Done: d.Done})
	say(true)
	w.refresh() // there is something to undo now
}

// field is the text field that has the focus and is no part of the form: it has an undo of its own. Nil: none is. Cards and words hear
// shortcuts as well, and are none.
func (w *Window) field() fyne.Shortcutable {
	if field, typed := w.win.Canvas().Focused().(*kit.Field); typed && field.InForm {
		return nil
	}
	field, _ := w.win.Canvas().Focused().(interface {
		fyne.Shortcutable
		SelectedText() string
	})
	return field
}

func (w *Window) undoActions() []command.Action {
	// There is one line of time, of words, settings, cards and jobs: what was done last is taken back first, wherever the focus is. A text
	// field that is no part of the form has an undo of its own, which comes first (kit.Field).
	typing := func() bool { return w.field() != nil }
	undoing := func() {
		if w.state.SeedErr != nil && w.win.Canvas().Focused() == w.set.Seed {
			w.set.Seed.Rewrite(strconv.FormatUint(w.state.Form.Seed, 10)) // what is no seed is in no form
			return
		}
		if !w.models.Undo() && !w.gallery.Undone() && !w.Paged() {
			w.adopt(w.undo.Back())
		}
	}
	redoing := func() {
		if !w.Paged() {
			w.adopt(w.undo.Forward())
		}
	}
	return []command.Action{
		{
			ID: "edit.undo", Menu: command.MenuEdit, Label: i18n.T("Undo"), Key: "Ctrl+Z", Do: undoing,
			Can: func() bool { // under a page nobody would see it
				return typing() || w.state.SeedErr != nil || w.undo.CanBack() && !w.Paged() || w.gallery.Undoable() || w.models.Undoable()
			},
		},
		{
			ID: "edit.redo", Menu: command.MenuEdit, Label: i18n.T("Redo"), Key: "Ctrl+Y", Do: redoing,
			Can: func() bool { return typing() || w.undo.CanForward() && !w.Paged() },
		},
		{ID: "edit.redo.other", Label: i18n.T("Redo"), Key: "Ctrl+Shift+Z", Do: func() {
			if field := w.field(); field != nil {
				field.TypedShortcut(&fyne.ShortcutRedo{})
			} else {
				redoing()
			}
		}},
	}
}
