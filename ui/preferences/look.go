package preferences

import (
	"realword/ui/command"
	"realword/ui/i18n"
	"realword/ui/kit"
)

// Apply has the windows look as the preferences say.
func (d *Desk) Apply() {
	kit.SetLook(d.Look, d.TextSize)
	d.app.Settings().SetTheme(kit.Theme()) // everything is measured and drawn anew
	kit.ForgetFonts()
}

// zoomText makes texts larger or smaller by percent; 0 brings back 100 %.
func (d *Desk) zoomText(percent int) {
	d.Change(func(p *Values) {
		if percent == 0 {
			p.TextSize = 100
		}
		p.TextSize = min(max(p.TextSize+percent, leastTextSize), mostTextSize)
	})
}

// LookActions are the switches of the View menu.
func (d *Desk) LookActions() []command.Action {
	set := func(name string) func() {
		return func() { d.Change(func(p *Values) { p.Look = name }) }
	}
	is := func(name string) func() bool { return func() bool { return d.Look == name } }
	return []command.Action{
		command.Separator(command.MenuView),
		{
			ID: "view.text.larger", Menu: command.MenuView, Label: i18n.T("Larger text"), Key: "Ctrl+=", Do: func() { d.zoomText(10) },
			Can: func() bool { return d.TextSize < mostTextSize },
		},
		{
			ID: "view.text.smaller", Menu: command.MenuView, Label: i18n.T("Smaller text"), Key: "Ctrl+-", Do: func() { d.zoomText(-10) },
			Can: func() bool { return d.TextSize > leastTextSize },
		},
		{
			ID: "view.text.normal", Menu: command.MenuView, Label: i18n.T("Text at 100 %%"), Key: "Ctrl+0", Do: func() { d.zoomText(0) },
			Can: func() bool { return d.TextSize != 100 },
		},
		command.Separator(command.MenuView),
		{ID: "view.look.system", Menu: command.MenuView, Label: i18n.T("Follow system theme"), Do: set("system"), On: is("system")},
		{ID: "view.look.light", Menu: command.MenuView, Label: i18n.T("Light"), Do: set("light"), On: is("light")},
		{ID: "view.look.dark", Menu: command.MenuView, Label: i18n.T("Dark"), Do: set("dark"), On: is("dark")},
	}
}
