package ui

import (
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
)

// ghost is the picture that follows the pointer while something is dragged.
type ghost struct {
	layer *fyne.Container
	image *canvas.Image
}

const ghostSide = 56

func newGhost() *ghost {
	g := &ghost{image: canvas.NewImageFromImage(image.NewRGBA(image.Rect(0, 0, 1, 1)))}
	g.image.FillMode, g.image.ScaleMode, g.image.CornerRadius, g.image.Translucency = canvas.ImageFillContain, canvas.ImageScaleFastest, 6, 0.3
	g.image.Resize(fyne.NewSquareSize(ghostSide))
	g.image.Hide()
	g.layer = container.NewWithoutLayout(g.image)
	return g
}

// follow shows a picture at the pointer.
func (g *ghost) follow(img image.Image, at fyne.Position) {
	if g.image.Image != img {
		g.image.Image = img
		g.image.Refresh()
	}
	g.image.Move(at.SubtractXY(ghostSide/2, ghostSide/2))
	g.image.Show()
}

func (g *ghost) gone() { g.image.Hide() }
