package ui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/models"
)

// modelsHost is what the page of models needs of the window.
func (w *Window) modelsHost() models.Host {
	return models.Host{
		Models: w.opt.Models, OpenFile: w.opt.OpenModel, OpenFolder: w.opt.OpenFolder,
		Context: w.ctx, Background: w.background, Post: w.post, Layers: &w.Layers, Notices: w.notice, Shortcut: w.Shortcut, Notify: w.bell.tell,
		State: w.state.Now, Change: w.state.Change,
		Open: w.opt.Open,
		Hinders: func() error {
			if w.gallery.Busy() {
				return i18n.Errorf("a picture from the history is being made again: wait until it is done")
			}
			return nil
		},
		Places: func() models.Places {
			return models.Places{Folder: w.prefs.Models, Elsewhere: w.prefs.Elsewhere, Given: w.opt.Model, Last: w.prefs.Model}
		},
		OnShow:   w.gallery.Hide,
		OnStop:   w.queue.Stop,
		OnReveal: w.saver.Show,
		OnReady:  func() { w.undo.Reset(w.state.Form) },
		OnUsed: func(path string) {
			p := w.prefs
			p.Model = path
			w.setPreferences(p)
		},
		OnIdle:  func() { w.queue.Advance(false) },
		OnSight: w.subjects.LookAgain,
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
