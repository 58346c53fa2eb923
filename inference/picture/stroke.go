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
	full := make([]uint8, reach.Dx())
	if !b.Erase {
		for i := range full {
			full[i] = 255
		}
	}
	for y := reach.Min.Y; y < reach.Max.Y; y++ {
		first, end := b.solid(from, to, inner, y, reach) // most of a large brush needs no look at each pixel
		for _, mask := range masks {
			copy(mask.Pix[y*mask.Stride+first:][:end-first], full)
		}
		for x := reach.Min.X; x < reach.Max.X; x++ {
			if x == first {
				x = end
				if x >= reach.Max.X {
					break
				}
			}
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

// solid is a part of row y of reach where a line is surely whole, as far as the discs at its ends say; none where first is end.
func (b Brush) solid(from, to Point, inner float32, y int, reach image.Rectangle) (first, end int) {
	least, most := float32(reach.Max.X), float32(reach.Min.X)
	for _, p := range [...]Point{from, to} {
		if off := float32(y) + 0.5 - p.Y; inner > 0 && off*off < inner*inner {
			half := float32(math.Sqrt(float64(inner*inner - off*off)))
			least, most = min(least, p.X-half), max(most, p.X+half)
		}
	}
	first, end = max(int(least)+2, reach.Min.X), min(int(most)-2, reach.Max.X) // a pixel less at each side, for the rounding
	if first >= end {
		return reach.Max.X, reach.Max.X
	}
	return first, end
}
