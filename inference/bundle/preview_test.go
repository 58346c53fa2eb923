package bundle

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
)

// TestEarlierPreviewsAreMended: imports before it wrote the factors for -1..1 into the manifest, where 0..1 are meant.
func TestEarlierPreviewsAreMended(t *testing.T) {
	m := Manifest{Schema: SchemaVersion, Family: "sdxl", Latent: Latent{Channels: 4, RGB: [][3]float64{{60, 60, 60}, {-60, -5, 10}, {25, 15, -5}, {-70, -50, -35}}}}
	for i := range m.Latent.RGB {
		for c := range 3 {
			m.Latent.RGB[i][c] *= 2.0 / 255
		}
	}
	m.Latent.RGBBias = [3]float64{150.*2/255 - 1, 140.*2/255 - 1, 130.*2/255 - 1}
	own := m
	own.Latent.RGB, own.Latent.RGBBias = slices.Clone(m.Latent.RGB), [3]float64{0.1, 0, 0} // somebody's own matrix stays
	for _, c := range []struct {
		m     Manifest
		first [3]float64 // 0..255
		bias  [3]float64
	}{
		{m, [3]float64{60, 60, 60}, [3]float64{150, 140, 130}},
		{own, [3]float64{120, 120, 120}, [3]float64{25.5, 0, 0}},
	} {
		data, err := json.Marshal(c.m)
		if err != nil {
			t.Fatal(err)
		}
		var read Manifest
		if err := json.Unmarshal(data, &read); err != nil {
			t.Fatal(err)
		}
		read.mendPreview()
		for k := range 3 {
			if got := 255 * read.Latent.RGB[0][k]; math.Abs(got-c.first[k]) > 1e-6 {
				t.Errorf("factor %v, wanted %v", got, c.first[k])
			}
			if got := 255 * read.Latent.RGBBias[k]; math.Abs(got-c.bias[k]) > 1e-6 {
				t.Errorf("bias %v, wanted %v", got, c.bias[k])
			}
		}
	}
}
