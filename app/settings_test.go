package main

import (
	"testing"

	"github.com/spf13/cobra"

	"realword/inference"
	"realword/inference/bundle"
	"realword/ui/state"
)

// TestOneStopForWindowAndTerminal: 50 steps have the same T_stop however they are asked for.
func TestOneStopForWindowAndTerminal(t *testing.T) {
	m := bundle.Manifest{Presets: map[string]bundle.Preset{"paper": {Steps: 25, Stop: 12}, "release": {Steps: 25, Stop: 10}}}
	for preset, want := range map[string]int{"paper": 24, "release": 20} {
		var c cobra.Command
		var typed inference.Settings
		settingFlags(&c, &typed)
		if err := c.ParseFlags([]string{"--steps", "50", "--preset", preset}); err != nil {
			t.Fatal(err)
		}
		line, err := (&generation{}).parseLine([]byte(`{"name":"a","prompt":"a","seed":1,"steps":50,"preset":"`+preset+`"}`), "")
		if err != nil {
			t.Fatal(err)
		}
		window := state.Form{}.WithPreset(preset, &m).WithSteps(50, &m)
		for way, r := range map[string]inference.Request{"window": window.Request(), "terminal": {Settings: typed}, "batch": line.request} {
			if got := inference.Defaults(m, r).Stop; got != want {
				t.Errorf("%s, %s: T_stop %d, want %d", way, preset, got, want)
			}
		}
		if window.Stop != want {
			t.Errorf("the window shows %d, want %d", window.Stop, want)
		}
	}
}
