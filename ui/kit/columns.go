package kit

import (
	"fyne.io/fyne/v2"
)

// Columns is the frame of the window: a left and a right panel and the rest between them. The panels are as wide as their texts need, or
// as wished, and never take more than leaves the middle its least width. Objects behind the three are the handles in the gaps.
type Columns struct {
	Left, Right, Gap, Least float32
	Wish                    func() (left, right float32) // widths that the user wants; 0 is the usual one. Nil: none
}

const (
	leastPanel  = 200  // is how narrow a panel gets
	middleShare = 0.48 // of the width stays to the middle at least
	roomy       = 1500 // is the width from where on panels grow with the window
)

// Usual is how wide the panels are in a window of a width where the user wishes nothing.
func (c Columns) Usual(width float32) (left, right float32) {
	grow := max(TextScale(), 1, min(1+(width-roomy)/3000, 1.7))
	return c.Left * grow, c.Right * grow
}

// Growth is how much larger what is looked at gets in a high window: up to twice as large on a screen of 2000 lines and more.
func Growth(height float32) float32 { return min(max(height/1000, 1), 2) }

// sides are the widths of the panels in a window of a width; shown tells which of them are there.
func (c Columns) sides(width float32, shown [2]bool) (left, right float32) {
	left, right = c.Usual(width)
	if c.Wish != nil {
		l, r := c.Wish()
		if l > 0 {
			left = l
		}
		if r > 0 {
			right = r
		}
	}
	left, right = max(left, leastPanel), max(right, leastPanel)
	taken, gaps := float32(0), float32(0)
	for i, w := range [2]float32{left, right} {
		if shown[i] {
			taken, gaps = taken+w, gaps+c.Gap
		}
	}
	if room := width - gaps - max(c.Least, middleShare*width); taken > room {
		shrink := max(room, 1) / taken
		left, right = max(left*shrink, leastPanel), max(right*shrink, leastPanel)
	}
	return left, right
}

func (c Columns) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	left, right := c.sides(size.Width, [2]bool{objects[0].Visible(), objects[2].Visible()})
	middle := size.Width
	for i, width := range [3]float32{left, 0, right} {
		if i != 1 && objects[i].Visible() {
			middle -= width + c.Gap
		}
	}
	x := float32(0)
	for i, width := range [3]float32{left, middle, right} {
		if !objects[i].Visible() {
			continue
		}
		place(objects[i], x, 0, width, size.Height)
		x += width + c.Gap
	}
	for i, handle := range objects[3:] { // in the gap beside its panel
		panel := objects[2*i]
		x := panel.Position().X - c.Gap
		if i == 0 {
			x = panel.Size().Width
		}
		if handle.Resize(fyne.NewSize(c.Gap, size.Height)); !panel.Visible() {
			handle.Resize(fyne.Size{})
		}
		handle.Move(fyne.NewPos(x, 0))
	}
}

func (c Columns) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var height float32
	for _, o := range objects {
		if o.Visible() {
			height = max(height, o.MinSize().Height)
		}
	}
	return fyne.NewSize(2*leastPanel+2*c.Gap+c.Least, height)
}
