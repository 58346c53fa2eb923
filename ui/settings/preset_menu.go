package settings

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"realword/inference/bundle"
	"realword/ui/i18n"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wording"
)

// newPresetButton is the button from which presets of models of few steps are taken, and the user's own are taken, saved, renamed and
// deleted.
func (s *Panel) newPresetButton() *kit.Button {
	return s.host.Layers.MenuButton(i18n.T("My presets"), theme.ListIcon(), s.presetItems).
		Explain(i18n.T("Settings that you saved under a name, or want to save."))
}

// mine is the user's preset whose settings the form has, -1 where it is none. The button is lit with its name, or with that of a preset
// of few steps.
func (s *Panel) mine() int {
	form, own := s.host.State().Form, s.host.Presets()
	at := slices.IndexFunc(own, form.IsOwn)
	text, want := i18n.T("My presets"), widget.LowImportance
	if at >= 0 {
		text, want = state.Shorten(own[at].Name, 24), widget.HighImportance
	} else if slices.Contains(bundle.FewSteps(), form.Preset) {
		text, want = state.PresetName(form.Preset), widget.HighImportance
	}
	if s.own.Text != text || s.own.Importance != want {
		s.own.Importance = want
		s.own.SetText(text)
	}
	return at
}

func (s *Panel) presetItems() []*fyne.MenuItem {
	h, form := s.host, s.host.State().Form
	own := h.Presets()
	items := s.fewStepItems()
	current := -1
	for i, p := range own {
		item := fyne.NewMenuItem(p.Name, func() {
			h.Change(func(st *state.State) { st.Form = st.Form.WithOwn(p, st.Model) })
		})
		if item.Checked = form.IsOwn(p); item.Checked {
			current = i
		}
		items = append(items, item)
	}
	if len(own) > 0 {
		items = append(items, fyne.NewMenuItemSeparator())
	}
	store := fyne.NewMenuItem(i18n.T("Save these settings as…"), func() {
		s.askPresetName(i18n.T("Save these settings"), "", func(name string) { s.savePreset(h.State().Form.Own(name)) })
	})
	store.Disabled = form.Steps == 0
	if items = append(items, store); current < 0 {
		return items
	}
	p := own[current]
	return append(items,
		fyne.NewMenuItem(i18n.T("Rename “%s”…", state.Shorten(p.Name, 20)), func() {
			s.askPresetName(i18n.T("Rename the preset"), p.Name, func(name string) {
				renamed := p
				renamed.Name = strings.TrimSpace(name)
				h.SavePresets(h.Presets().Without(p.Name).With(renamed))
			})
		}),
		fyne.NewMenuItem(i18n.T("Delete “%s”", state.Shorten(p.Name, 20)), func() { s.deletePreset(p) }))
}

// savePreset keeps a preset; the one that it replaces can come back.
func (s *Panel) savePreset(p state.OwnPreset) {
	old := s.preset(p.Name)
	s.host.SavePresets(s.host.Presets().With(p))
	if saved := s.preset(p.Name); old != nil && saved != nil && *old != *saved {
		s.host.Done(i18n.T("The preset “%s” is replaced.", state.Shorten(p.Name, 40)),
			i18n.T("The preset “%s” is as it was.", state.Shorten(old.Name, 40)), s.exchanged(p.Name, old, saved))
	}
}

// deletePreset forgets a preset, which can come back.
func (s *Panel) deletePreset(p state.OwnPreset) {
	name := state.Shorten(p.Name, 40)
	s.host.SavePresets(s.host.Presets().Without(p.Name))
	s.host.Done(i18n.T("The preset “%s” is deleted.", name), i18n.T("The preset “%s” is back.", name), s.exchanged(p.Name, &p, nil))
}

// preset is the user's of that name; nil: there is none.
func (s *Panel) preset(name string) *state.OwnPreset {
	own := s.host.Presets()
	if at := own.Find(name); at >= 0 {
		return &own[at]
	}
	return nil
}

// exchanged is the deed that has put one preset in the place of another under a name.
func (s *Panel) exchanged(name string, was, is *state.OwnPreset) state.Deed {
	return state.Exchange(was, is, func() *state.OwnPreset { return s.preset(name) }, func(p *state.OwnPreset) {
		own := s.host.Presets().Without(name)
		if p != nil {
			own = own.With(*p)
		}
		s.host.SavePresets(own)
	})
}

// fewStepItems are the presets of models that were distilled to run in few steps.
func (s *Panel) fewStepItems() (items []*fyne.MenuItem) {
	h := s.host
	model, form := h.State().Model, h.State().Form
	if model == nil {
		return nil
	}
	for _, name := range bundle.FewSteps() {
		p, _ := model.Preset(name)
		item := fyne.NewMenuItem(i18n.T("%s, %d steps", state.PresetName(name), p.Steps), func() {
			h.Change(func(st *state.State) { st.Form = st.Form.WithPreset(name, st.Model) })
		})
		item.Checked = form.Preset == name
		items = append(items, item)
	}
	return append(items, fyne.NewMenuItemSeparator())
}

// askPresetName asks for a name on a sheet and hands a good one to use.
func (s *Panel) askPresetName(title, name string, use func(string)) {
	entry, wrong := kit.NewField(s.host.Shortcut, false), kit.NewBelow(theme.ColorNameError)
	entry.SetText(name)
	var closeIt func()
	var below *fyne.Container
	say := func(text string, color fyne.ThemeColorName) {
		if wrong.Set(text, color) {
			below.Refresh()
		}
	}
	entry.OnChanged = func(text string) { say(s.replaced(name, text), theme.ColorNameWarning) }
	done := func() {
		if err := s.checkNewName(name, entry.Text); err != nil {
			say(wording.Sentence(err), theme.ColorNameError)
			return
		}
		closeIt()
		use(entry.Text)
	}
	entry.OnSubmitted = func(string) { done() }
	no := kit.NewButton(i18n.T("Cancel"), func() { closeIt() })
	ok := kit.NewButton(i18n.T("Save"), done)
	ok.Importance = widget.HighImportance
	below = kit.NewColumn(6, kit.Caption(i18n.T("Name")), entry, wrong)
	closeIt = s.host.Layers.Sheet(title, fyne.NewSize(420, 190), below, no, ok)
	entry.Begin(s.host.Layers.Canvas())
}

// replaced says which preset a new one of a name takes the place of; "": none.
func (s *Panel) replaced(old, name string) string {
	own := s.host.Presets()
	if at := own.Find(strings.TrimSpace(name)); old == "" && at >= 0 {
		return i18n.T("This replaces your preset “%s”.", state.Shorten(own[at].Name, 40))
	}
	return ""
}

// checkNewName says why a preset cannot get a name: a new one (old is empty) replaces the one of its name, a renamed one does not.
func (s *Panel) checkNewName(old, name string) error {
	name = strings.TrimSpace(name)
	if old != "" && !strings.EqualFold(old, name) && s.host.Presets().Find(name) >= 0 {
		return i18n.Errorf("a preset with this name exists: choose another name")
	}
	return state.CheckPresetName(name)
}
