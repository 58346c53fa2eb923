package inference

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"realword/inference/bundle"
)

// everySetting has every field set to something that no preset of the fake model has.
var everySetting = Settings{
	Negative: "rain", Preset: "release", Width: 24, Height: 32, Steps: 50, Stop: 9, CFG: 2.5, Rescale: 0.7, UncondAttention: "perturbed", Sampler: "ddim",
	MaskSource: "low_cross", RawMask: true, MaskNorm: "min_max_per_channel", Scope: 0.35, Fit: "crop", Literal: true, Cut: true, LoRAs: "<lora:ink:0.8>",
	Swift: true, Rest: 0.3, Settle: 0.04, Interval: "0.3-4", Every: 3,
}

// TestTheTableIsComplete: a field without a row would be lost in drafts, own presets and wherever settings are completed.
func TestTheTableIsComplete(t *testing.T) {
	fields := reflect.TypeFor[Settings]()
	rows := map[string]Setting{}
	for _, row := range Table() {
		if row.Called == "" || row.Flag != "" && row.Help == "" || row.A1111 != "" && !row.OfMasks && row.Takes == "" {
			t.Errorf("%q %q lacks a text", row.Key, row.Flag)
		}
		if row.Field != "" {
			rows[row.Field] = row
		}
	}
	for i := range fields.NumField() {
		f, s := fields.Field(i), everySetting
		row, ok := rows[f.Name]
		if key, _, _ := strings.Cut(f.Tag.Get("json"), ","); !ok || key != row.Key {
			t.Errorf("the field %s with the tag %q has the row %q", f.Name, f.Tag, row.Key)
			continue
		}
		if reflect.ValueOf(s).Field(i).IsZero() {
			t.Errorf("everySetting has no %s", f.Name)
		}
		said := row.Get(s)
		_ = row.Set(&s, "")
		if !reflect.ValueOf(s).Field(i).IsZero() || row.Get(s) != "" {
			t.Errorf("%s is not cleared, or says %q", f.Name, row.Get(s))
		}
		if err := row.Set(&s, said); err != nil || s != everySetting {
			t.Errorf("%s does not read %q: %v, %+v", f.Name, said, err, s)
		}
	}
	if len(rows) != fields.NumField() {
		t.Errorf("%d rows, %d fields", len(rows), fields.NumField())
	}
}

// TestComplete: what is set stays, the rest comes from the preset, T_stop as its share of the steps.
func TestComplete(t *testing.T) {
	m := newFakeModel(t).manifest
	if got := everySetting.Complete(m); got != everySetting {
		t.Errorf("got  %+v\nfrom %+v", got, everySetting)
	}
	release := Settings{Negative: "ugly", Preset: "release", Width: 16, Height: 16, Steps: 25, Stop: 12, CFG: 3.5, Sampler: "dpm++", MaskSource: "all_cross", Scope: 0.25, Fit: "stretch"}
	if got := (Settings{Preset: "release"}).Complete(m); got != release {
		t.Errorf("release: %+v", got)
	}
	got := Settings{Steps: 50, Height: 32}.Complete(m)
	want := Settings{Preset: "paper", Width: 16, Height: 32, Steps: 50, Stop: 24, CFG: 7.5, Sampler: "ddim", MaskSource: "low_cross_high_self", Scope: 0.2, Fit: "pad"}
	if got != want || got.Complete(m) != got {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestRescaleOfThePreset: a model that wants guidance rescale has it unless another value, or none, was chosen.
func TestRescaleOfThePreset(t *testing.T) {
	plain := newFakeModel(t).manifest
	wants := newFakeModel(t).manifest
	for name, p := range wants.Presets {
		p.Rescale = 0.7
		wants.Presets[name] = p
	}
	var row Setting
	for _, r := range Table() {
		if r.Key == "guidance_rescale" {
			row = r
		}
	}
	for text, want := range map[string][2]float64{"": {0, 0.7}, "0": {0, NoRescale}, "0.0": {0, NoRescale}, "0.3": {0.3, 0.3}} {
		var s Settings
		if err := row.Set(&s, text); err != nil {
			t.Fatal(err)
		}
		for i, m := range []bundle.Manifest{plain, wants} {
			full := s.Complete(m)
			if full.Rescale != want[i] || full.Complete(m) != full || s.Wishes(m).Complete(m) != full {
				t.Errorf("%q is %g, want %g; %+v", text, full.Rescale, want[i], s.Wishes(m))
			}
			if err := row.check(full, m); err != nil {
				t.Error(err)
			}
			again := Settings{}
			if err := row.Set(&again, row.Get(full)); err != nil || again.Rescale != full.Rescale {
				t.Errorf("%q is written %q", text, row.Get(full))
			}
		}
	}
	guided := []float32{2, -2}
	if rescale(guided, []float32{1, -1}, NoRescale); guided[0] != 2 {
		t.Errorf("no rescale changes 2 to %g", guided[0])
	}
}

// TestWishes: what follows the preset follows another one, another number of steps and another model; what was chosen stays.
func TestWishes(t *testing.T) {
	m := newFakeModel(t).manifest
	for _, wish := range []Settings{
		{},
		{Steps: 50},
		{Steps: 50, Stop: 9},
		{Stop: 9},
		{CFG: 3},
		{Preset: "release"},
		{Preset: "release", Negative: " "},
		{Preset: "release", Negative: "rain", CFG: 7.5},
		{Width: 24, Height: 32},
		{Sampler: "dpm++", MaskSource: "low_cross"},
		{RawMask: true},
		{MaskNorm: "min_max_per_channel"},
		{Scope: 0.3, Fit: "crop"},
	} {
		if got := wish.Complete(m).Wishes(m); got != wish {
			t.Errorf("%+v: %+v", wish, got)
		}
	}
	if got := (Settings{Preset: "paper", Steps: 25, Stop: 12, Sampler: "ddim", Negative: " "}).Wishes(m); got != (Settings{}) {
		t.Errorf("what the preset says already is wished for: %+v", got)
	}
}

// TestScopeAndFitForAll: a scope and a fit for all, which subjects and references of their own do not take, and that
// leave no other trace in a recipe.
func TestScopeAndFitForAll(t *testing.T) {
	own := Subject{Scope: 0.1, References: []Reference{{}}}
	own.References[0].Square.Fit = "pad"
	r := Request{Settings: Settings{Scope: 0.3, Fit: "crop"}, Subjects: []Subject{own, {References: []Reference{{}}}}}
	got := Defaults(bundle.Manifest{}, r)
	if a, b := got.Subjects[0], got.Subjects[1]; a.Scope != 0.1 || a.References[0].Square.Fit != "pad" || b.Scope != 0.3 || b.References[0].Square.Fit != "crop" {
		t.Errorf("%+v", got.Subjects)
	}
	if data, _ := json.Marshal(Defaults(bundle.Manifest{}, Request{Settings: Settings{Scope: 0.3, Fit: "crop"}})); strings.Contains(string(data), "0.3") || strings.Contains(string(data), "crop") {
		t.Errorf("%s", data)
	}
}

// TestQuickPresets: those of models of few steps are there in every model, and can be run.
func TestQuickPresets(t *testing.T) {
	m := newFakeModel(t).manifest
	for preset, want := range map[string]Settings{
		"lightning": {Sampler: "euler-trailing", Steps: 4, Stop: 2}, "turbo": {Sampler: "euler-a-trailing", Steps: 4, Stop: 2},
		"lcm": {Sampler: "lcm", Steps: 8, Stop: 4}, "hyper": {Sampler: "ddim", Steps: 8, Stop: 4}, "dmd2": {Sampler: "lcm-trailing", Steps: 4, Stop: 2},
	} {
		got := Settings{Preset: preset}.Complete(m)
		if got.Sampler != want.Sampler || got.Steps != want.Steps || got.Stop != want.Stop || got.CFG != 1 || got.Negative != "" || got.Rescale != 0 ||
			got.MaskSource != "low_cross_high_self" || got.Scope != 0.2 {
			t.Errorf("%s: %+v", preset, got)
		}
		for _, row := range Table() {
			if row.check != nil && row.check(got, m) != nil {
				t.Errorf("%s: %v", preset, row.check(got, m))
			}
		}
	}
	if ts := timesteps(m, Request{Settings: Settings{Preset: "dmd2"}.Complete(m)}); !slices.Equal(ts, []int{999, 749, 499, 249}) {
		t.Errorf("DMD2 runs at %v", ts)
	}
	if own := (Settings{Preset: "lcm", Steps: 4}).Complete(m); own.Stop != 2 {
		t.Errorf("%+v", own)
	}
	m.Presets["lcm"] = bundle.Preset{Sampler: "euler", Steps: 6, Stop: 3, CFG: 2}
	if own := (Settings{Preset: "lcm"}).Complete(m); own.Sampler != "euler" || own.CFG != 2 {
		t.Errorf("the model's own preset is not the one that counts: %+v", own)
	}
}

// TestTheNearestSide is named where a side is none that the model can do.
func TestTheNearestSide(t *testing.T) {
	m := bundle.Manifest{Name: "m", Size: bundle.Size{Min: 64, Max: 200, Multiple: 16}}
	for n, want := range map[int]string{161: ": 160 is", 97: ": 96 is", 175: ": 176 is", 199: ": 192 is", 65: ": 64 is"} {
		if err := checkSide("width", n, m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d: it says %v, want %q", n, err, want)
		}
	}
}

// Another preset brings its own numbers; what is not a preset's business stays as it was chosen, to the letter.
func TestAnotherPreset(t *testing.T) {
	m := bundle.Manifest{Size: bundle.Size{Width: 512, Height: 512}, Presets: map[string]bundle.Preset{
		"paper":   {Sampler: "ddim", Steps: 25, Stop: 12, CFG: 7.5, Scope: 0.25, MaskSource: "low_cross_high_self"},
		"release": {Sampler: "ddpm", Steps: 50, Stop: 25, CFG: 3.5, Scope: 0.2, Negative: "ugly", MaskSource: "all_cross"},
	}}
	was := Settings{
		Preset: "paper", Negative: "rain", Steps: 30, CFG: 9, Sampler: "euler", Scope: 0.4, Width: 640, Height: 512,
		LoRAs: "<lora:lightning-4step:1:sum>", Literal: true, Swift: true, Interval: "0.28-5.42",
	}
	want := Settings{
		Preset: "release", Negative: "rain", Width: 640, Height: 512, LoRAs: was.LoRAs, Literal: true, Swift: true, Interval: "0.28-5.42",
	}
	if got := was.Complete(m).WithPreset("release", m); got != want {
		t.Errorf("got %+v,\nwant %+v", got, want)
	}
	if got := (Settings{Preset: "release"}).Complete(m).WithPreset("paper", m); got != (Settings{Preset: "paper"}) {
		t.Errorf("nothing was chosen, yet %+v stays", got)
	}
}
