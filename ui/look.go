package ui

import (
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
)

// applyLook shows the window as the preferences say.
func (w *Window) applyLook() {
	kit.SetLook(w.prefs.Look, w.prefs.TextSize)
	w.app.Settings().SetTheme(kit.Theme()) // everything is measured and drawn anew
}

// zoomText makes texts larger or smaller by percent; 0 brings back 100 %.
func (w *Window) zoomText(percent int) {
	p := w.prefs
	if percent == 0 {
		p.TextSize = 100
	}
	p.TextSize = min(max(p.TextSize+percent, minTextSize), maxTextSize)
	w.setPreferences(p)
}

// lookActions are the switches of the View menu.
func (w *Window) lookActions() []command.Action {
	set := func(name string) func() {
		return func() { p := w.prefs; p.Look = name; w.setPreferences(p) }
	}
	is := func(name string) func() bool { return func() bool { return w.prefs.Look == name } }
	return []command.Action{
		command.Separator(command.MenuView),
		{
			ID: "view.text.larger", Menu: command.MenuView, Label: i18n.T("Larger text"), Key: "Ctrl+=", Do: func() { w.zoomText(10) },
			Can: func() bool { return w.prefs.TextSize < maxTextSize },
		},
		{
			ID: "view.text.smaller", Menu: command.MenuView, Label: i18n.T("Smaller text"), Key: "Ctrl+-", Do: func() { w.zoomText(-10) },
			Can: func() bool { return w.prefs.TextSize > minTextSize },
		},
		{
			ID: "view.text.normal", Menu: command.MenuView, Label: i18n.T("Text at 100 %%"), Key: "Ctrl+0", Do: func() { w.zoomText(0) },
			Can: func() bool { return w.prefs.TextSize != 100 },
		},
		command.Separator(command.MenuView),
		{ID: "view.look.system", Menu: command.MenuView, Label: i18n.T("Follow system theme"), Do: set("system"), On: is("system")},
		{ID: "view.look.light", Menu: command.MenuView, Label: i18n.T("Light"), Do: set("light"), On: is("light")},
		{ID: "view.look.dark", Menu: command.MenuView, Label: i18n.T("Dark"), Do: set("dark"), On: is("dark")},
	}
}
