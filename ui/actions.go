package ui

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"realword/history"
	"realword/inference/picture"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
)

// address is how an address of the web begins. A single letter is a drive of Windows.
var address = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]+:/`)

// isAddress tells whether what was dropped is an address: Fyne takes whatever is no file for a path in the folder of the program.
func isAddress(path string) bool {
	here, err := os.Getwd()
	if err != nil {
		here = ""
	}
	if !address.MatchString(strings.TrimLeft(strings.TrimPrefix(path, filepath.ToSlash(here)), "/")) {
		return false
	}
	_, err = os.Lstat(path)
	return err != nil
}

// Dropped takes files that were dropped on the window at a position: on a word they are bound to it, on a card they join its
// subject, a picture with a recipe over the prompt or the stage offers that, anywhere else they become new cards. A page goes away for
// them, and is as the stage: what becomes of them is seen. Behind a sheet nothing would be, and it may ask about what they change.
func (w *Window) Dropped(at fyne.Position, files []fyne.URI) {
	if w.Asked() {
		w.notice.Say(kit.Notice{Text: i18n.T("Close the dialog that is open, then drop the files again."), Bad: true})
		return
	}
	w.state.PickErr, w.state.Remark = nil, ""
	if len(files) == 0 {
		w.state.PickErr = i18n.Errorf("nothing that was dropped is a file: save it first, then drop the file")
		w.refresh()
		return
	}
	var paths []string
	for _, f := range files {
		if f.Scheme() != "file" || isAddress(f.Path()) {
			w.state.PickErr = errors.Join(w.state.PickErr, i18n.Errorf("%s is not on this computer: save it first, then drop the file", f.Name()))
			continue
		}
		paths = append(paths, f.Path())
	}
	to, whole := w.subjects.TargetAt(at), kit.Covers(w.columns.middle, at)
	if w.Paged() {
		to, whole = state.Target{}, true
	}
	if !w.models.Shown() { // models are dropped there
		w.LeavePage()
	}
	take(w, paths, to, whole)
}

// take takes files for a target: exported sessions are offered to be imported, models are looked at, pictures become references. Whole: a
// single picture with its recipe, where it has one.
func take(w *Window, paths []string, to state.Target, whole bool) {
	still := state.Bound(w.state.Now, w.state.Change)
	if w.opt.OpenHistory == nil || !slices.ContainsFunc(paths, unlikePicture) {
		takeOthers(w, paths, to, whole, still)
		return
	}
	w.background(func() func() {
		var sessions, others []string
		for _, path := range paths {
			if unlikePicture(path) && history.Archived(path) {
				sessions = append(sessions, path)
			} else {
				others = append(others, path)
			}
		}
		return func() {
			if len(others) > 0 {
				takeOthers(w, others, to, whole && len(sessions) == 0, still) // which would ask as well
			}
			if len(sessions) > 0 {
				w.gallery.Offer(sessions)
			}
		}
	})
}

func unlikePicture(path string) bool { return !picture.Named(path) }

// takeOthers takes files that are no sessions; pictures, while the session is up still that they are for.
func takeOthers(w *Window, paths []string, to state.Target, whole bool, still func() bool) {
	take := func() {
		switch {
		case len(paths) == 0:
			w.refresh()
		case !still():
		case len(paths) == 1 && to == (state.Target{}) && whole:
			w.reuse.File(paths[0])
		default:
			w.subjects.TakeTo(to, paths)
		}
	}
	if w.opt.LoRAs != nil && len(paths) > 0 && !slices.ContainsFunc(paths, picture.Named) {
		w.set.LoRAs.Drop(paths, func(rest []string) {
			paths = rest
			takeDropped(w, paths, take)
		})
		return
	}
	takeDropped(w, paths, take)
}

// takeDropped takes dropped files that are no LoRAs; take is for pictures.
func takeDropped(w *Window, paths []string, take func()) {
	if w.opt.Models != nil && len(paths) > 0 && w.models.Shown() {
		if !slices.ContainsFunc(paths, picture.Named) {
			if len(paths) > 1 {
				w.notice.Say(kit.Notice{Text: i18n.T("One model is added at a time: %s is looked at.", filepath.Base(paths[0]))})
			}
			w.models.LookAt(paths[0], "", "")
			return
		}
		w.models.Hide() // pictures are for the studio, whatever page is open
	}
	if w.opt.Models != nil && len(paths) == 1 && unlikePicture(paths[0]) {
		w.models.Drop(paths[0], take)
		return
	}
	take()
}

// openLater takes the files that the program was started with, once model and history are open or will not open.
func openLater(w *Window) {
	if len(w.opt.Files) == 0 {
		return
	}
	ready := func() bool {
		model := w.models.Engine() != nil || w.state.ModelErr != nil
		history := w.opt.OpenHistory == nil || w.state.History.Open || w.state.History.Err != nil
		return model && history
	}
	var look func()
	look = func() {
		switch {
		case w.closing:
		case ready():
			paths := w.opt.Files
			w.opt.Files = nil
			take(w, paths, state.Target{}, true)
		default:
			time.AfterFunc(50*time.Millisecond, func() { w.post(look) })
		}
	}
	look()
}
