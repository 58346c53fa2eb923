package kit

import (
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
)

// Ghost is the picture that follows the pointer while something is dragged.
type Ghost struct {
	Layer *fyne.Container
	Image *canvas.Image
}

const ghostSide = 56

func NewGhost() *Ghost {
	g := &Ghost{Image: canvas.NewImageFromImage(image.NewRGBA(image.Rect(0, 0, 1, 1)))}
	g.Image.FillMode, g.Image.ScaleMode, g.Image.CornerRadius, g.Image.Translucency = canvas.ImageFillContain, canvas.ImageScaleFastest, 6, 0.3
	g.Image.Resize(fyne.NewSquareSize(ghostSide))
	g.Image.Hide()
	g.Layer = container.NewWithoutLayout(g.Image)
	return g
}

// Follow shows a picture at the pointer.
func (g *Ghost) Follow(img image.Image, at fyne.Position) {
	if g.Image.Image != img {
		g.Image.Image = img
		g.Image.Refresh()
	}
	g.Image.Move(at.SubtractXY(ghostSide/2, ghostSide/2))
	g.Image.Show()
}

func (g *Ghost) Gone() { g.Image.Hide() }

// Covers tells whether a place of the window is on an object. One that is away covers nothing: Fyne has it in the corner of the window,
// where none of the others is.
func Covers(o fyne.CanvasObject, at fyne.Position) bool {
	p := fyne.CurrentApp().Driver().AbsolutePositionForObject(o)
	size := o.Size()
	return !p.IsZero() && at.X >= p.X && at.Y >= p.Y && at.X < p.X+size.Width && at.Y < p.Y+size.Height
}
