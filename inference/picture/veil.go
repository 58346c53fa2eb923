package picture

import (
	"image"
	"image/color"
)

// Veil lays a painted mask over a picture in place: colour where it is white, opacity (0 to 1) as strong as it is there, and a line of
// black and white where it is half. The whole picture has size pixels, of which out shows those from at on; the mask is stretched over
// the whole.
func Veil(out *image.RGBA, size, at image.Point, mask *image.Gray, c color.RGBA, opacity float64) {
	w, h := out.Rect.Dx(), out.Rect.Dy()
	if mask.Rect.Empty() || size.X < 1 || size.Y < 1 {
		return
	}
	var alpha [256]uint32
	for v := range alpha {
		alpha[v] = uint32(float64(v)/255*min(max(opacity, 0), 1)*256 + 0.5)
	}
	xs := make([]int, w)
	for x := range xs {
		xs[x] = stretched(at.X+x, size.X, mask.Rect.Dx())
	}
	above, line := make([]bool, w), make([]bool, w)
	for y := range h {
		row := mask.Pix[stretched(at.Y+y, size.Y, mask.Rect.Dy())*mask.Stride:]
		pixels := out.Pix[y*out.Stride:][:4*w]
		for x, i := range xs {
			v := row[i]
			if v > 0 {
				blend(pixels[4*x:], c, alpha[v])
			}
			line[x] = v > 127
			if y > 0 && line[x] != above[x] || x > 0 && line[x] != line[x-1] {
				ink := color.RGBA{A: 255}
				if (at.X+x+at.Y+y)&7 < 4 {
					ink = color.RGBA{255, 255, 255, 255}
				}
				blend(pixels[4*x:], ink, 230)
			}
		}
		above, line = line, above
	}
}

// stretched is the pixel, of few along an axis, that lies under one of many.
func stretched(at, many, few int) int { return min(max(at*few/many, 0), few-1) }
