package picture

import (
	"image"
	"image/color"
	"math"
	"testing"
)

// lightness is L* of CIE 1976, of a colour of sRGB.
func lightness(c color.RGBA) float64 {
	linear := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	y := 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
	return 116*math.Cbrt(y) - 16
}

// TestWarmthIsPerceptual: lightness alone, as CIE measures it, tells every two tenths apart, and equal steps look about equal.
func TestWarmthIsPerceptual(t *testing.T) {
	least, most := math.Inf(1), 0.0
	for i := range 20 {
		step := lightness(Warmth(float64(i+1)/20)) - lightness(Warmth(float64(i)/20))
		least, most = min(least, step), max(most, step)
	}
	if least < 2.5 || most > 2*least {
		t.Errorf("twentieths differ by %.2f to %.2f of lightness", least, most)
	}
	low, high := Warmth(0), Warmth(1)
	if lightness(low) > 15 || lightness(high) < 90 || low.B <= low.G || high.R < 240 || high.R <= high.B {
		t.Errorf("from %v to %v", low, high)
	}
	if Warmth(-1) != low || Warmth(7) != high {
		t.Error("values beyond the range have colours of their own")
	}
}

// TestHeat: a map of scores, which are zero nowhere, goes from its own lowest to its highest, without a hatch or an outline, over a
// picture that keeps its light and loses its colours; of two the warmest is seen; a grid that is not square lies where it should.
func TestHeat(t *testing.T) {
	base := image.NewRGBA(image.Rect(0, 0, 96, 32))
	fill(base, color.NRGBA{0, 200, 0, 255})
	ramp := Grid{6, 2, make([]float32, 12)}
	for i := range ramp.Values {
		ramp.Values[i] = 0.2 + 0.01*float32(i%6)
	}
	draw := func(opacity float64, grids ...Grid) *image.RGBA {
		t.Helper()
		var layers []Layer
		for i, g := range grids {
			layers = append(layers, Layer{g, SubjectStyle(i)})
		}
		img, err := Overlay(base, layers, Heat, opacity)
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	full := draw(1, ramp)
	if full.RGBAAt(0, 16) != Warmth(0) || full.RGBAAt(95, 16) != Warmth(1) {
		t.Errorf("the ends are %v and %v", full.RGBAAt(0, 16), full.RGBAAt(95, 16))
	}
	for x := range 95 {
		for y := range 32 {
			if a, b := full.RGBAAt(x, y), full.RGBAAt(x, 0); a != b {
				t.Fatalf("at %d, %d there is a pattern: %v, above it %v", x, y, a, b)
			}
		}
		if lightness(full.RGBAAt(x+1, 0)) < lightness(full.RGBAAt(x, 0))-0.5 {
			t.Fatalf("it gets darker at %d", x)
		}
	}
	back := Grid{6, 2, make([]float32, 12)}
	for i := range back.Values {
		back.Values[i] = 5 - float32(i%6)
	}
	both := draw(1, ramp, back)
	if both.RGBAAt(0, 0) != Warmth(1) || both.RGBAAt(95, 0) != Warmth(1) || both.RGBAAt(48, 0) == Warmth(1) {
		t.Error("of two maps the warmest is not seen")
	}
	if thin := draw(0.5, ramp).RGBAAt(0, 0); int(thin.G)-int(thin.R) > 20 {
		t.Errorf("the picture keeps its colours: %v", thin)
	}
	if none := draw(0, ramp).RGBAAt(9, 9); none != (color.RGBA{0, 200, 0, 255}) {
		t.Errorf("at no opacity the picture is %v", none)
	}
	if flat := draw(1, Grid{2, 1, []float32{3, 3}}).RGBAAt(50, 9); flat != Warmth(0) {
		t.Errorf("equal scores are %v", flat)
	}
}
