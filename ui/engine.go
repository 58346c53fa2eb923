package ui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/models"
	"realword/ui/state"
	"realword/ui/wording"
)

// This file gives the window the engine of a model, and then of another one. Session, form and cards stay.

// open opens the model of the command line, or the one that was used last. Where that one is gone, the model inside the program
// steps in, and a notice says so.
func (w *Window) open() {
	path, given := w.opt.Model, w.opt.Model != ""
	if !given {
		path = w.prefs.Model
	}
	w.background(func() func() {
		engine, err := w.opt.Open(w.ctx, path)
		var why error
		if err != nil && path != "" && !given {
			why = err
			engine, err = w.opt.Open(w.ctx, "")
		}
		return func() {
			if err != nil {
				w.state.ModelErr = err
				w.refresh()
				return
			}
			if why != nil {
				w.notice.Say(kit.Notice{
					Text: i18n.T("The model you used last cannot be opened. %s The built-in model is open instead.",
						wording.Brief(why)),
					Bad: true, Act: i18n.T("Models…"), Do: w.models.Show,
				})
				path = ""
			}
			w.takeEngine(engine, path)
			w.undo.Reset(w.state.Form)
			w.refresh()
		}
	})
}

// openModel opens another model for the page of models, which decides when.
func (w *Window) openModel(path string) {
	w.background(func() func() {
		engine, err := w.opt.Open(w.ctx, path)
		return func() {
			var remarks []string
			if err == nil {
				remarks = w.takeEngine(engine, path)
			}
			w.models.Opened(remarks, err)
			if err == nil {
				p := w.prefs
				p.Model = path
				w.setPreferences(p)
			}
			w.queue.Advance(false)
			w.refresh()
		}
	})
}

// modelsHost is what the page of models needs of the window.
func (w *Window) modelsHost() models.Host {
	return models.Host{
		Models: w.opt.Models, OpenFile: w.opt.OpenModel, OpenFolder: w.opt.OpenFolder,
		Context: w.ctx, Background: w.background, Post: w.post, Layers: &w.Layers, Notices: w.notice, Shortcut: w.Shortcut, Notify: w.bell.tell,
		Shelf: &w.state.Shelf,
		State: w.state.Now,
		Hinders: func() error {
			if w.gallery.Busy() {
				return i18n.Errorf("a picture from the history is being made again: wait until it is done")
			}
			return nil
		},
		Places: func() models.Places {
			return models.Places{Folder: w.prefs.Models, Elsewhere: w.prefs.Elsewhere, Named: []string{w.opt.Model, w.prefs.Model}}
		},
		OnShow:   w.gallery.Hide,
		OnOpen:   w.openModel,
		OnStop:   w.queue.Stop,
		OnChange: w.refresh,
		OnReveal: w.saver.Show,
		OnRenamed: func(path, name string) {
			if w.state.Shelf.InUse(path) && w.state.Model != nil {
				renamed := *w.state.Model
				renamed.Was, renamed.Name = append(slices.Clone(renamed.Was), renamed.Name), name
				w.state.Model = &renamed
				w.refresh()
			}
		},
		OnKeep: func(path string, keep bool) {
			p := w.prefs
			p.Elsewhere = slices.DeleteFunc(slices.Clone(p.Elsewhere), func(o string) bool { return o == path })
			if keep {
				p.Elsewhere = append(p.Elsewhere, path)
			} else if p.Model == path {
				p.Model = ""
			}
			w.setPreferences(p)
		},
	}
}

// modelsFolderChooser is the place in the preferences where the folder of models is chosen; nil without models.
func (w *Window) modelsFolderChooser(change func(func(*Preferences))) fyne.CanvasObject {
	if w.opt.Models == nil {
		return nil
	}
	folder, trouble := w.folderField(w.opt.Models.Folder(), w.prefs.Models, func(path string) {
		change(func(p *Preferences) { p.Models = path })
		w.models.Reload()
	})
	row := fyne.CanvasObject(folder)
	if w.opt.OpenFolder != nil {
		choose := kit.NewButton(i18n.T("Choose…"), func() { w.models.AskPath(w.opt.OpenFolder, folder.SetText) })
		row = container.NewBorder(nil, nil, nil, choose, folder)
	}
	return kit.NewColumn(6, kit.Caption(i18n.T("Folder for imported models")), row, trouble)
}

// takeEngine makes an engine that of the window and closes the one before. It answers what the user may not expect.
func (w *Window) takeEngine(engine Engine, path string) []string {
	old, before := w.engine, w.state.Model
	m := engine.Manifest()
	w.engine, w.state.Model, w.state.ModelErr = engine, &m, nil
	w.state.Shelf.Using, w.state.Shelf.Opened, w.state.Shelf.Chosen = path, true, path
	form, remarks := w.state.Form.Adapt(before, &m)
	w.state.Form = form
	w.state.Words = w.subjects.Words(form.Prompt)
	w.state.Queue = w.state.Queue.For(m)
	if n := len(slices.DeleteFunc(slices.Clone(w.state.Queue.Waiting), func(t state.Task) bool { return t.Needs == "" })); n > 0 {
		remarks = append(remarks, i18n.N(n, "One job is waiting for its own model.", "%d jobs are waiting for their own models.", n))
	}
	if old != nil {
		w.background(func() func() {
			if err := old.Close(); err != nil {
				fyne.LogError("The model was not closed as it should be", err)
			}
			return nil
		})
	}
	if before != nil && before.Vision.Reference != m.Vision.Reference {
		w.subjects.LookAgain()
	}
	return remarks
}
