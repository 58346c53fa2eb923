package ui

import (
	"errors"
	"image"

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
	if w.opt.Models != nil && len(paths) > 0 && w.models.Shown() {
		w.models.LookAt(paths[0], "", "")
		return
	}
	if w.opt.Models != nil && len(paths) == 1 && !subjects.PictureName(paths[0]) {
		w.models.Drop(paths[0], func() { w.droppedPictures(to, at, paths) })
		return
	}
	w.droppedPictures(to, at, paths)
}

// droppedPictures takes pictures, and the recipe of one that was dropped on the middle.
func (w *Window) droppedPictures(to state.Target, at fyne.Position, paths []string) {
	switch {
	case len(paths) == 0:
		w.refresh()
	case len(paths) == 1 && to == (state.Target{}) && kit.Covers(w.columns.middle, at):
		w.reuse.File(paths[0])
	default:
		w.subjects.TakeTo(to, paths)
	}
}

// readSamples shows the pictures that come with the program. One that cannot be read is not offered.
func (w *Window) readSamples() {
	w.background(func() func() {
		type offer struct {
			Sample
			img image.Image
		}
		var offers []offer
		for _, s := range w.opt.Samples {
			if img, err := state.ReadThumb(s.Data, 116); err == nil {
				offers = append(offers, offer{s, img})
			}
		}
		return func() {
			for _, o := range offers {
				w.subjects.SampleRow.Add(kit.NewThumb(o.Name, o.img, 58, func() { w.trySample(o.Sample) }))
			}
			w.subjects.Samples.Hidden = len(offers) == 0
			w.subjects.Samples.Refresh()
			w.subjects.SettleLeft()
		}
	})
}

func (w *Window) trySample(s Sample) {
	if w.state.Form.Prompt == "" && s.Prompt != "" {
		w.subjects.PromptChanged(s.Prompt)
	}
	w.state.PickErr = nil
	w.subjects.Add(state.Word{}, state.Source{Name: s.Name, Hint: s.Word, Read: func() ([]byte, error) { return s.Data, nil }})
}
