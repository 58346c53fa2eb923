package ui

import (
	"slices"

	"fyne.io/fyne/v2"

	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/state"
)

// compareText compares the picture in view with what its words alone give at the same seed. That picture is made first, unless
// it is there.
func (w *Window) compareText() {
	if !w.canCompareText() {
		return
	}
	shot := *w.state.Shot()
	r := state.TextAlone(shot.Recipe)
	if i := slices.IndexFunc(w.state.Shots, func(have state.Shot) bool { return state.SameText(have.Recipe, r) }); i >= 0 {
		w.compareShot(i)
		return
	}
	w.put(state.Task{Request: r, Thumb: smallOf(shot), Beside: &shot}, true)
}

// canCompareText tells whether the picture in view has a counterpart of its words alone.
func (w *Window) canCompareText() bool {
	shot := w.state.Shot()
	return shot != nil && shot.Image != nil && len(shot.Recipe.Subjects) > 0 && len(shot.Recipe.Seeds) == 1 && w.state.Model != nil &&
		!w.closing
}

// madeBeside shows a picture that has just been made beside the one that it was made for.
func (w *Window) madeBeside(task state.Task) {
	if task.Beside == nil || len(w.state.Shots) == 0 {
		return
	}
	i, last := w.state.Find(*task.Beside), len(w.state.Shots)-1
	if i < 0 || w.state.View.Shot >= 0 && w.state.View.Shot != last && w.state.View.Shot != i {
		return // it is gone, or the user looks at something else
	}
	w.state.View = state.View{Shot: i, Step: -1}
	w.compareShot(last)
}

// compareShot compares the picture in view with another one of the session, which is read first where that is needed.
func (w *Window) compareShot(i int) {
	if i < 0 || i >= len(w.state.Shots) || w.state.Shot() == nil {
		return
	}
	other := w.state.Shots[i]
	if other.Image != nil || other.Kept == 0 || w.state.Model == nil {
		w.compareWith(other)
		return
	}
	s, m := w.journal.Store(), *w.state.Model
	if s == nil {
		return
	}
	w.background(func() func() {
		read := loadShot(s, other, m)
		return func() { w.compareWith(read) }
	})
}

// compareWith shows the picture in view left of the split and another one right of it.
func (w *Window) compareWith(other state.Shot) {
	shot := w.state.Shot()
	if shot == nil || shot.Image == nil || other.Image == nil || shot.Image == other.Image {
		return
	}
	w.state.View.Step = -1
	w.look()
	if other.Film = nil; !w.contrast.on {
		w.uncompare = w.Opened(func() { w.contrast.on = false; w.refresh() })
	}
	w.contrast = contrast{on: true, other: &other, split: 0.5}
	w.refresh()
}

// swapCompared changes the sides of the two pictures.
func (w *Window) swapCompared() {
	if i := w.swappable(); i >= 0 {
		w.state.View = state.View{Shot: i, Step: -1}
		w.refresh() // and what was in view is the other one
	}
}

// swappable is the index of the picture right of the split, -1 where there is none that could go to the left.
func (w *Window) swappable() int {
	if !w.contrast.on || w.contrast.other == nil || w.state.Shot() == nil {
		return -1
	}
	return w.state.Find(*w.contrast.other)
}

// tapShot shows a picture of the strip; with Ctrl it is compared with the one in view.
func (w *Window) tapShot(i int) {
	if w.Modifiers()&fyne.KeyModifierShortcutDefault != 0 && w.state.Shot() != nil {
		w.compareShot(i)
		return
	}
	w.state.View = state.View{Shot: i, Step: -1}
	w.refresh()
}

func (w *Window) compareActions() []command.Action {
	return []command.Action{
		{
			ID: "view.compare.text", Menu: command.MenuView, Label: i18n.T("Compare with text-only"), Key: "Shift+C", Do: w.compareText,
			Can: w.canCompareText,
		},
		{
			ID: "view.compare.swap", Menu: command.MenuView, Label: i18n.T("Swap the compared pictures"), Key: "C", Do: w.swapCompared,
			Can: func() bool { return w.swappable() >= 0 },
		},
	}
}
