package kit

import (
	"image"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"realword/inference/picture"
)

// Inside is where a picture lies that is shown whole in the middle of a place of this size.
type Inside struct {
	Corner fyne.Position
	Unit   float32 // of the screen, that a pixel of the picture takes
}

func NewInside(place fyne.Size, pixels image.Point) Inside {
	w, h := float32(max(pixels.X, 1)), float32(max(pixels.Y, 1))
	unit := min(place.Width/w, place.Height/h)
	return Inside{fyne.NewPos((place.Width-w*unit)/2, (place.Height-h*unit)/2), unit}
}

// Pixel is what lies under a place, in pixels of the picture; also beside it.
func (i Inside) Pixel(at fyne.Position) picture.Point {
	return picture.Point{X: (at.X - i.Corner.X) / i.Unit, Y: (at.Y - i.Corner.Y) / i.Unit}
}

// Ring is that of a brush on the screen, black around white, so that it is seen on every picture.
type Ring [2]*canvas.Circle

func NewRing() (r Ring) {
	for i, c := range [...]color.Color{color.Black, color.White} {
		r[i] = &canvas.Circle{StrokeColor: c, StrokeWidth: float32(3 - 2*i), FillColor: color.Transparent, Hidden: true}
	}
	return r
}

// Objects are what it is drawn with.
func (r Ring) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r[0], r[1]} }

// Show shows it around a place, so far across.
func (r Ring) Show(middle fyne.Position, across float32) {
	for _, c := range r {
		c.Resize(fyne.NewSquareSize(across))
		c.Move(middle.SubtractXY(across/2, across/2))
		c.Show()
		c.Refresh()
	}
}

func (r Ring) Hide() {
	for _, c := range r {
		c.Hide()
	}
}
