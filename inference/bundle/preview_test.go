package bundle

import (
	"math"
	"testing"
)

// TestLatentRGB: the published matrices, which give 0 to 255 and -1 to 1, as factors of 0..1.
func TestLatentRGB(t *testing.T) {
	for family, want := range map[string][2][3]float64{
		"sdxl": {{60, 60, 60}, {150, 140, 130}},
		"sd15": {{0.298 * 127.5, 0.207 * 127.5, 0.208 * 127.5}, {127.5, 127.5, 127.5}},
	} {
		factors, bias := latentRGB(family, 4)
		for k := range 3 {
			if math.Abs(255*factors[0][k]-want[0][k]) > 1e-6 || math.Abs(255*bias[k]-want[1][k]) > 1e-6 {
				t.Errorf("%s: %v and %v", family, factors[0], bias)
			}
		}
	}
}
