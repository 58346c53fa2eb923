package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"

	xdraw "golang.org/x/image/draw"
)

// EncodeGrey writes the values as a grey PNG file. With 16 bits it is the numbers: one pixel for every position, the highest value
// 65535 and nothing interpolated. With 8 bits it is for other programs: size pixels, resized bilinearly as the model resizes masks, the
// highest value 255.
func (g Grid) EncodeGrey(bits int, size image.Point) ([]byte, error) {
	width, height, values := g.Width, g.Height, g.Values
	if g.check() != nil {
		return nil, errors.New("there is nothing to save here: choose another cell")
	}
	top := float32(0)
	for _, v := range values {
		top = max(top, v)
	}
	exact := image.NewGray16(image.Rect(0, 0, width, height))
	for p, v := range values {
		if top > 0 && v > 0 {
			exact.SetGray16(p%width, p/width, color.Gray16{Y: uint16(v/top*65535 + 0.5)})
		}
	}
	var img image.Image = exact
	switch bits {
	case 16:
	case 8:
		if size.X < 1 || size.Y < 1 {
			size = exact.Rect.Size()
		}
		wide := image.NewGray16(image.Rectangle{Max: size})
		xdraw.BiLinear.Scale(wide, wide.Rect, exact, exact.Rect, xdraw.Src, nil)
		grey := image.NewGray(wide.Rect)
		for y := range size.Y {
			for x := range size.X {
				grey.SetGray(x, y, color.Gray{Y: uint8((uint32(wide.Gray16At(x, y).Y)*255 + 32767) / 65535)})
			}
		}
		img = grey
	default:
		return nil, fmt.Errorf("a map is saved with 8 or 16 bits, not %d", bits)
	}
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}
