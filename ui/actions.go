package ui

import (
	"errors"

	"fyne.io/fyne/v2"

	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/subjects"
)

// Dropped takes files that were dropped on the window at a position: on a word they are bound to it, on a card they join its
// subject, a picture with a recipe over the prompt or the stage offers that, anywhere else they become new cards.
func (w *Window) Dropped(at fyne.Position, files []fyne.URI) {
	w.state.PickErr, w.state.Remark = nil, ""
	var paths []string
	for _, f := range files {
		if f.Scheme() != "file" {
			w.state.PickErr = errors.Join(w.state.PickErr, i18n.Errorf("%s is not on this computer: save it first, then drop the file", f.Name()))
			continue
		}
		paths = append(paths, f.Path())
	}
	to := w.subjects.TargetAt(at)
	take := func() {
		switch {
		case len(paths) == 0:
			w.refresh()
		case len(paths) == 1 && to == (state.Target{}) && kit.Covers(w.columns.middle, at): // with its recipe, where it has one
			w.reuse.File(paths[0])
		default:
			w.subjects.TakeTo(to, paths)
		}
	}
	if w.opt.Models != nil && len(paths) > 0 && w.models.Shown() {
		w.models.LookAt(paths[0], "", "")
		return
	}
	if w.opt.Models != nil && len(paths) == 1 && !subjects.PictureName(paths[0]) {
		w.models.Drop(paths[0], take)
		return
	}
	take()
}
