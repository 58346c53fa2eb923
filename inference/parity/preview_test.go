package parity

import (
	"context"
	"image"
	"math"
	"testing"

	"realword/inference"
	"realword/inference/bundle/bundletest"
	"realword/inference/ort/orttest"
)

// TestLastPreviewIsThePicture compares the preview of the last step with what the decoder makes of the same latent: their means, and
// how strongly both vary, must agree. Factors for another range of colours fail it.
func TestLastPreviewIsThePicture(t *testing.T) {
	e := inference.New(orttest.Shared(t), bundletest.Embedded(t))
	defer e.Close()
	job, err := e.Start(context.Background(), inference.Request{Prompt: "a dog on the beach", Seeds: []uint64{5}, Settings: inference.Settings{Steps: 6}})
	if err != nil {
		t.Fatal(err)
	}
	var preview *image.RGBA
	var decoded *image.NRGBA
	for event := range job.Events() {
		switch event := event.(type) {
		case inference.StepDone:
			preview = event.Preview
		case inference.PictureReady:
			decoded = event.Image
		case inference.Failed:
			t.Fatal(event.Err)
		}
	}
	f := decoded.Rect.Dx() / preview.Rect.Dx()
	n := float64(preview.Rect.Dx() * preview.Rect.Dy())
	for c, name := range []string{"red", "green", "blue"} {
		var sp, sd, spp, sdd, spd float64
		for y := range preview.Rect.Dy() {
			for x := range preview.Rect.Dx() {
				p, d := float64(preview.Pix[preview.PixOffset(x, y)+c]), 0.0
				for dy := range f {
					for dx := range f {
						d += float64(decoded.Pix[decoded.PixOffset(x*f+dx, y*f+dy)+c]) / float64(f*f)
					}
				}
				sp, sd, spp, sdd, spd = sp+p, sd+d, spp+p*p, sdd+d*d, spd+p*d
			}
		}
		mp, md := sp/n, sd/n
		vp, vd := spp/n-mp*mp, sdd/n-md*md
		r := (spd/n - mp*md) / math.Sqrt(vp*vd)
		if math.Abs(mp-md) > 20 || r < 0.8 || vp > 3*vd || vd > 3*vp {
			t.Errorf("%s: preview %.0f ± %.0f, picture %.0f ± %.0f, correlation %.2f", name, mp, math.Sqrt(vp), md, math.Sqrt(vd), r)
		}
	}
}
