package picture

import (
	"image"
	"image/color"
	"math"
	"slices"
	"testing"

	"realword/inference/tensor"
)

func TestToImageTruncatesAsPyTorch(t *testing.T) {
	var want struct {
		In  []float32
		Out []uint8
	}
	readGolden(t, "image", &want)
	img, err := ToImage(tensor.Of(want.In, 1, 3, 5, 7), Signed)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 * 7 {
		for c := range 3 {
			if got := img.Pix[4*i+c]; got != want.Out[c*5*7+i] {
				t.Errorf("channel %d of pixel %d is %d, want %d", c, i, got, want.Out[c*5*7+i])
			}
		}
	}
	if !img.Opaque() {
		t.Error("not opaque")
	}
	nan := float32(math.NaN())
	if img, err = ToImage(tensor.Of([]float32{nan, 0.5, 2}, 3, 1, 1), Unit); err != nil || img.RGBAAt(0, 0) != (color.RGBA{0, 127, 255, 255}) {
		t.Errorf("%v, %v", img, err)
	}
	for _, bad := range []*tensor.Tensor{nil, tensor.Zeros(4, 2, 2), tensor.Zeros(2, 3, 2, 2), tensor.Zeros(3, 0, 2), tensor.Zeros(3, 4), {Shape: []int{3, 1, 1}}} {
		if _, err := ToImage(bad, Unit); err == nil {
			t.Errorf("%s was accepted", shapeOf(bad))
		}
	}
}

func TestLatentPreview(t *testing.T) {
	latent := tensor.Of([]float32{0, 1, -1, 9, 0, 0, 2, 0}, 2, 2, 2)
	img, err := LatentPreview(latent, [][3]float32{{0.5, 0, -0.5}, {0, 0.25, 0}}, [3]float32{0, 0.5, 0})
	if err != nil {
		t.Fatal(err)
	}
	want := []uint8{
		127, 191, 127, 255, 191, 191, 63, 255,
		63, 255, 191, 255, 255, 191, 0, 255,
	}
	if img.Rect != image.Rect(0, 0, 2, 2) || !slices.Equal(img.Pix, want) {
		t.Errorf("%v\nwant %v", img.Pix, want)
	}
	batch := tensor.Of(latent.F32, 1, 2, 2, 2)
	if again, err := LatentPreview(batch, [][3]float32{{0.5, 0, -0.5}, {0, 0.25, 0}}, [3]float32{0, 0.5, 0}); err != nil || !slices.Equal(again.Pix, want) {
		t.Errorf("with a batch axis: %v, %v", again, err)
	}
	for _, rows := range []int{0, 1, 3} {
		if _, err := LatentPreview(latent, make([][3]float32, rows), [3]float32{}); err == nil {
			t.Errorf("%d rows of factors for 2 channels were accepted", rows)
		}
	}
}

func TestUpscale(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 2, 1))
	copy(img.Pix, []uint8{0, 100, 255, 255, 200, 100, 5, 255})
	near := Upscale(img, 4, 2, false)
	for x, want := range []uint8{0, 0, 200, 200} {
		if got := near.RGBAAt(x, 1).R; got != want {
			t.Errorf("nearest: pixel %d is %d, want %d", x, got, want)
		}
	}
	smooth := Upscale(img, 4, 2, true)
	for x, want := range []uint8{0, 50, 150, 200} { // 0, 1/4, 3/4, 1 of the way
		if got := smooth.RGBAAt(x, 1); got.R != want || got.G != 100 || got.A != 255 {
			t.Errorf("bilinear: pixel %d is %v, want red %d", x, got, want)
		}
	}
	tall := &image.RGBA{Pix: img.Pix, Stride: 4, Rect: image.Rect(0, 0, 1, 2)}
	for y, want := range []uint8{0, 50, 150, 200} {
		if got := Upscale(tall, 1, 4, true).RGBAAt(0, y).R; got != want {
			t.Errorf("bilinear: line %d is %d, want %d", y, got, want)
		}
	}
	if same := Upscale(img, 2, 1, true); !slices.Equal(same.Pix, img.Pix) {
		t.Errorf("the same size changed %v to %v", img.Pix, same.Pix)
	}
	if Upscale(img, 0, 5, true) != nil || Upscale(image.NewRGBA(image.Rectangle{}), 4, 4, false) != nil {
		t.Error("a picture without pixels came back")
	}
}

func BenchmarkLatentPreview(b *testing.B) {
	for _, n := range []int{16, 128} {
		b.Run(map[int]string{16: "16", 128: "128"}[n], func(b *testing.B) {
			latent := tensor.Zeros(4, n, n)
			for b.Loop() {
				if _, err := LatentPreview(latent, make([][3]float32, 4), [3]float32{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkUpscale(b *testing.B) {
	img := image.NewRGBA(image.Rect(0, 0, 128, 128))
	for b.Loop() {
		Upscale(img, 512, 512, true)
	}
}
