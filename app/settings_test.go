package main

import (
	"encoding/json"
	"strings"
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

// TestEverySettingHasItsWay: what an option reads is what a line of a batch reads.
func TestEverySettingHasItsWay(t *testing.T) {
	want := inference.Settings{
		Negative: "rain", Preset: "release", Width: 640, Height: 512, Steps: 50, Stop: 9, CFG: 2.5, Rescale: 0.7, UncondAttention: "perturbed", Sampler: "ddim",
		MaskSource: "low_cross", MaskNorm: "min_max_per_channel", Scope: 0.35, Fit: "crop", Literal: true, Cut: true,
		Swift: true, Rest: 0.3, Settle: 0.04, Interval: "0.3-4", Every: 3,
	}
	var args []string
	for _, row := range inference.Table() {
		if row.Flag != "" {
			args = append(args, "--"+row.Flag+"="+row.Get(want))
		}
	}
	var c cobra.Command
	var typed inference.Settings
	settingFlags(&c, &typed)
	if err := c.ParseFlags(args); err != nil || typed != want {
		t.Errorf("%v: %q is %+v", err, args, typed)
	}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	line := append([]byte(`{"name":"a","prompt":"a","seed":1,`), data[1:]...)
	read, err := (&generation{}).parseLine(line, "")
	if err != nil || read.request.Settings != want {
		t.Errorf("%v: %s is %+v", err, line, read.request.Settings)
	}
}

// TestZerosOfALine are those of the command line: a part of swift is off, and what cannot be 0 is refused.
func TestZerosOfALine(t *testing.T) {
	g := generation{request: inference.Request{Settings: inference.Settings{Swift: true, Rest: 0.3, Rescale: 0.7}}}
	line := func(rest string) (inference.Settings, error) {
		c, err := g.parseLine([]byte(`{"name":"a","prompt":"a","seed":1,`+rest+`}`), "")
		return c.request.Settings, err
	}
	got, err := line(`"uncond_every":1,"mask_rest":0,"Mask_Settle":0.0,"cfg_interval":"0","guidance_rescale":0`)
	want := inference.Settings{
		Swift: true, Rest: inference.NoShare, Settle: inference.NoShare, Interval: "0", Every: 1, Rescale: inference.NoRescale,
	}
	if err != nil || got != want {
		t.Errorf("%v: it is %+v, want %+v", err, got, want)
	}
	for _, row := range inference.Table() {
		if row.Zero == "" || row.Key == "" {
			continue
		}
		if got, err := line(`"` + row.Key + `":0`); err == nil || !strings.Contains(err.Error(), row.Zero) {
			t.Errorf("%s of 0: %v, %+v", row.Key, err, got)
		}
	}
}
