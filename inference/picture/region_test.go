package picture

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// TestGrown compares with the distance to every white pixel, measured one by one.
func TestGrown(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range []image.Point{{1, 1}, {17, 9}, {9, 31}, {40, 1}} {
		for _, share := range []float64{0, 0.02, 0.3} {
			region := image.NewGray(image.Rectangle{Max: size})
			var white []image.Point
			for y := range size.Y {
				for x := range size.X {
					switch v := r.Float64(); {
					case v < share:
						region.SetGray(x, y, color.Gray{128 + uint8(r.IntN(128))})
						white = append(white, image.Pt(x, y))
					case v < 2*share:
						region.SetGray(x, y, color.Gray{uint8(r.IntN(128))})
					}
				}
			}
			for _, c := range [][2]int{{0, 0}, {3, 0}, {0, 4}, {2, 5}} {
				got := Grown(region, c[0], c[1])
				for y := range size.Y {
					for x := range size.X {
						d := math.Inf(1)
						for _, p := range white {
							d = min(d, math.Hypot(float64(p.X-x), float64(p.Y-y)))
						}
						want := float64(region.GrayAt(x, y).Y)
						switch off := d - float64(c[0]); {
						case c == [2]int{}:
						case off <= 0:
							want = 255
						case off < float64(c[1]):
							want = max(want, 255*(1-off/float64(c[1])))
						}
						if math.Abs(float64(got.GrayAt(x, y).Y)-want) > 0.501 {
							t.Fatalf("%v grown by %v: %d at %d, %d, want %g", size, c, got.GrayAt(x, y).Y, x, y, want)
						}
					}
				}
			}
		}
	}
}

func TestPositionsOfAMask(t *testing.T) {
	g := Grid{Width: 2, Height: 2, Values: []float32{0, 0.1, 1, 0}}
	p := g.Positions(6, 4)
	for y := range 4 {
		for x := range 6 {
			want := uint8(0)
			if (x >= 3) != (y >= 2) {
				want = 255
			}
			if p.GrayAt(x, y).Y != want {
				t.Errorf("%d at %d, %d", p.GrayAt(x, y).Y, x, y)
			}
		}
	}
	if (Grid{Width: 2}).Positions(4, 4) != nil {
		t.Error("a grid without values is a picture")
	}
}

func TestComposeLeavesWhatIsOutside(t *testing.T) {
	over, under, region := image.NewRGBA(image.Rect(0, 0, 3, 1)), image.NewRGBA(image.Rect(0, 0, 3, 1)), image.NewGray(image.Rect(0, 0, 3, 1))
	for x := range 3 {
		over.Set(x, 0, color.RGBA{200, 100, 1, 255})
		under.Set(x, 0, color.RGBA{10, 255, 3, 255})
	}
	copy(region.Pix, []uint8{0, 51, 255})
	got := Compose(over, under, region)
	for x, want := range []color.RGBA{{10, 255, 3, 255}, {48, 224, 3, 255}, {200, 100, 1, 255}} { // 51 is a fifth
		if got.RGBAAt(x, 0) != want {
			t.Errorf("%v where the region is %d, want %v", got.RGBAAt(x, 0), region.Pix[x], want)
		}
	}
	if Resized(region, 3, 1) != region || Resized(region, 6, 2).Rect.Dx() != 6 {
		t.Error("resized wrongly")
	}
}

// TestHeldLeavesOutWhatIsNoSubject: a mask of the built-in model covers as much as its area says, also where nothing of the subject is.
func TestHeldLeavesOutWhatIsNoSubject(t *testing.T) {
	mask := Grid{6, 4, []float32{
		0, 0.9, 0, 0, 0, 0.3,
		0.8, 1, 0.1, 0, 0, 0,
		0, 0.11, 0, 0, 0.5, 0.5,
		0, 0, 0, 0.05, 0.2, 0,
	}}
	want := []float32{ // 0.1 and 0.05 are at most a tenth of 1; 0.3 is more than a tenth of the largest sum, 2.81
		0, 0.9, 0, 0, 0, 0.3,
		0.8, 1, 0, 0, 0, 0,
		0, 0.11, 0, 0, 0.5, 0.5,
		0, 0, 0, 0, 0.2, 0,
	}
	if got := mask.Held().Values; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	mask.Values[5] = 0.28
	want[5] = 0
	if got := mask.Held().Values; !slices.Equal(got, want) {
		t.Errorf("with a small island: %v", got)
	}
	if got := (Grid{2, 2, []float32{0, 0, 0, 0}}).Held().Values; !slices.Equal(got, make([]float32, 4)) {
		t.Errorf("of nothing: %v", got)
	}
	if bad := (Grid{Width: 2, Height: 2}); !reflect.DeepEqual(bad.Held(), bad) {
		t.Errorf("of no values: %v", bad.Held())
	}
}
