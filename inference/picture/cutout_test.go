package picture

import (
	"image"
	"image/color"
	"testing"
)

// TestCutOut cuts a subject out at the border of a picture: the square around it reaches beyond, edges are as soft as the mask, and
// nothing is hidden under what is clear.
func TestCutOut(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 60, 50))
	mask := image.NewGray(img.Rect)
	for y := range 50 {
		for x := range 60 {
			img.SetNRGBA(x, y, color.NRGBA{uint8(x), uint8(y), 99, 255})
			if x < 40 && y < 20 {
				mask.SetGray(x, y, color.Gray{255})
			}
		}
	}
	mask.SetGray(40, 5, color.Gray{128}) // soft
	mask.SetGray(50, 40, color.Gray{3})  // nobody sees it
	img.SetNRGBA(10, 10, color.NRGBA{1, 2, 3, 100})
	out := CutOut(img, mask)
	// 41 × 20, a margin of 3 on each side: 47; the corner of the picture lies at 3, 13 in it
	if out.Rect != image.Rect(0, 0, 47, 47) {
		t.Fatalf("it is %v", out.Rect)
	}
	for _, c := range []struct {
		x, y int
		want color.NRGBA
	}{
		{3, 13, color.NRGBA{0, 0, 99, 255}},
		{42, 32, color.NRGBA{39, 19, 99, 255}},
		{2, 13, color.NRGBA{}},
		{3, 12, color.NRGBA{}},
		{42, 33, color.NRGBA{}},
		{43, 18, color.NRGBA{40, 5, 99, 128}},
		{43, 19, color.NRGBA{}},
		{13, 23, color.NRGBA{1, 2, 3, 100}},
	} {
		if got := out.NRGBAAt(c.x, c.y); got != c.want {
			t.Errorf("at %d, %d it is %v, not %v", c.x, c.y, got, c.want)
		}
	}
	if CutOut(img, image.NewGray(img.Rect)) != nil {
		t.Error("an empty mask holds something")
	}
	half := image.NewGray(image.Rect(0, 0, 6, 5))
	for i := range half.Pix {
		half.Pix[i] = 255
	}
	if all := CutOut(img, half); all.Rect.Dx() != 66 || all.NRGBAAt(65-3, 57) != img.NRGBAAt(59, 49) {
		t.Errorf("a small mask over the whole picture: %v", all.Rect)
	}
}
