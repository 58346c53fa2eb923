package picture

import (
	"image"
	"image/color"
)

// Swatch is a plain area in the style's colour with its pattern in a lighter tone, w × h pixels; scale enlarges the pattern on
// screens with small pixels. Sizes below one pixel count as one.
func (s Style) Swatch(w, h, scale int) *image.RGBA {
	w, h, scale = max(w, 1), max(h, 1), max(scale, 1)
	lighter := func(c uint8) uint8 { return c + uint8((255-int(c))*6/10) }
	line := color.RGBA{lighter(s.Color.R), lighter(s.Color.G), lighter(s.Color.B), 255}
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := s.Color
			if s.Hatch.on(x/scale, y/scale) {
				c = line
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}
