package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"realword/inference"
	"realword/ui/state"
	"realword/ui/uitest"
)

func (b *bench) presets() string {
	var names []string
	for _, p := range readPresets(b.app.Preferences()) {
		names = append(names, p.Name)
	}
	return strings.Join(names, " ")
}

// presetItem is the entry of the menu that begins with a text.
func (b *bench) presetItem(begins string) *fyne.MenuItem {
	b.t.Helper()
	for _, i := range b.set.PresetItems() {
		if strings.HasPrefix(i.Label, begins) {
			return i
		}
	}
	b.t.Fatalf("no entry %q", begins)
	return nil
}

func TestOwnPresetsAreSavedTakenOverRenamedAndDeleted(t *testing.T) {
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog and a cat")
	b.drop(nil, uitest.File(t, "dog.png", uitest.PNG(uitest.Red)), uitest.File(t, "cat.png", uitest.PNG(uitest.Green)))
	f := &b.state.Form
	*f = f.WithPreset("release", uitest.Toybox)
	f.Steps, f.Stop, f.CFG, f.Negative = 30, 9, 5, "blurry"
	*f = f.WithScope(1, 0.3).WithScope(2, 0.3)
	want := f.Own(" soft ")
	savePresets(b.app.Preferences(), readPresets(b.app.Preferences()).With(want).With(state.OwnPreset{Name: "Bold", Settings: inference.Settings{Preset: "paper", Steps: 9, Stop: 4, CFG: 9}}))
	if got := b.presets(); got != "Bold soft" {
		t.Fatalf("presets %q", got)
	}
	b.presetItem("Bold").Action()
	if f := b.state.Form; f.Preset != "paper" || f.Steps != 9 || f.Stop != 4 || f.CFG != 9 || f.Negative != "" || f.Cards[0].Scope != 0.3 {
		t.Errorf("Bold: %+v", f)
	}
	if !b.presetItem("Bold").Checked || b.presetItem("soft").Checked {
		t.Error("the menu does not mark the preset that is in force")
	}
	b.state.Form = b.state.Form.WithScope(1, 0.5)
	b.presetItem("soft").Action()
	if f := b.state.Form; f.Preset != "release" || f.Steps != 30 || f.Stop != 9 || f.CFG != 5 || f.Negative != "blurry" || f.Cards[0].Scope != 0.3 {
		t.Errorf("soft: %+v", f)
	}
	for old, name := range map[string]string{"": "paper", "soft": "bold", "x": " ", "y": strings.Repeat("n", 41)} {
		if b.set.CheckNewName(old, name) == nil {
			t.Errorf("%q can become %q", old, name)
		}
	}
	if err := b.set.CheckNewName("soft", "Soft"); err != nil {
		t.Error(err)
	}
	b.presetItem("Delete “soft”").Action()
	if got := b.presets(); got != "Bold" {
		t.Errorf("presets %q", got)
	}
}

func TestPresetsThatCannotBeReadAreLeftOut(t *testing.T) {
	b := ready(t, nil)
	for text, want := range map[string]string{
		"": "", "no json": "", `[{"Name":"a","Base":"paper","Steps":9,"Stop":4,"CFG":2}]`: "a",
		`[{"Name":"a","Base":"other","Steps":9,"Stop":4,"CFG":2},{"Name":"b","Base":"paper","Steps":-1,"Stop":1,"CFG":2},{"Name":"","Base":"paper","Steps":9,"Stop":4,"CFG":2}]`: "",
	} {
		b.app.Preferences().SetString(ownPresetsKey, text)
		if got := b.presets(); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
