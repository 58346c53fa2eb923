package ui

import (
	"errors"
	"fmt"
	"image"
	"net/url"
	"path/filepath"
	"slices"

	"fyne.io/fyne/v2"

	"realword/inference"
	"realword/inference/files"
	"realword/inference/recipe"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/subjects"
)

// save writes a finished picture into the pictures folder, under the name that the preferences say.
func (w *Window) save(ready inference.PictureReady) {
	model, embed := *w.state.Model, w.embed()
	folder, name := w.folderAndName(ready.Seed, ready.Recipe, model.Name)
	w.background(func() func() {
		path := ""
		data, err := recipe.EncodePNG(ready, model, embed)
		if err != nil { // of a recipe that does not fit into a picture: better without than not at all
			data, err = recipe.EncodePNG(ready, model, recipe.Embed{Nothing: true})
		}
		if err == nil {
			path, err = files.WriteUnique(folder, name, ".png", data)
		}
		if err == nil {
			w.journal.Saved(ready, path, files.Sum(data), func(id uint64) {
				w.post(func() { w.changeShot(ready, func(s *state.Shot) { s.Kept = id }) })
			})
		} else {
			w.journal.Unsaved(ready, data, func(id uint64) {
				w.post(func() {
					w.changeShot(ready, func(s *state.Shot) { s.Kept, s.Pixels = id, true })
					w.refresh()
				})
			})
		}
		return func() {
			w.changeShot(ready, func(s *state.Shot) { s.Path, s.SaveErr, s.Unsaved = path, err, err != nil })
			w.refresh()
		}
	})
}

// changeShot changes the shot of a picture that was made here, unless it is gone.
func (w *Window) changeShot(ready inference.PictureReady, change func(*state.Shot)) {
	for i := range w.state.Shots {
		if w.state.Shots[i].Image == ready.Image {
			w.state.Shots = slices.Clone(w.state.Shots)
			change(&w.state.Shots[i])
		}
	}
}

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
	case len(paths) == 1 && to == (state.Target{}) && kit.Covers(w.middle, at):
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

// saveAs copies the file of the picture in view to where the user wants it.
func (w *Window) saveAs() {
	shot := w.state.Shot()
	if shot == nil || w.opt.SaveFile == nil {
		return
	}
	ready, model, embed := shot.PictureReady, *w.state.Model, w.embed()
	name := fmt.Sprintf("realword-%d.png", ready.Seed)
	if shot.Unsaved {
		w.write(*shot, false, func(data []byte) (string, error) {
			path, err := w.opt.SaveFile(name)
			if err == nil && path != "" {
				path, err = replaceFile(path, data)
			}
			return path, err
		})
		return
	}
	if shot.Path != "" {
		name = filepath.Base(shot.Path)
	}
	w.background(func() func() {
		path, err := w.opt.SaveFile(name)
		if err == nil && path != "" {
			err = saveCopy(path, ready, model, embed)
		}
		return func() {
			w.state.ActionErr = err
			w.refresh()
		}
	})
}

// reveal opens the folder of the picture in view.
func (w *Window) reveal() {
	folder := w.pictures()
	if shot := w.state.Shot(); shot != nil && shot.Path != "" {
		folder = filepath.Dir(shot.Path)
	}
	w.showFolder(folder)
}

// showFolder opens a folder in the system's file manager.
func (w *Window) showFolder(folder string) {
	w.background(func() func() {
		var err error
		if w.opt.Reveal != nil {
			err = w.opt.Reveal(folder)
		} else {
			err = w.app.OpenURL(&url.URL{Scheme: "file", Path: filepath.ToSlash(folder)})
		}
		if err != nil {
			err = i18n.Errorf("the folder %s cannot be shown: %w", folder, err)
		}
		return func() {
			w.state.ActionErr = err
			w.refresh()
		}
	})
}
