package parity

import (
	"image"
	"image/color"
	"math"
	"path/filepath"
	"testing"

	"realword/inference"
	"realword/inference/bundle/bundletest"
	"realword/inference/checkpoint"
	"realword/inference/ort/orttest"
	"realword/inference/picture"
)

// TestLikenessEqualsPyTorch cuts a subject out of a picture by a soft mask and compares it with a reference: DINO-I as timm and PyTorch
// compute it.
func TestLikenessEqualsPyTorch(t *testing.T) {
	f, err := checkpoint.Open(filepath.Join(data, "tiny.likeness.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	read := func(name string) []float32 {
		x, err := f.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		return x.F32
	}
	const side = 64
	pixels := func(name string) *image.NRGBA {
		img, x := image.NewNRGBA(image.Rect(0, 0, side, side)), read(name)
		for p := range side * side {
			img.SetNRGBA(p%side, p/side, color.NRGBA{uint8(x[p]), uint8(x[side*side+p]), uint8(x[2*side*side+p]), 255})
		}
		return img
	}
	mask := image.NewGray(image.Rect(0, 0, side, side))
	for p, v := range read("in.mask") {
		mask.Pix[p] = uint8(v)
	}
	g := inference.NewGraphs(orttest.Shared(t), bundletest.Golden(t, "tiny"))
	defer g.Close()
	var tokens [2][]float32
	for i, img := range []*image.NRGBA{picture.CutOut(pixels("in.picture"), mask), pixels("in.reference")} {
		if tokens[i], err = g.Classify(t.Context(), img, picture.Square{}); err != nil {
			t.Fatal(err)
		}
	}
	got, want := inference.Cosine(tokens[0], tokens[1]), float64(read("out.cosine")[0])
	if !(math.Abs(got-want) <= 1e-4) {
		t.Errorf("likeness %.6f, PyTorch has %.6f", got, want)
	}
	t.Logf("likeness %.6f, PyTorch has %.6f", got, want)
}
