package bundle_test

import (
	"encoding/json"
	"testing"

	"realword/inference/bundle"
	"realword/inference/picture"
	"realword/inference/synthetic"
)

// TestReleasePreset: an import has the release's own negative prompt and squares, and so has one that an earlier version made;
// what a model says of itself stays.
func TestReleasePreset(t *testing.T) {
	m := importTree(t, sized(t, synthetic.Options{Layout: synthetic.Diffusers, Sizes: synthetic.TinySD15}, nil), bundle.Options{}).Manifest()
	release, paper := m.Presets["release"], m.Presets["paper"]
	if release.Negative != bundle.ReleaseNegative || release.Fit != picture.Stretch || paper.Negative != "" || paper.Fit != picture.Pad {
		t.Errorf("release %+v\npaper %+v", release, paper)
	}
	read := func(change func(*bundle.Preset), family string) bundle.Preset {
		t.Helper()
		old := m
		old.Family = family
		p := release
		p.Negative, p.Fit = "", ""
		change(&p)
		old.Presets = map[string]bundle.Preset{"paper": paper, "release": p}
		data, err := json.Marshal(old)
		if err != nil {
			t.Fatal(err)
		}
		got, err := bundle.ParseManifest(data)
		if err != nil {
			t.Fatal(err)
		}
		return got.Presets["release"]
	}
	if got := read(func(*bundle.Preset) {}, "sdxl"); got != release {
		t.Errorf("of an earlier version: %+v", got)
	}
	if got := read(func(p *bundle.Preset) { p.CFG = 5 }, "sdxl"); got.Negative != "" || got.CFG != 5 {
		t.Errorf("a preset of its own: %+v", got)
	}
	if got := read(func(*bundle.Preset) {}, "toybox"); got.Negative != "" || got.Fit != "" {
		t.Errorf("the embedded model: %+v", got)
	}
}

func TestStopOf(t *testing.T) {
	for _, c := range []struct{ stop, of, steps, want int }{{12, 25, 25, 12}, {12, 25, 50, 24}, {12, 25, 1, 1}, {25, 50, 25, 13}, {12, 0, 25, 12}, {12, 0, 5, 5}} {
		if got := (bundle.Preset{Stop: c.stop, Steps: c.of}).StopOf(c.steps); got != c.want {
			t.Errorf("%d of %d for %d steps: %d, want %d", c.stop, c.of, c.steps, got, c.want)
		}
	}
}
