package bundle

import (
	"image"
	"strings"
	"testing"
)

// TestSizesFarFromTheModels: what a model has not learned from is said.
func TestSizesFarFromTheModels(t *testing.T) {
	m := Size{Width: 1024, Height: 1024, Min: 256, Max: 2048, Multiple: 32}
	for size, want := range map[image.Point]string{
		{X: 1024, Y: 1024}: "", {X: 1344, Y: 768}: "", {X: 768, Y: 1344}: "", {X: 832, Y: 832}: "", {X: 1280, Y: 1280}: "",
		{X: 512, Y: 512}: "far smaller", {X: 2048, Y: 2048}: "far larger", {X: 1536, Y: 1536}: "far larger", {X: 1856, Y: 576}: "a far longer shape", {X: 576, Y: 1856}: "a far longer shape",
		{}: "",
	} {
		got := ""
		if err := m.Stray(size); err != nil {
			got = err.Error()
		}
		if (got == "") != (want == "") || !strings.HasPrefix(got, want) {
			t.Errorf("%v: %q, want %q", size, got, want)
		}
	}
}

// TestRemarks: people are not told which entries of a file nobody needs.
func TestRemarks(t *testing.T) {
	m := Manifest{Notes: []string{
		"vision/siglip: 2 entries such as norm.bias are ignored: it comes after the features that Realword uses",
		"model.safetensors: model_ema.decay is ignored: no network has it",
		"hints of likeness are left out: no image encoder has a class token",
	}}
	if got := m.Remarks(); len(got) != 1 || got[0] != m.Notes[2] || len(m.Notes) != 3 {
		t.Errorf("%q", got)
	}
}
