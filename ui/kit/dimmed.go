package kit

import (
	"image"
	"image/color"
	"image/draw"
)

// Dimmed is a picture through which the ground shows, for one that is not whole; nil of nil.
func Dimmed(img image.Image) image.Image {
	if img == nil {
		return nil
	}
	out := image.NewNRGBA(image.Rectangle{Max: img.Bounds().Size()})
	draw.DrawMask(out, out.Rect, img, img.Bounds().Min, image.NewUniform(color.Alpha{A: 128}), image.Point{}, draw.Src)
	return out
}
