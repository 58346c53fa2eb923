package ui

import (
	"fyne.io/fyne/v2"

	"realword/ui/gallery"
	"realword/ui/preferences"
)

// preferencesHost is what the room of the preferences needs of the window.
func (w *Window) preferencesHost() preferences.Host {
	return preferences.Host{
		Layers: &w.Layers, Commands: w.Commands, Background: w.background,
		Program: w.opt.Program, Pictures: w.opt.Pictures, Models: w.opt.Models, OpenFolder: w.opt.OpenFolder, SaveFile: w.opt.SaveFile,
		Cards: w.opt.Cards,
		Steps: func(budget int64) fyne.CanvasObject { return gallery.NewBudget(budget, w.gallery.SetBudget) },
		Title: w.opt.Title, Credits: w.opt.Credits, Logs: w.opt.Logs, Report: w.opt.Report,
		OnChange: w.refresh,
		OnModels: func() { w.models.Reload() },
		OnBudget: w.journal.Budget.Store,
		OnReveal: func(folder string) { w.saver.Show(folder) },
		OnReport: w.notice.Say,
	}
}
