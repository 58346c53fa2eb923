package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/inference/recipe"
	"realword/ui/state"
	"realword/ui/uitest"
)

func TestAdvancedKnobs(t *testing.T) {
	b := ready(t, nil)
	a := b.set.Advanced
	b.set.More.OnTapped()
	if a.Sampler.Selected != "DDIM" || a.Size.Selected != "128 × 128 · 1:1" || !a.Divide.Checked {
		t.Fatalf("%q, %q, %v", a.Sampler.Selected, a.Size.Selected, a.Divide.Checked)
	}
	a.Sampler.SetSelected("DPM++")
	a.Source.SetSelected("All cross maps")
	test.Tap(a.Divide)
	b.subjects.PromptChanged("a dog")
	j := b.run()
	if r := j.request; r.Sampler != "dpm++" || r.MaskSource != "all_cross" || !r.RawMask {
		t.Errorf("asked for %+v", r)
	}
	b.end(j, inference.Done{})
	if !strings.HasPrefix(b.set.PresetNote.Text, "DPM++") || !strings.Contains(b.set.PresetNote.Text, "masks not normalised") {
		t.Errorf("the line under the presets says %q", b.set.PresetNote.Text)
	}
	a.Sampler.SetSelected("DDIM")
	if b.state.Form.Sampler != "" {
		t.Error("the preset's own sampler is a wish")
	}
	own := b.state.Form.Own("mine")
	if !b.state.Form.IsOwn(own) || own.MaskSource != "all_cross" {
		t.Errorf("an own preset keeps %+v", own)
	}
	test.Tap(b.set.Presets["release"])
	if f := b.state.Form; f.MaskSource != "" || f.RawMask || a.Sampler.Selected != "DPM++" || !a.Divide.Checked {
		t.Errorf("after another preset: %+v, shown %q", f.Settings, a.Sampler.Selected)
	}
	b.state.Form = b.state.Form.WithOwn(own, b.state.Model)
	if b.state.Form.MaskSource != "all_cross" {
		t.Error("the own preset forgets where the masks come from")
	}
	if f, _ := (state.Form{Settings: inference.Settings{Preset: "paper", Width: 896, Height: 1152}}).Settle(uitest.Roomy).Adapt(uitest.Roomy, b.state.Model); f.Width != 0 {
		t.Errorf("a model of %+v is asked for %d × %d", b.state.Model.Size, f.Width, f.Height)
	}
}

// TestLayerByLayer is asked for, and goes with a recipe.
func TestLayerByLayer(t *testing.T) {
	b := ready(t, nil)
	a := b.set.Advanced
	b.set.More.OnTapped()
	if !a.Layers.Visible() {
		t.Fatal("not offered")
	}
	test.Tap(a.Divide) // off
	test.Tap(a.Layers)
	if r := b.state.Form.Request(); r.MaskNorm != "min_max_per_channel" || r.RawMask || !a.Divide.Checked || !strings.Contains(b.set.PresetNote.Text, "layer by layer") {
		t.Errorf("%+v, %q", r, b.set.PresetNote.Text)
	}
	past := state.Past{Recipe: recipe.Recipe{Request: b.state.Form.Request()}}
	if f := (state.Form{Settings: inference.Settings{Preset: "paper"}}).Settle(uitest.Toybox).Take(past, state.AllParts, uitest.Toybox); f.MaskNorm == "" {
		t.Error("a recipe does not bring it back")
	}
	test.Tap(a.Divide)
	if f := b.state.Form; f.MaskNorm != "" || !f.RawMask {
		t.Errorf("%+v", f.Settings)
	}
}
