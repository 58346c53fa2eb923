package bundle

import (
	"math"
	"testing"
)

// TestLatentRGB looks at what the published fits agree on: where the latent is zero there is a middle grey, SDXL's first channel
// is brightness (all three colours alike), SD-1.5's last one darkens blue most, and unknown families stay in range.
func TestLatentRGB(t *testing.T) {
	at := func(family string, latent ...float64) (rgb [3]float64) {
		factors, bias := latentRGB(family, len(latent))
		for c := range 3 {
			sum := bias[c] + 1
			for i, x := range latent {
				sum += x * factors[i][c]
			}
			rgb[c] = sum / 2
		}
		return rgb
	}
	for _, family := range []string{"sdxl", "sd15", "other"} {
		for c, v := range at(family, 0, 0, 0, 0) {
			if v < 0.4 || v > 0.6 {
				t.Errorf("%s: zero has colour %d at %.2f", family, c, v)
			}
		}
	}
	// The blog's own numbers: 60·1 + 150 of 255.
	if got := at("sdxl", 1, 0, 0, 0); math.Abs(got[0]-210.0/255) > 1e-12 || math.Abs(got[1]-200.0/255) > 1e-12 || math.Abs(got[2]-190.0/255) > 1e-12 {
		t.Errorf("sdxl, first channel: %v", got)
	}
	if got := at("sd15", 0, 0, 0, 1); !(got[2] < got[1] && got[1] < got[0]) || math.Abs(got[2]-(1-0.473)/2) > 1e-12 {
		t.Errorf("sd15, last channel: %v", got)
	}
	if got := at("other", 0, 1); got[1] <= got[0] {
		t.Errorf("two channels: %v", got)
	}
}
