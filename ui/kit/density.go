package kit

import (
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
)

// Density is the pixels of the screen that a unit has where an object is; 1 where it is nowhere.
func Density(o fyne.CanvasObject) float32 {
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil {
		return DensityOf(c)
	}
	return 1
}

// DensityOf is the pixels of a unit of a canvas. Its Scale is that of sizes alone: on macOS and under Wayland it stays 1, and the system
// gives a window on a fine screen more pixels than that.
func DensityOf(c fyne.Canvas) float32 {
	const far = 1 << 20 // so that nothing is lost where it is rounded
	x, _ := c.PixelCoordinateForPosition(fyne.NewPos(far, 0))
	return float32(x) / far
}

// NewGauge is an invisible thing that tells, on Fyne's goroutine, when the density of the window that it is in has become another: the
// window is on another screen, or on its first one. Fyne then draws all anew, which it asks a raster for, and tells nobody else.
func NewGauge(changed func()) fyne.CanvasObject {
	var r *canvas.Raster
	var was float32
	r = canvas.NewRaster(func(int, int) image.Image {
		if d := Density(r); d != was {
			was = d
			fyne.Do(changed) // later: this is in the middle of drawing
		}
		return image.NewRGBA(image.Rect(0, 0, 1, 1))
	})
	r.Resize(fyne.NewSize(1, 1))
	return container.NewWithoutLayout(r)
}
