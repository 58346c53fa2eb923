package ui

import (
	"slices"

	"realword/ui/i18n"
	"realword/ui/models"
	"realword/ui/preferences"
)

// modelsHost is what the page of models needs of the window.
func (w *Window) modelsHost() models.Host {
	return models.Host{
		Models: w.opt.Models, OpenFile: w.opt.OpenModel, OpenFolder: w.opt.OpenFolder,
		Context: w.ctx, Background: w.background, Post: w.post, Layers: &w.Layers, Notices: w.notice, Shortcut: w.Shortcut, Notify: w.tell,
		State: w.state.Now, Change: w.state.Change,
		Open: w.opt.Open,
		Hinders: func() error {
			if doing := w.gallery.Doing(); doing != "" {
				return i18n.Errorf("the page of the sessions is at work: wait until it is done (%s)", doing)
			}
			return nil
		},
		Places: func() models.Places {
			return models.Places{Folder: w.prefs.Models, Elsewhere: w.prefs.Elsewhere, Given: w.opt.Model, Last: w.prefs.Model}
		},
		OnStop:   w.queue.Stop,
		OnReveal: w.saver.Show,
		OnReady:  func() { w.undo.Reset(w.state.Form) },
		OnUsed:   func(path string) { w.prefs.Change(func(p *preferences.Values) { p.Model = path }) },
		OnIdle:   func() { w.queue.Advance(false) },
		OnSight:  w.subjects.LookAgain,
		OnKeep: func(path string, keep bool) {
			w.prefs.Change(func(p *preferences.Values) {
				p.Elsewhere = slices.DeleteFunc(slices.Clone(p.Elsewhere), func(o string) bool { return o == path })
				if keep {
					p.Elsewhere = append(p.Elsewhere, path)
				} else if p.Model == path {
					p.Model = ""
				}
			})
		},
	}
}
