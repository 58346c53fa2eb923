package kit

import (
	"slices"

	"fyne.io/fyne/v2"
)

// Flow puts objects side by side and goes on in the next row where they do not fit.
type Flow struct {
	Gap   float32
	Even  int     // so many columns of one width, where every object fits into one; 0: none
	width float32 // of the last layout, for MinSize
}

func (f *Flow) place(objects []fyne.CanvasObject, width float32, move bool) float32 {
	if f.Even > 0 {
		wide := (width - float32(f.Even-1)*f.Gap) / float32(f.Even)
		if !slices.ContainsFunc(objects, func(o fyne.CanvasObject) bool { return o.Visible() && o.MinSize().Width > wide }) {
			return f.inColumns(objects, wide, move)
		}
	}
	var x, y, row float32
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		size := o.MinSize()
		if x > 0 && x+size.Width > width {
			x, y, row = 0, y+row+f.Gap, 0
		}
		if move {
			o.Resize(size)
			o.Move(fyne.NewPos(x, y))
		}
		x += size.Width + f.Gap
		row = max(row, size.Height)
	}
	return y + row
}

func (f *Flow) inColumns(objects []fyne.CanvasObject, wide float32, move bool) float32 {
	var y, row float32
	column := 0
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		if column == f.Even {
			column, y, row = 0, y+row+f.Gap, 0
		}
		high := o.MinSize().Height
		if move {
			place(o, float32(column)*(wide+f.Gap), y, wide, high)
		}
		row = max(row, high)
		column++
	}
	return y + row
}

func (f *Flow) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	f.width = size.Width
	f.place(objects, size.Width, true)
}

func (f *Flow) MinSize(objects []fyne.CanvasObject) fyne.Size {
	width := f.width
	if width == 0 {
		width = 400
	}
	return fyne.NewSize(0, f.place(objects, width, false)) // any width will do
}

// Upright is groups of small things of one size from top to bottom, in as many columns as their height needs.
type Upright struct {
	Gap, Group float32 // between two of a group, and between groups
	Firsts     []int   // the index of the first of each group

	high float32 // of the last layout, for MinSize
}

// places are where the objects go in a height, and the width that they need.
func (u *Upright) places(objects []fyne.CanvasObject, high float32) (at []fyne.Position, width float32) {
	var x, y float32
	for i, o := range objects {
		m := o.MinSize()
		switch {
		case i == 0:
		case slices.Contains(u.Firsts, i):
			y += u.Group
		default:
			y += u.Gap
		}
		if y > 0 && y+m.Height > high && high > 0 {
			x, y = width+u.Gap, 0
		}
		at = append(at, fyne.NewPos(x, y))
		width, y = x+m.Width, y+m.Height
	}
	return at, width
}

func (u *Upright) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	u.high = size.Height
	at, _ := u.places(objects, u.high)
	for i, o := range objects {
		m := o.MinSize()
		place(o, at[i].X, at[i].Y, m.Width, m.Height)
	}
}

func (u *Upright) MinSize(objects []fyne.CanvasObject) fyne.Size {
	_, width := u.places(objects, u.high)
	return fyne.NewSize(width, 0)
}
