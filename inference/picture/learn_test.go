package picture

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"

	xdraw "golang.org/x/image/draw"

	"realword/inference/tensor"
)

// TestLearnColours: what a model's own factors made of a latent shows which they are, at any size; a latent in another shape, of another
// picture or with numbers that are none shows nothing.
func TestLearnColours(t *testing.T) {
	const c, side = 4, 32
	r := rand.New(rand.NewPCG(1, 2))
	latent := tensor.Zeros(1, c, side, side)
	for k := range c { // smooth, as pictures are
		fx, fy, at := 5+r.Float64()*9, 5+r.Float64()*9, r.Float64()*6
		for i := range side * side {
			latent.F32[k*side*side+i] = float32(math.Sin(fx*float64(i%side)/side + fy*float64(i/side)/side + at))
		}
	}
	factors, bias := [][3]float32{{0.2, 0.1, -0.2}, {-0.1, 0.3, 0}, {0.1, 0, 0.2}, {0, -0.2, 0.1}}, [3]float32{0.1, 0, -0.1}
	became, err := LatentPreview(latent, factors, bias)
	if err != nil {
		t.Fatal(err)
	}
	large := image.NewRGBA(image.Rect(0, 0, 4*side, 4*side))
	xdraw.CatmullRom.Scale(large, large.Rect, became, became.Rect, xdraw.Src, nil)
	for name, img := range map[string]image.Image{"its size": became, "four times": large} {
		f, b, miss, ok := LearnColours(latent, img)
		if !ok || miss > 0.01 {
			t.Fatalf("%s: %v, %v, off by %v, %v", name, f, b, miss, ok)
		}
		again, err := LatentPreview(latent, f, b)
		if err != nil {
			t.Fatal(err)
		}
		for i := range again.Pix {
			if d := int(again.Pix[i]) - int(became.Pix[i]); d < -8 || d > 8 {
				t.Fatalf("%s: byte %d is %d, was %d", name, i, again.Pix[i], became.Pix[i])
			}
		}
	}
	flat := image.NewUniform(color.NRGBA{10, 200, 30, 255})
	gray := image.NewRGBA(image.Rect(0, 0, 8, 8))
	xdraw.Draw(gray, gray.Rect, flat, image.Point{}, xdraw.Src)
	if _, b, _, ok := LearnColours(latent, gray); !ok || math.Abs(float64(b[1])-(200/127.5-1)) > 0.02 {
		t.Errorf("a picture of one colour: %v, %v", b, ok)
	}
	noise := image.NewRGBA(image.Rect(0, 0, side, side))
	for i := range noise.Pix {
		noise.Pix[i] = uint8(r.UintN(256))
	}
	broken := tensor.Of(append([]float32{float32(math.NaN())}, latent.F32[1:]...), 1, c, side, side)
	for name, bad := range map[string]struct {
		latent *tensor.Tensor
		img    image.Image
	}{
		"another picture": {latent, noise},
		"another shape":   {tensor.Of(latent.F32, 4*c, side/2, side/2), large}, "no picture": {latent, nil},
		"an empty picture": {latent, image.NewRGBA(image.Rectangle{})},
		"too few places":   {tensor.Zeros(16, 2, 2), large}, "no number": {broken, large},
	} {
		if _, _, _, ok := LearnColours(bad.latent, bad.img); ok {
			t.Errorf("%s was taken", name)
		}
	}
}
