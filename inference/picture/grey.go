package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"

	xdraw "golang.org/x/image/draw"
)

// EncodeGrey writes the values as a grey PNG file. With 16 bits it is the numbers: one pixel for every position, the highest value
// 65535 and nothing interpolated. With 8 bits it is for other programs: size pixels, resized bilinearly as the model resizes masks, the
// highest value 255.
func (g Grid) EncodeGrey(bits int, size image.Point) ([]byte, error) {
	exact, err := g.exact()
	switch {
	case err != nil:
		return nil, err
	case bits == 16:
		return encodeGrey(exact)
	case bits == 8:
		if size.X < 1 || size.Y < 1 {
			size = exact.Rect.Size()
		}
		return encodeGrey(resized(exact, size))
	}
	return nil, fmt.Errorf("a map is saved with 8 or 16 bits, not %d", bits)
}

// EncodeFilled is EncodeGrey with 8 bits for a picture that Fill brings from one size to another: what lay over it lies over the same
// things again. Where both have one ratio of the sides, nothing is cut off.
func (g Grid) EncodeFilled(from, to image.Point) ([]byte, error) {
	exact, err := g.exact()
	if err != nil {
		return nil, err
	}
	scale := max(float64(to.X)/float64(from.X), float64(to.Y)/float64(from.Y))
	side := func(n, least int) int { return max(int(math.Round(float64(n)*scale)), least) }
	whole := resized(exact, image.Pt(side(from.X, to.X), side(from.Y, to.Y)))
	corner := whole.Rect.Size().Sub(to).Div(2)
	return encodeGrey(whole.SubImage(image.Rectangle{corner, corner.Add(to)}))
}

// exact has a pixel for every position, the highest value is white.
func (g Grid) exact() (*image.Gray16, error) {
	if g.check() != nil {
		return nil, errors.New("there is nothing to save here: choose another cell")
	}
	top := slices.Max(g.Values)
	exact := image.NewGray16(image.Rect(0, 0, g.Width, g.Height))
	for p, v := range g.Values {
		if top > 0 && v > 0 {
			exact.SetGray16(p%g.Width, p/g.Width, color.Gray16{Y: uint16(v/top*65535 + 0.5)})
		}
	}
	return exact, nil
}

// resized is resized bilinearly.
func resized(exact *image.Gray16, size image.Point) *image.Gray {
	wide := image.NewGray16(image.Rectangle{Max: size})
	xdraw.BiLinear.Scale(wide, wide.Rect, exact, exact.Rect, xdraw.Src, nil)
	grey := image.NewGray(wide.Rect)
	for y := range size.Y {
		for x := range size.X {
			grey.SetGray(x, y, color.Gray{Y: uint8((uint32(wide.Gray16At(x, y).Y)*255 + 32767) / 65535)})
		}
	}
	return grey
}

func encodeGrey(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}
