package parity

import (
	"math"
	"testing"

	"realword/assets"
	"realword/inference"
	"realword/inference/bundle/bundletest"
	"realword/inference/network"
	"realword/inference/ort/orttest"
	"realword/inference/picture"
)

// TestPicturesComeBack encodes pictures with the embedded model and decodes them: at least 30 dB, at its own size, and one at the largest,
// of which the tiled graphs run.
func TestPicturesComeBack(t *testing.T) {
	b := bundletest.Embedded(t)
	g := inference.NewGraphs(orttest.Shared(t), b)
	defer g.Close()
	size, f := b.Manifest().Size, b.Manifest().Latent.Factor
	if !network.Tiled(size.Max/f, size.Max/f) {
		t.Errorf("nothing of %d × %d is tiled", size.Max, size.Max)
	}
	for i, s := range assets.Samples() {
		img, _, err := picture.Decode(s.Data, picture.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, side := range []int{size.Width, size.Max} {
			if side == size.Max && i > 0 {
				continue // it takes its time
			}
			x := picture.Fill(img, side, side)
			latent, err := g.Encode(t.Context(), picture.FromImage(x))
			if err != nil {
				t.Fatal(err)
			}
			back, err := g.Decode(t.Context(), latent)
			if err != nil {
				t.Fatal(err)
			}
			y, err := picture.ToImage(back, picture.Signed)
			if err != nil {
				t.Fatal(err)
			}
			squares, n := 0.0, 0.0
			for i := range x.Pix {
				if i%4 < 3 {
					squares += math.Pow(float64(x.Pix[i])-float64(y.Pix[i]), 2)
					n++
				}
			}
			db := 10 * math.Log10(255*255*n/squares)
			t.Logf("%s at %d: %.1f dB", s.Name, side, db)
			if !(db >= 30) {
				t.Errorf("%s at %d × %d comes back with %.1f dB", s.Name, side, side, db)
			}
		}
	}
}
