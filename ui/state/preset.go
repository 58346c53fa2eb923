package state

import (
	"slices"
	"strings"

	"realword/inference/bundle"
	"realword/ui/i18n"
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
