package picture

import (
	"image"
	"image/color"
	"testing"
)

// A mask of 4 × 2 over a part of a picture of 16 × 8: each of its pixels is 4 × 4 of the picture's.
func TestVeil(t *testing.T) {
	mask := image.NewGray(image.Rect(0, 0, 4, 2))
	copy(mask.Pix, []uint8{0, 255, 128, 0, 0, 0, 0, 64})
	out := image.NewRGBA(image.Rect(0, 0, 12, 8))
	for i := range out.Pix {
		out.Pix[i] = 200
	}
	Veil(out, image.Pt(16, 8), image.Pt(4, 0), mask, color.RGBA{0, 100, 0, 255}, 0.5)
	for _, c := range []struct {
		x, y int
		r, g uint8
	}{
		{2, 1, 100, 150},                                     // white, half of the colour
		{6, 1, 150, 175},                                     // grey, a quarter of it
		{9, 1, 200, 200}, {1, 6, 200, 200}, {6, 6, 200, 200}, // black
		{10, 6, 175, 187}, // an eighth
	} {
		got := out.RGBAAt(c.x, c.y)
		if int(got.R)-int(c.r) > 1 || int(c.r)-int(got.R) > 1 || int(got.G)-int(c.g) > 1 || int(c.g)-int(got.G) > 1 {
			t.Errorf("at %d, %d: %v, want %d, %d", c.x, c.y, got, c.r, c.g)
		}
	}
	for x := range 8 { // the border lies under it, black and white in turn
		if got := out.RGBAAt(x, 4); got.R > 40 && got.R < 240 || got.R != got.B {
			t.Errorf("the border at %d is %v", x, got)
		}
	}
	before := out.RGBAAt(2, 1)
	Veil(out, image.Point{}, image.Point{}, mask, color.RGBA{}, 1)
	Veil(out, image.Pt(16, 8), image.Point{}, image.NewGray(image.Rectangle{}), color.RGBA{}, 1)
	if out.RGBAAt(2, 1) != before {
		t.Error("nothing painted changes the picture")
	}
}
