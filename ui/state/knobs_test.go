package state

import (
	"maps"
	"testing"

	"realword/inference"
	"realword/ui/uitest"
)

// TestEverySettingHasAKnob: what differs is said in a comparison of recipes, whichever setting it is.
func TestEverySettingHasAKnob(t *testing.T) {
	base := inference.Settings{}.Complete(*uitest.Roomy)
	for _, row := range inference.Table() {
		if row.Key == "scope" || row.Key == "fit" || row.Field == "" {
			continue // cards have them
		}
		s := base
		for _, text := range []string{"17", "0.5", "true", "<lora:x:0.5>", "0.5-", "release", "perturbed"} {
			if row.Set(&s, text) == nil {
				break
			}
		}
		said := 0
		for _, k := range Knobs() {
			if k.Text(s) != k.Text(base) {
				said++
			}
		}
		if s == base || said != 1 {
			t.Errorf("%s: %d knobs tell %+v", row.Key, said, s)
		}
	}
}

// TestDialsOfSettings go with requests, drafts and own presets.
func TestDialsOfSettings(t *testing.T) {
	for _, k := range Knobs() {
		if k.Dial == nil {
			continue
		}
		before := Form{}.Settle(uitest.Roomy)
		f, v := before, k.Dial.High-k.Dial.Step
		*k.Dial.At(&f.Settings) = v
		r, own := f.Request(), f.Own("mine")
		back := before.WithOwn(own, uitest.Roomy)
		data, err := f.MarshalJSON()
		var read Form
		if err != nil || read.UnmarshalJSON(data) != nil {
			t.Fatal(err)
		}
		for where, s := range map[string]inference.Settings{"request": r.Settings, "own preset": back.Settings, "draft": read.Settings} {
			if *k.Dial.At(&s) != v {
				t.Errorf("%s: the %s has %+v", k.Label, where, s)
			}
		}
		if !back.IsOwn(own) || before.IsOwn(own) || len(changedFields(before, f)) != 1 {
			t.Errorf("%s: it is no change", k.Label)
		}
	}
}

// TestNoRescaleWhereThePresetHasOne: the dial at zero is a choice there.
func TestNoRescaleWhereThePresetHasOne(t *testing.T) {
	m := *uitest.Toybox
	m.Presets = maps.Clone(m.Presets)
	p := m.Presets["paper"]
	p.Rescale = 0.7
	m.Presets["paper"] = p
	f := Form{}.Settle(&m)
	if f.Rescale != 0.7 {
		t.Errorf("the form begins with %g", f.Rescale)
	}
	for _, k := range Knobs() {
		if k.Dial == nil || k.Dial.None == 0 {
			continue
		}
		k.Dial.Turn(&f.Settings, 0)
		if full := f.Completed(&m); full.Rescale != inference.NoRescale || k.Text(full) != "0" {
			t.Errorf("turned to zero, it is %g, shown as %s", full.Rescale, k.Text(full))
		}
		return
	}
	t.Error("no dial has a zero of its own")
}

// A preset leaves LoRAs alone: "models of few steps … as LoRA have presets" (docs/studio.md).
func TestAPresetKeepsLoRAs(t *testing.T) {
	f := Form{Prompt: "a dog", Count: 1}.Settle(uitest.Toybox)
	f.LoRAs = "<lora:lightning-4step:1>"
	for _, name := range []string{"lightning", "lcm", "paper", "release"} {
		if got := f.WithPreset(name, uitest.Toybox); got.LoRAs != f.LoRAs {
			t.Errorf("%s: the LoRAs are %q, were %q", name, got.LoRAs, f.LoRAs)
		}
	}
}
