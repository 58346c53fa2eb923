package ui

import (
	"strings"
	"testing"
)

func (b *bench) presets() string {
	var names []string
	for _, p := range readPresets(b.app.Preferences()) {
		names = append(names, p.Name)
	}
	return strings.Join(names, " ")
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
