package ui

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// newPresetButton is the button from which the user's presets are taken, saved, renamed and deleted.
func (w *Window) newPresetButton() *kit.Button {
	var b *kit.Button
	b = kit.NewButtonWithIcon(i18n.T("My presets"), theme.MenuDropDownIcon(), func() {
		widget.ShowPopUpMenuAtRelativePosition(fyne.NewMenu("", w.presetItems()...), w.win.Canvas(), fyne.NewPos(0, b.Size().Height), b)
	})
	b.Importance, b.Alignment = widget.LowImportance, widget.ButtonAlignLeading
	return b
}

func (w *Window) presetItems() []*fyne.MenuItem {
	prefs := w.app.Preferences()
	own := readPresets(prefs)
	var items []*fyne.MenuItem
	current := -1
	for i, p := range own {
		item := fyne.NewMenuItem(p.Name, func() {
			w.state.Form = w.state.Form.WithOwn(p, w.state.Model)
			w.refresh()
		})
		if item.Checked = w.state.Form.IsOwn(p); item.Checked {
			current = i
		}
		items = append(items, item)
	}
	if len(own) > 0 {
		items = append(items, fyne.NewMenuItemSeparator())
	}
	store := fyne.NewMenuItem(i18n.T("Save these settings as…"), func() {
		w.askPresetName(i18n.T("Save these settings"), "", func(name string) {
			savePresets(prefs, readPresets(prefs).With(w.state.Form.Own(name)))
		})
	})
	store.Disabled = w.state.Form.Steps == 0
	if items = append(items, store); current < 0 {
		return items
	}
	p := own[current]
	return append(items,
		fyne.NewMenuItem(i18n.T("Rename “%s”…", state.Shorten(p.Name, 20)), func() {
			w.askPresetName(i18n.T("Rename the preset"), p.Name, func(name string) {
				renamed := p
				renamed.Name = strings.TrimSpace(name)
				savePresets(prefs, readPresets(prefs).Without(p.Name).With(renamed))
			})
		}),
		fyne.NewMenuItem(i18n.T("Delete “%s”", state.Shorten(p.Name, 20)), func() { savePresets(prefs, readPresets(prefs).Without(p.Name)) }))
}

// askPresetName asks for a name on a sheet and hands a good one to use.
func (w *Window) askPresetName(title, name string, use func(string)) {
	entry, wrong := kit.NewField(w.Shortcut, false), kit.Caption("")
	wrong.Color = theme.ColorNameError
	entry.SetText(name)
	var closeIt func()
	done := func() {
		if err := w.checkNewName(name, entry.Text); err != nil {
			wrong.Set(wording.Sentence(err))
			return
		}
		closeIt()
		use(entry.Text)
	}
	entry.OnSubmitted = func(string) { done() }
	no := kit.NewButton(i18n.T("Cancel"), func() { closeIt() })
	ok := kit.NewButton(i18n.T("Save"), done)
	ok.Importance = widget.HighImportance
	closeIt = w.Sheet(title, fyne.NewSize(420, 170), kit.NewColumn(6, kit.Caption(i18n.T("Name")), entry, wrong), no, ok)
	w.win.Canvas().Focus(entry)
}

// checkNewName says why a preset cannot get a name: a new one (old is empty) replaces the one of its name, a renamed one does not.
func (w *Window) checkNewName(old, name string) error {
	name = strings.TrimSpace(name)
	if old != "" && !strings.EqualFold(old, name) && readPresets(w.app.Preferences()).Find(name) >= 0 {
		return i18n.Errorf("a preset with this name exists: choose another name")
	}
	return state.CheckPresetName(name)
}
