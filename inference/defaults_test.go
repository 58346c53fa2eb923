package inference

import (
	"image"
	"image/color"
	"slices"
	"testing"

	"realword/inference/picture"
)

// TestFitFollowsThePreset: what a reference says itself counts, then the preset, then padding.
func TestFitFollowsThePreset(t *testing.T) {
	b := newBench(t)
	views := map[string][]float32{}
	for name, c := range map[string]struct {
		preset    string
		own, want picture.Fit
	}{
		"paper": {"paper", "", "pad"}, "release": {"release", "", "stretch"}, "own": {"release", "crop", "crop"}, "padded": {"release", "pad", "pad"},
	} {
		r := b.dog()
		r.Preset = c.preset
		r.Subjects[0].References[0].Data = wide(t)
		r.Subjects[0].References[0].Square.Fit = c.own
		r, err := b.engine.Resolve(r)
		if err != nil || r.Subjects[0].References[0].Square.Fit != c.want {
			t.Errorf("%s: %q, want %q: %v", name, r.Subjects[0].References[0].Square.Fit, c.want, err)
		}
		seen, err := b.engine.viewsOf(t.Context(), r.Subjects[0].References[0])
		if err != nil {
			t.Fatal(err)
		}
		views[name] = seen.views.F32
	}
	if slices.Equal(views["paper"], views["release"]) || !slices.Equal(views["paper"], views["padded"]) {
		t.Error("the fit of the preset is not what the encoders see")
	}
}

// TestNegativeOfThePreset: an empty one stands for the preset's, a blank for none.
func TestNegativeOfThePreset(t *testing.T) {
	m := newFakeModel(t).manifest
	for _, c := range []struct{ preset, given, want string }{
		{"release", "", "ugly"}, {"release", " ", " "}, {"release", "rain", "rain"}, {"paper", "", ""}, {"paper", " ", ""}, {"paper", "rain", "rain"},
	} {
		r := Defaults(m, Request{Settings: Settings{Preset: c.preset, Negative: c.given}})
		if again := Defaults(m, r); r.Negative != c.want || again.Negative != c.want {
			t.Errorf("%s, %q: %q and again %q, want %q", c.preset, c.given, r.Negative, again.Negative, c.want)
		}
	}
}

// wide is a picture of two colours that is not square.
func wide(t *testing.T) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 32, 8))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	for x := range 8 {
		for y := range 8 {
			img.SetNRGBA(x, y, color.NRGBA{200, 0, 0, 255})
		}
	}
	data, err := picture.Encode(img, picture.Metadata{})
	if err != nil {
		t.Fatal(err)
	}
	return data
}
