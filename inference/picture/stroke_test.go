package picture

import (
	"image"
	"math"
	"math/rand/v2"
	"testing"
)

// pixelByPixel is Draw without what it knows of whole parts.
func pixelByPixel(mask *image.Gray, from, to Point, b Brush) {
	size := mask.Rect.Size()
	radius := max(b.Size*float32(max(size.X, size.Y))/2, 1)
	outer, inner := radius+0.5, min(radius*(1-b.Softness), radius-0.5)
	dx, dy := to.X-from.X, to.Y-from.Y
	long := dx*dx + dy*dy
	for y := range size.Y {
		for x := range size.X {
			px, py := float32(x)+0.5-from.X, float32(y)+0.5-from.Y
			if long > 0 {
				t := min(max((px*dx+py*dy)/long, 0), 1)
				px, py = px-t*dx, py-t*dy
			}
			d := px*px + py*py
			if d >= outer*outer {
				continue
			}
			f := float32(1)
			if inner < 0 || d > inner*inner {
				f = min((outer-float32(math.Sqrt(float64(d))))/(outer-inner), 1)
				f *= f * (3 - 2*f)
			}
			v := uint8(255*f + 0.5)
			if at := &mask.Pix[y*mask.Stride+x]; b.Erase {
				*at = min(*at, 255-v)
			} else {
				*at = max(*at, v)
			}
		}
	}
}

// What a stroke fills without a look at each pixel is what each pixel would be.
func TestStrokesPixelByPixel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 4000 {
		w, h := 1+r.IntN(60), 1+r.IntN(60)
		a := image.NewGray(image.Rect(0, 0, w, h))
		for i := range a.Pix {
			a.Pix[i] = uint8(r.IntN(256))
		}
		p := func() Point { return Point{X: r.Float32()*90 - 15, Y: r.Float32()*90 - 15} }
		from, to := p(), p()
		if r.IntN(3) == 0 {
			to = from
		}
		b := Brush{Size: r.Float32() * 1.2, Softness: r.Float32(), Erase: r.IntN(2) == 0}
		if r.IntN(4) == 0 {
			b.Softness = 0
		}
		got := Stroke(a, from, to, b)
		pixelByPixel(a, from, to, b)
		if string(got.Pix) != string(a.Pix) {
			t.Fatalf("%d: %v %v %v", i, from, to, b)
		}
	}
}
