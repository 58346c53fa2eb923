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
	a := b.set.advanced
	b.set.more.OnTapped()
	if a.sampler.Selected != "DDIM" || a.size.Selected != "128 × 128 · 1:1" || !a.divide.Checked {
		t.Fatalf("%q, %q, %v", a.sampler.Selected, a.size.Selected, a.divide.Checked)
	}
	a.sampler.SetSelected("DPM++")
	a.source.SetSelected("All cross maps")
	test.Tap(a.divide)
	b.subjects.PromptChanged("a dog")
	j := b.run()
	if r := j.request; r.Sampler != "dpm++" || r.MaskSource != "all_cross" || !r.RawMask {
		t.Errorf("asked for %+v", r)
	}
	b.end(j, inference.Done{})
	if !strings.HasPrefix(b.set.presetNote.Text, "DPM++") || !strings.Contains(b.set.presetNote.Text, "masks not normalised") {
		t.Errorf("the line under the presets says %q", b.set.presetNote.Text)
	}
	a.sampler.SetSelected("DDIM")
	if b.state.Form.Sampler != "" {
		t.Error("the preset's own sampler is a wish")
	}
	own := b.state.Form.Own("mine")
	if !b.state.Form.IsOwn(own) || own.MaskSource != "all_cross" {
		t.Errorf("an own preset keeps %+v", own)
	}
	test.Tap(b.set.presets["release"])
	if f := b.state.Form; f.MaskSource != "" || f.RawMask || a.sampler.Selected != "DPM++" || !a.divide.Checked {
		t.Errorf("after another preset: %+v, shown %q", f.Settings, a.sampler.Selected)
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
	a := b.set.advanced
	b.set.more.OnTapped()
	if !a.layers.Visible() {
		t.Fatal("not offered")
	}
	test.Tap(a.divide) // off
	test.Tap(a.layers)
	if r := b.state.Form.Request(); r.MaskNorm != "min_max_per_channel" || r.RawMask || !a.divide.Checked || !strings.Contains(b.set.presetNote.Text, "layer by layer") {
		t.Errorf("%+v, %q", r, b.set.presetNote.Text)
	}
	past := state.Past{Recipe: recipe.Recipe{Request: b.state.Form.Request()}}
	if f := (state.Form{Settings: inference.Settings{Preset: "paper"}}).Settle(uitest.Toybox).Take(past, state.AllParts, uitest.Toybox); f.MaskNorm == "" {
		t.Error("a recipe does not bring it back")
	}
	test.Tap(a.divide)
	if f := b.state.Form; f.MaskNorm != "" || !f.RawMask {
		t.Errorf("%+v", f.Settings)
	}
}
