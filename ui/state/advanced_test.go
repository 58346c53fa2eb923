package state

import (
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/recipe"
	"realword/ui/uitest"
)

func TestOfferedSizesAreOnesThatTheModelMakes(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		multiple := []int{1, 8, 16, 64}[rng.IntN(4)]
		m := *uitest.Roomy
		m.Size = bundle.Size{Multiple: multiple, Min: multiple * (1 + rng.IntN(8)), Max: multiple * (20 + rng.IntN(20))}
		m.Size.Width, m.Size.Height = multiple*(10+rng.IntN(8)), multiple*(10+rng.IntN(8))
		var names []string
		for i, s := range Sizes(&m) {
			if !fits(s, &m) || i == 0 && s != image.Pt(m.Size.Width, m.Size.Height) {
				t.Fatalf("%v is offered by %+v", s, m.Size)
			}

			if slices.Contains(names, SizeName(s)) {
				t.Fatalf("%s twice", SizeName(s))
			}
			names = append(names, SizeName(s))
		}
	}
	if got := fmt.Sprint(Sizes(uitest.Roomy)); got != "[(1024,1024) (1152,896) (896,1152) (1280,832) (832,1280) (1344,768) (768,1344) (768,768) (512,512)]" {
		t.Errorf("SDXL: %s", got)
	}
	if SizeName(image.Pt(1152, 896)) != "1152 × 896 · 4:3" || SizeName(image.Pt(1184, 896)) != "1184 × 896 · 4:3" || SizeName(image.Pt(1024, 900)) != "1024 × 900" || SizeName(image.Pt(832, 1280)) != "832 × 1280 · 2:3" || SizeName(image.Pt(512, 512)) != "512 × 512 · 1:1" {
		t.Error("the ratios are named wrongly")
	}
}

// What a recipe says comes back into the form, and the form then asks for the very same.
func TestRecipesComeBackWithAllTheirSettings(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 300 {
		r := inference.Request{Prompt: "a dog", Settings: inference.Settings{Preset: []string{"paper", "release"}[rng.IntN(2)], Steps: 20 + rng.IntN(20), Stop: 1 + rng.IntN(20), CFG: 1 + float64(rng.IntN(10)), Sampler: []string{"ddim", "dpm++"}[rng.IntN(2)], MaskSource: MaskSources()[rng.IntN(4)], RawMask: rng.IntN(2) == 0, Width: 512 + 64*rng.IntN(25), Height: 512 + 64*rng.IntN(25)}, Seeds: []uint64{3}}
		f := Form{Count: 1, Settings: inference.Settings{Preset: "paper", Sampler: "dpm++", Width: 640, Height: 640}}.Settle(uitest.Roomy)
		p := Past{Recipe: recipe.Recipe{Request: r}}
		f = f.Take(p, AllParts, uitest.Roomy)
		got, preset := f.Request(), uitest.Roomy.Presets[f.Preset]
		if got.Sampler == "" {
			got.Sampler = preset.Sampler
		}
		if got.MaskSource == "" {
			got.MaskSource = preset.MaskSource
		}
		size := f.Size(uitest.Roomy)
		got.Width, got.Height = size.X, size.Y
		if got.Sampler != r.Sampler || got.MaskSource != r.MaskSource || got.RawMask != r.RawMask || got.Width != r.Width || got.Height != r.Height || got.Steps != r.Steps || got.CFG != r.CFG {
			t.Fatalf("%+v came back as %+v", r, got)
		}
		if changes := f.Changes(p, uitest.Roomy); len(changes) != 0 {
			t.Fatalf("after taking it over there is left %+v", changes)
		}
		if other := p.Unsettable(uitest.Roomy); len(other) != 0 {
			t.Fatalf("%v cannot be set", other)
		}
	}
}

func TestChangesNameTheAdvancedSettings(t *testing.T) {
	f := Form{Settings: inference.Settings{Preset: "paper"}}.Settle(uitest.Roomy)
	p := Past{Recipe: recipe.Recipe{Request: inference.Request{Settings: inference.Settings{Preset: "paper", Steps: 25, Stop: 12, CFG: 7.5, Sampler: "dpm++", MaskSource: "all_cross", RawMask: true, Width: 896, Height: 1152}}}}
	var got []string
	for _, c := range f.Changes(p, uitest.Roomy) {
		got = append(got, c.What+": "+c.Old+" -> "+c.New)
	}
	want := "Sampler: DDIM -> DPM++, Mask source: Coarse cross × fine self maps -> All cross maps, Masks divided by their maximum: yes -> no, Size: 1024 × 1024 · 1:1 -> 896 × 1152 · 3:4"
	if strings.Join(got, ", ") != want {
		t.Errorf("%s", strings.Join(got, ", "))
	}
	p.Width, p.Model, p.Sampler = 4096, "another", "restart"
	p.Init = &inference.Init{Name: "sketch.png", Strength: 0.6}
	if other := strings.Join(p.Unsettable(uitest.Roomy), ", "); other != "Model: another, Begun with: sketch.png, Sampler: restart, Size: 4096 × 1152" {
		t.Errorf("what cannot be set: %s", other)
	}
	if taken := f.Take(p, AllParts, uitest.Roomy); taken.Sampler != "" || taken.Size(uitest.Roomy) != image.Pt(1024, 1024) {
		t.Errorf("taken over: %+v", taken.Settings)
	}
	// A foreign recipe says nothing of them.
	p.Foreign = true
	f.RawMask = true
	if taken := f.Take(p, AllParts, uitest.Roomy); !taken.RawMask {
		t.Error("a recipe of another program changes what it does not know")
	}
}
