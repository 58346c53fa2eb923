package bundle_test

import (
	"testing"

	"realword/inference/bundle"
	"realword/inference/picture"
	"realword/inference/synthetic"
)

// TestReleasePreset: an import has the release's own negative prompt and squares.
func TestReleasePreset(t *testing.T) {
	m := importTree(t, sized(t, synthetic.Options{Layout: synthetic.Diffusers, Sizes: synthetic.TinySD15}, nil), bundle.Options{}).Manifest()
	release, paper := m.Presets["release"], m.Presets["paper"]
	if release.Negative != bundle.ReleaseNegative || release.Fit != picture.Stretch || paper.Negative != "" || paper.Fit != picture.Pad {
		t.Errorf("release %+v\npaper %+v", release, paper)
	}
}

func TestStopOf(t *testing.T) {
	for _, c := range []struct{ stop, of, steps, want int }{{12, 25, 25, 12}, {12, 25, 50, 24}, {12, 25, 1, 1}, {25, 50, 25, 13}, {12, 0, 25, 12}, {12, 0, 5, 5}} {
		if got := (bundle.Preset{Stop: c.stop, Steps: c.of}).StopOf(c.steps); got != c.want {
			t.Errorf("%d of %d for %d steps: %d, want %d", c.stop, c.of, c.steps, got, c.want)
		}
	}
}
