package state

import (
	"image"
	"math/rand/v2"
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/recipe"
	"realword/ui/uitest"
)

// TestShapesAreOnesThatTheModelMakes: their sizes can be made, bear their names, stand as they lie, and have about as many pixels.
func TestShapesAreOnesThatTheModelMakes(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		multiple := []int{1, 8, 16, 64}[rng.IntN(4)]
		m := *uitest.Roomy
		m.Size = bundle.Size{Multiple: multiple, Min: multiple * (1 + rng.IntN(8)), Max: multiple * (20 + rng.IntN(20))}
		m.Size.Width, m.Size.Height = multiple*(10+rng.IntN(8)), multiple*(10+rng.IntN(8))
		for _, s := range Shapes() {
			size := s.Size(image.Pt(m.Size.Width, m.Size.Height), &m)
			if size == (image.Point{}) {
				continue
			}
			if !m.Size.Makes(size) || !strings.HasSuffix(SizeName(size), " · "+s.String()) {
				t.Fatalf("%v is %v to %+v", s, size, m.Size)
			}
		}
	}
	sizes := func(m *bundle.Manifest, like image.Point) (got []string) {
		for _, s := range Shapes() {
			got = append(got, SizeName(s.Size(like, m)))
		}
		return got
	}
	for name, c := range map[string]struct {
		size bundle.Size
		like image.Point
		want string
	}{
		"SDXL":          {bundle.Size{Min: 64, Max: 2048, Multiple: 32}, image.Pt(1024, 1024), "1024 × 1024 · 1:1, 1184 × 896 · 4:3, 1248 × 832 · 3:2, 1376 × 768 · 16:9, 768 × 1376 · 9:16, 832 × 1248 · 2:3, 896 × 1184 · 3:4"},
		"of 128":        {bundle.Size{Min: 32, Max: 256, Multiple: 16}, image.Pt(128, 128), "128 × 128 · 1:1, 144 × 112 · 4:3, 144 × 96 · 3:2, 176 × 96 · 16:9, 96 × 176 · 9:16, 96 × 144 · 2:3, 112 × 144 · 3:4"},
		"a small one":   {bundle.Size{Min: 64, Max: 2048, Multiple: 32}, image.Pt(512, 512), "512 × 512 · 1:1, 608 × 448 · 4:3, 640 × 416 · 3:2"},
		"only a square": {bundle.Size{Min: 128, Max: 128, Multiple: 16}, image.Pt(128, 128), "128 × 128 · 1:1, 0 × 0, 0 × 0, 0 × 0, 0 × 0, 0 × 0, 0 × 0"},
	} {
		m := *uitest.Roomy
		m.Size = c.size
		if got := strings.Join(sizes(&m, c.like), ", "); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if SizeName(image.Pt(1152, 896)) != "1152 × 896 · 4:3" || SizeName(image.Pt(1184, 896)) != "1184 × 896 · 4:3" || SizeName(image.Pt(1024, 900)) != "1024 × 900" || SizeName(image.Pt(832, 1280)) != "832 × 1280 · 2:3" || SizeName(image.Pt(512, 512)) != "512 × 512 · 1:1" {
		t.Error("the ratios are named wrongly")
	}
}

// TestSizesAreSnapped side by side, and a model of another size keeps the shape that was asked for.
func TestSizesAreSnapped(t *testing.T) {
	m := *uitest.Roomy
	m.Size = bundle.Size{Width: 128, Height: 128, Min: 40, Max: 250, Multiple: 16}
	for _, c := range [][2]image.Point{
		{{100, 100}, {96, 96}}, {{104, 103}, {112, 96}}, {{1, -5}, {48, 48}}, {{9999, 250}, {240, 240}}, {{128, 64}, {128, 64}},
	} {
		if got := m.Size.Nearest(c[0]); got != c[1] || !m.Size.Makes(got) {
			t.Errorf("%v becomes %v, not %v", c[0], got, c[1])
		}
	}
	if OneSize(&m) {
		t.Error("a model of many sizes has one")
	}
	wide := Form{}.WithSize(image.Pt(1344, 896), uitest.Roomy)
	if small := wide.WithSize(image.Pt(wide.Width, wide.Height), &m); small.Size(&m) != image.Pt(144, 96) {
		t.Errorf("3:2 becomes %v in a small model", small.Size(&m))
	}
	m.Size.Min, m.Size.Max = 128, 128
	if !OneSize(&m) || wide.WithSize(image.Pt(1248, 832), &m).Size(&m) != image.Pt(128, 128) {
		t.Error("a model of one size makes others")
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
	if taken := f.Take(p, AllParts, uitest.Roomy); taken.Sampler != "" || taken.Size(uitest.Roomy) != image.Pt(2048, 576) { // of the same shape
		t.Errorf("taken over: %+v", taken.Settings)
	}
	// A foreign recipe says nothing of them.
	p.Foreign = true
	f.RawMask = true
	if taken := f.Take(p, AllParts, uitest.Roomy); !taken.RawMask {
		t.Error("a recipe of another program changes what it does not know")
	}
}
