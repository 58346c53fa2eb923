package ui

import (
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/recipe"
)

var roomy = &bundle.Manifest{Name: "roomy", Size: bundle.Size{Width: 1024, Height: 1024, Min: 512, Max: 2048, Multiple: 64},
	Presets: map[string]bundle.Preset{
		"paper":   {Sampler: "ddim", Steps: 25, Stop: 12, CFG: 7.5, Scope: 0.2, MaskSource: "low_cross_high_self"},
		"release": {Sampler: "dpm++", Steps: 25, Stop: 12, CFG: 3.5, Scope: 0.25, MaskSource: "all_cross"},
	}}

func TestOfferedSizesAreOnesThatTheModelMakes(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		multiple := []int{1, 8, 16, 64}[rng.IntN(4)]
		m := *roomy
		m.Size = bundle.Size{Multiple: multiple, Min: multiple * (1 + rng.IntN(8)), Max: multiple * (20 + rng.IntN(20))}
		m.Size.Width, m.Size.Height = multiple*(10+rng.IntN(8)), multiple*(10+rng.IntN(8))
		var names []string
		for i, s := range sizes(&m) {
			if !fits(s, &m) || i == 0 && s != image.Pt(m.Size.Width, m.Size.Height) {
				t.Fatalf("%v is offered by %+v", s, m.Size)
			}
			if slices.Contains(names, sizeName(s)) {
				t.Fatalf("%s twice", sizeName(s))
			}
			names = append(names, sizeName(s))
		}
	}
	if got := fmt.Sprint(sizes(roomy)); got != "[(1024,1024) (1152,896) (896,1152) (1280,832) (832,1280) (1344,768) (768,1344) (768,768) (512,512)]" {
		t.Errorf("SDXL: %s", got)
	}
	if sizeName(image.Pt(1152, 896)) != "1152 × 896 · 4:3" || sizeName(image.Pt(1184, 896)) != "1184 × 896 · 4:3" || sizeName(image.Pt(1024, 900)) != "1024 × 900" || sizeName(image.Pt(832, 1280)) != "832 × 1280 · 2:3" || sizeName(image.Pt(512, 512)) != "512 × 512 · 1:1" {
		t.Error("the ratios are named wrongly")
	}
}

// What a recipe says comes back into the form, and the form then asks for the very same.
func TestRecipesComeBackWithAllTheirSettings(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 300 {
		r := inference.Request{Prompt: "a dog", Settings: inference.Settings{Preset: []string{"paper", "release"}[rng.IntN(2)], Steps: 20 + rng.IntN(20), Stop: 1 + rng.IntN(20), CFG: 1 + float64(rng.IntN(10)), Sampler: []string{"ddim", "dpm++"}[rng.IntN(2)], MaskSource: maskSources()[rng.IntN(4)], RawMask: rng.IntN(2) == 0, Width: 512 + 64*rng.IntN(25), Height: 512 + 64*rng.IntN(25)}, Seeds: []uint64{3}}
		f := Form{Preset: "paper", Count: 1, Advanced: Advanced{Sampler: "dpm++", Width: 640, Height: 640}}.Settle(roomy)
		p := Past{Recipe: recipe.Recipe{Request: r}}
		f = f.Take(p, allParts, roomy)
		got, preset := f.Request(), roomy.Presets[f.Preset]
		if got.Sampler == "" {
			got.Sampler = preset.Sampler
		}
		if got.MaskSource == "" {
			got.MaskSource = preset.MaskSource
		}
		size := f.size(roomy)
		got.Width, got.Height = size.X, size.Y
		if got.Sampler != r.Sampler || got.MaskSource != r.MaskSource || got.RawMask != r.RawMask || got.Width != r.Width || got.Height != r.Height || got.Steps != r.Steps || got.CFG != r.CFG {
			t.Fatalf("%+v came back as %+v", r, got)
		}
		if changes := f.Changes(p, roomy); len(changes) != 0 {
			t.Fatalf("after taking it over there is left %+v", changes)
		}
		if other := p.Unsettable(roomy); len(other) != 0 {
			t.Fatalf("%v cannot be set", other)
		}
	}
}

func TestChangesNameTheAdvancedSettings(t *testing.T) {
	f := Form{Preset: "paper"}.Settle(roomy)
	p := Past{Recipe: recipe.Recipe{Request: inference.Request{Settings: inference.Settings{Preset: "paper", Steps: 25, Stop: 12, CFG: 7.5, Sampler: "dpm++", MaskSource: "all_cross", RawMask: true, Width: 896, Height: 1152}}}}
	var got []string
	for _, c := range f.Changes(p, roomy) {
		got = append(got, c.What+": "+c.Old+" -> "+c.New)
	}
	want := "Sampler: DDIM -> DPM++, Mask source: Coarse cross × fine self maps -> All cross maps, Masks divided by their maximum: yes -> no, Size: 1024 × 1024 · 1:1 -> 896 × 1152 · 3:4"
	if strings.Join(got, ", ") != want {
		t.Errorf("%s", strings.Join(got, ", "))
	}
	p.Width, p.Model, p.Sampler = 4096, "another", "euler"
	if other := strings.Join(p.Unsettable(roomy), ", "); other != "model another, sampler euler, size 4096 × 1152" {
		t.Errorf("what cannot be set: %s", other)
	}
	if taken := f.Take(p, allParts, roomy); taken.Sampler != "" || taken.size(roomy) != image.Pt(1024, 1024) {
		t.Errorf("taken over: %+v", taken.Advanced)
	}
	// A foreign recipe says nothing of them.
	p.Foreign = true
	f.RawMask = true
	if taken := f.Take(p, allParts, roomy); !taken.RawMask {
		t.Error("a recipe of another program changes what it does not know")
	}
}

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
	b.promptChanged("a dog")
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
		t.Errorf("after another preset: %+v, shown %q", f.Advanced, a.sampler.Selected)
	}
	b.state.Form = b.state.Form.WithOwn(own, b.state.Model)
	if b.state.Form.MaskSource != "all_cross" {
		t.Error("the own preset forgets where the masks come from")
	}
	if f, _ := (Form{Preset: "paper", Advanced: Advanced{Width: 896, Height: 1152}}).Settle(roomy).Adapt(roomy, b.state.Model); f.Width != 0 {
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
	past := Past{Recipe: recipe.Recipe{Request: b.state.Form.Request()}}
	if f := (Form{Preset: "paper"}).Settle(toybox).Take(past, allParts, toybox); f.MaskNorm == "" {
		t.Error("a recipe does not bring it back")
	}
	test.Tap(a.divide)
	if f := b.state.Form; f.MaskNorm != "" || !f.RawMask {
		t.Errorf("%+v", f.Advanced)
	}
}
