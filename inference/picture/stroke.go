package picture

import (
	"image"
	"math"
)

// Brush is how a stroke looks. Lengths are pixels of the mask.
type Brush struct {
	Size     float32 // across, as a share of the longer side of the mask; a pixel or two at least
	Softness float32 // 0: a hard edge; 1: it fades from the middle on
	Erase    bool
}

// Stroke is a copy of a mask with a line of the brush on it.
func Stroke(mask *image.Gray, from, to Point, b Brush) *image.Gray {
	out := image.NewGray(image.Rectangle{Max: mask.Rect.Size()})
	for y := range out.Rect.Dy() {
		copy(out.Pix[y*out.Stride:][:out.Rect.Dx()], mask.Pix[y*mask.Stride:])
	}
	b.Draw(from, to, out)
	return out
}

// Draw draws a line of the brush on masks of one size, and answers where they may have become others. What is painted already gets no
// darker where a stroke crosses it.
func (b Brush) Draw(from, to Point, masks ...*image.Gray) image.Rectangle {
	size := masks[0].Rect.Size()
	radius := max(b.Size*float32(max(size.X, size.Y))/2, 1)
	outer, inner := radius+0.5, min(radius*(1-b.Softness), radius-0.5)
	left, right := int(math.Floor(float64(min(from.X, to.X)-outer))), int(math.Ceil(float64(max(from.X, to.X)+outer)))
	top, bottom := int(math.Floor(float64(min(from.Y, to.Y)-outer))), int(math.Ceil(float64(max(from.Y, to.Y)+outer)))
	reach := image.Rect(left, top, right, bottom).Intersect(image.Rectangle{Max: size})
	dx, dy := to.X-from.X, to.Y-from.Y
	long := dx*dx + dy*dy
	for y := reach.Min.Y; y < reach.Max.Y; y++ {
		for x := reach.Min.X; x < reach.Max.X; x++ {
			px, py := float32(x)+0.5-from.X, float32(y)+0.5-from.Y
			if long > 0 { // from the nearest place of the line
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
			for _, mask := range masks {
				if at := &mask.Pix[y*mask.Stride+x]; b.Erase {
					*at = min(*at, 255-v)
				} else {
					*at = max(*at, v)
				}
			}
		}
	}
	return reach
}
