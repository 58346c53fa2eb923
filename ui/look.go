package ui

import (
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
func (w *Window) lookActions() []action {
	set := func(name string) func() {
		return func() { p := w.prefs; p.Look = name; w.setPreferences(p) }
	}
	is := func(name string) func() bool { return func() bool { return w.prefs.Look == name } }
	return []action{
		separator(menuView),
		{id: "view.text.larger", menu: menuView, label: i18n.T("Larger text"), key: "Ctrl+=", do: func() { w.zoomText(10) }, can: func() bool { return w.prefs.TextSize < maxTextSize }},
		{id: "view.text.smaller", menu: menuView, label: i18n.T("Smaller text"), key: "Ctrl+-", do: func() { w.zoomText(-10) }, can: func() bool { return w.prefs.TextSize > minTextSize }},
		{id: "view.text.normal", menu: menuView, label: i18n.T("Text at 100 %%"), key: "Ctrl+0", do: func() { w.zoomText(0) }, can: func() bool { return w.prefs.TextSize != 100 }},
		separator(menuView),
		{id: "view.look.system", menu: menuView, label: i18n.T("Follow system theme"), do: set("system"), on: is("system")},
		{id: "view.look.light", menu: menuView, label: i18n.T("Light"), do: set("light"), on: is("light")},
		{id: "view.look.dark", menu: menuView, label: i18n.T("Dark"), do: set("dark"), on: is("dark")},
	}
}
