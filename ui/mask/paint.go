package mask

import (
	"image"
	"math"

	"realword/inference/picture"
)

func copyOf(mask *image.Gray) *image.Gray {
	out := image.NewGray(image.Rectangle{Max: mask.Rect.Size()})
	for y := range out.Rect.Dy() {
		copy(out.Pix[y*out.Stride:][:out.Rect.Dx()], mask.Pix[y*mask.Stride:])
	}
	return out
}

// inverted has white where black was.
func inverted(mask *image.Gray) *image.Gray {
	out := copyOf(mask)
	for i, v := range out.Pix {
		out.Pix[i] = 255 - v
	}
	return out
}

// mirrored has left and right changed.
func mirrored(mask *image.Gray) *image.Gray {
	out := copyOf(mask)
	for y := range out.Rect.Dy() {
		row := out.Pix[y*out.Stride:][:out.Rect.Dx()]
		for a, b := 0, len(row)-1; a < b; a, b = a+1, b-1 {
			row[a], row[b] = row[b], row[a]
		}
	}
	return out
}

// placed is a mask on size pixels: enlarged by factors around its upper left corner, then moved by pixels. What comes in at the borders is
// black.
func placed(mask *image.Gray, size image.Point, fx, fy, dx, dy float32) *image.Gray {
	out := image.NewGray(image.Rectangle{Max: size})
	w, h := mask.Rect.Dx(), mask.Rect.Dy()
	at := func(x, y int) float32 {
		if x < 0 || y < 0 || x >= w || y >= h {
			return 0
		}
		return float32(mask.Pix[y*mask.Stride+x])
	}
	for y := range size.Y {
		sy := (float32(y)+0.5-dy)/fy - 0.5
		if sy <= -1 || sy >= float32(h) {
			continue
		}
		y0 := int(math.Floor(float64(sy)))
		v := sy - float32(y0)
		for x := range size.X {
			sx := (float32(x)+0.5-dx)/fx - 0.5
			if sx <= -1 || sx >= float32(w) {
				continue
			}
			x0 := int(math.Floor(float64(sx)))
			u := sx - float32(x0)
			value := (1-v)*((1-u)*at(x0, y0)+u*at(x0+1, y0)) + v*((1-u)*at(x0, y0+1)+u*at(x0+1, y0+1))
			out.Pix[y*out.Stride+x] = uint8(value + 0.5)
		}
	}
	return out
}

// enlarged is a grid as a mask of k × k pixels for every position, which is the same grid again when it is covered.
func enlarged(g picture.Grid, k int) *image.Gray {
	out := image.NewGray(image.Rect(0, 0, g.Width*k, g.Height*k))
	top := float32(0)
	for _, v := range g.Values {
		top = max(top, v)
	}
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			if v := g.Values[y/k*g.Width+x/k]; v > 0 {
				out.Pix[y*out.Stride+x] = max(uint8(255*v/top+0.5), 1)
			}
		}
	}
	return out
}

// area is the share of the picture that a mask covers.
func area(mask *image.Gray) float64 {
	sum := 0
	for _, v := range mask.Pix {
		sum += int(v)
	}
	return float64(sum) / 255 / float64(max(len(mask.Pix), 1))
}
