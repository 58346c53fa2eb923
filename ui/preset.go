package ui

import (
	"encoding/json"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference/bundle"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/wording"
)

// OwnPreset is settings that the user has given a name. Base is the preset of the model that decides what they do not say.
type OwnPreset struct {
	Name        string
	Base        string
	Steps, Stop int
	CFG         float64
	Negative    string  `json:",omitempty"`
	Scope       float64 `json:",omitempty"` // γ_scope of all subjects; 0 leaves theirs
	Sampler     string  `json:",omitempty"` // as in Advanced
	MaskSource  string  `json:",omitempty"`
	RawMask     bool    `json:",omitempty"`
	MaskNorm    string  `json:",omitempty"`
}

// OwnPresets are the user's presets in the order of their names.
type OwnPresets []OwnPreset

// ownPresetsKey is where they are in the app's preferences.
const ownPresetsKey = "presets"

// readPresets reads what save has written. What cannot be read, or names a preset that no model has, is left out.
func readPresets(prefs fyne.Preferences) OwnPresets {
	var list OwnPresets
	if json.Unmarshal([]byte(prefs.String(ownPresetsKey)), &list) != nil {
		return nil
	}
	return slices.DeleteFunc(list, func(p OwnPreset) bool {
		return strings.TrimSpace(p.Name) == "" || p.Base != "paper" && p.Base != "release" || p.Steps < 1 || p.Stop < 1 || p.Stop > p.Steps || p.CFG < 1
	})
}

func (l OwnPresets) save(prefs fyne.Preferences) {
	data, err := json.Marshal(l)
	if err != nil {
		return // plain values: it does not happen
	}
	prefs.SetString(ownPresetsKey, string(data))
}

func (l OwnPresets) find(name string) int {
	return slices.IndexFunc(l, func(p OwnPreset) bool { return strings.EqualFold(p.Name, name) })
}

// With adds a preset, or replaces the one of its name.
func (l OwnPresets) With(p OwnPreset) OwnPresets {
	l = l.Without(p.Name)
	l = append(l, p)
	slices.SortFunc(l, func(a, b OwnPreset) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return l
}

// Without takes a preset away.
func (l OwnPresets) Without(name string) OwnPresets {
	return slices.DeleteFunc(slices.Clone(l), func(p OwnPreset) bool { return strings.EqualFold(p.Name, name) })
}

// checkPresetName says why a preset cannot have a name.
func checkPresetName(name string) error {
	switch name = strings.TrimSpace(name); {
	case name == "":
		return i18n.Errorf("write a name for the preset")
	case len([]rune(name)) > 40:
		return i18n.Errorf("the name is too long: use at most 40 letters")
	case strings.EqualFold(name, "paper") || strings.EqualFold(name, "release"):
		return i18n.Errorf("%s is a preset of the model: choose another name", name)
	}
	return nil
}

// Own is the form's settings under a name. The reach is kept where all subjects have the same one.
func (f Form) Own(name string) OwnPreset {
	p := OwnPreset{Name: strings.TrimSpace(name), Base: f.Preset, Steps: f.Steps, Stop: f.Stop, CFG: f.CFG, Negative: f.Negative,
		Sampler: f.Sampler, MaskSource: f.MaskSource, RawMask: f.RawMask, MaskNorm: f.MaskNorm}
	for i, c := range f.Cards {
		if i > 0 && c.Scope != p.Scope {
			p.Scope = 0
			break
		}
		p.Scope = c.Scope
	}
	return p
}

// WithOwn takes the user's preset over.
func (f Form) WithOwn(p OwnPreset, m *bundle.Manifest) Form {
	f = f.WithPreset(p.Base, m)
	f.Steps, f.Stop, f.CFG, f.Negative = p.Steps, p.Stop, p.CFG, p.Negative
	f.Sampler, f.MaskSource, f.RawMask, f.MaskNorm = p.Sampler, p.MaskSource, p.RawMask, p.MaskNorm
	if p.Scope > 0 {
		f.Cards = slices.Clone(f.Cards)
		for i := range f.Cards {
			f.Cards[i].Scope = p.Scope
		}
	}
	return f
}

// IsOwn tells whether the form's settings are those of a preset.
func (f Form) IsOwn(p OwnPreset) bool {
	return f.Preset == p.Base && f.Steps == p.Steps && f.Stop == p.Stop && f.CFG == p.CFG && f.Negative == p.Negative &&
		f.Sampler == p.Sampler && f.MaskSource == p.MaskSource && f.RawMask == p.RawMask && f.MaskNorm == p.MaskNorm
}

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
			readPresets(prefs).With(w.state.Form.Own(name)).save(prefs)
		})
	})
	store.Disabled = w.state.Form.Steps == 0
	if items = append(items, store); current < 0 {
		return items
	}
	p := own[current]
	return append(items,
		fyne.NewMenuItem(i18n.T("Rename “%s”…", shorten(p.Name, 20)), func() {
			w.askPresetName(i18n.T("Rename the preset"), p.Name, func(name string) {
				renamed := p
				renamed.Name = strings.TrimSpace(name)
				readPresets(prefs).Without(p.Name).With(renamed).save(prefs)
			})
		}),
		fyne.NewMenuItem(i18n.T("Delete “%s”", shorten(p.Name, 20)), func() { readPresets(prefs).Without(p.Name).save(prefs) }))
}

// askPresetName asks for a name on a sheet and hands a good one to use.
func (w *Window) askPresetName(title, name string, use func(string)) {
	entry, wrong := kit.NewField(w.shortcut, false), kit.Caption("")
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
	if old != "" && !strings.EqualFold(old, name) && readPresets(w.app.Preferences()).find(name) >= 0 {
		return i18n.Errorf("a preset with this name exists: choose another name")
	}
	return checkPresetName(name)
}
