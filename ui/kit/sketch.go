package kit

import (
	"bytes"
	"image"
	"image/png"
	"sync"

	"fyne.io/fyne/v2"

	"realword/assets"
)

// AreaSketch is one mask for 10, 20 and 40 % of a picture, and StopSketch a run whose masks follow the words at first.
var (
	AreaSketch = sketch(assets.TipArea)
	StopSketch = sketch(assets.TipStop)
)

// sketch is a picture of the program for a tip; nil where it cannot be read, which a test rules out.
func sketch(data []byte) func() image.Image {
	return sync.OnceValue(func() image.Image {
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			fyne.LogError("A picture of the program cannot be read", err)
			return nil
		}
		return img
	})
}
