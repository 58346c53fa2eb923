package mask

import (
	"image"
	"image/color"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
)

// drawn presses the mouse on a cutter and drags it along places.
func drawn(c *cutter, places ...fyne.Position) {
	c.MouseDown(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: places[0]}, Button: desktop.MouseButtonPrimary})
	for _, p := range places[1:] {
		c.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: p}})
	}
	c.DragEnd()
}

// TestCutter chooses by a rectangle, by a line around, and with the eraser. The picture is 100 × 50 pixels, in the middle of 200 × 200.
func TestCutter(t *testing.T) {
	test.NewTempApp(t)
	img := image.NewNRGBA(image.Rect(0, 0, 100, 50))
	for i := range img.Pix {
		img.Pix[i] = 200
	}
	changed := 0
	c := newCutter(img, func() { changed++ })
	c.Resize(fyne.NewSize(200, 200))
	if c.chosen() != nil {
		t.Error("something is chosen before anything is drawn")
	}
	drawn(c, fyne.NewPos(20, 70), fyne.NewPos(50, 80), fyne.NewPos(60, 90)) // 10, 10 to 30, 20
	if a := area(c.mask); a != 20.*10/5000 || c.mask.GrayAt(10, 10).Y != 255 || c.mask.GrayAt(30, 20).Y != 0 || changed == 0 {
		t.Errorf("a rectangle of %g", a)
	}
	if soft := c.chosen(); soft.GrayAt(10, 10).Y != 255 || soft.GrayAt(50, 40).Y != 0 {
		t.Error("the edge is soft outwards alone")
	}
	if lit, dark := c.image.Image.At(15, 15), c.image.Image.At(60, 40); lit != (color.NRGBA{200, 200, 200, 200}) || dark.(color.NRGBA).R >= 100 {
		t.Errorf("chosen %v, not chosen %v", lit, dark)
	}
	c.show(image.NewGray(c.mask.Rect))
	c.tool = outline
	drawn(c, fyne.NewPos(80, 70), fyne.NewPos(140, 70), fyne.NewPos(140, 130), fyne.NewPos(80, 130))
	if c.mask.GrayAt(55, 25).Y != 0 {
		t.Error("an open line encloses nothing")
	}
	drawn(c, fyne.NewPos(80, 130), fyne.NewPos(80, 70))
	if c.mask.GrayAt(55, 25).Y != 255 || c.mask.GrayAt(20, 25).Y != 0 {
		t.Error("what the line encloses does not belong to it")
	}
	c.tool = rub
	drawn(c, fyne.NewPos(110, 100))
	if c.mask.GrayAt(55, 25).Y != 0 || c.mask.GrayAt(45, 25).Y != 255 {
		t.Error("the eraser takes away what it touches, and nothing is filled again")
	}
}
