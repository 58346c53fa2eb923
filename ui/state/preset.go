package state

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"realword/inference"
	"realword/inference/bundle"
	"realword/ui/i18n"
)

// OwnPreset is settings that the user has given a name. Their preset is the model's, which decides what they do not say; their scope
// is of all subjects, where it is there. They say nothing of the size.
type OwnPreset struct {
	Name string
	inference.Settings
}

// namedPreset is what of an own preset has other names in the preferences than settings have in drafts.
type namedPreset struct{ Name, Base string }

// MarshalJSON writes the preset for the preferences.
func (p OwnPreset) MarshalJSON() ([]byte, error) {
	named := namedPreset{p.Name, p.Preset}
	p.Preset = ""
	return withSettings(named, p.Settings)
}

// UnmarshalJSON reads what MarshalJSON has written.
func (p *OwnPreset) UnmarshalJSON(data []byte) error {
	var named namedPreset
	err := errors.Join(json.Unmarshal(data, &named), readSettings(data, &p.Settings))
	p.Name, p.Preset = named.Name, named.Base
	return err
}

// OwnPresets are the user's presets in the order of their names.
type OwnPresets []OwnPreset

func (l OwnPresets) Find(name string) int {
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

// CheckPresetName says why a preset cannot have a name.
func CheckPresetName(name string) error {
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
	p := OwnPreset{strings.TrimSpace(name), f.Settings}
	p.Width, p.Height, p.Literal, p.Cut = 0, 0, false, false // which are the picture's
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
	f.Settings = p.Over(inference.Settings{Width: f.Width, Height: f.Height, Literal: f.Literal, Cut: f.Cut})
	if f.Scope = 0; p.Scope > 0 {
		f.Cards = slices.Clone(f.Cards)
		for i := range f.Cards {
			f.Cards[i].Scope = p.Scope
		}
	}
	return f.Settle(m)
}

// IsOwn tells whether the form's settings are those of a preset, whatever the reach of subjects.
func (f Form) IsOwn(p OwnPreset) bool {
	mine := f.Own(p.Name)
	mine.Scope, mine.Negative, p.Negative = p.Scope, strings.TrimSpace(mine.Negative), strings.TrimSpace(p.Negative)
	return mine == p
}
