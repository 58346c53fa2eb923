package kit

import (
	"math"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// fill gives every object all the room.
func fill(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		place(o, 0, 0, size.Width, size.Height)
	}
}

// place moves an object to a place and gives it a size.
func place(o fyne.CanvasObject, x, y, width, height float32) {
	o.Move(fyne.NewPos(x, y))
	o.Resize(fyne.NewSize(width, height))
}

// largest is the smallest size in which every object that is visible has room.
func largest(objects []fyne.CanvasObject) (size fyne.Size) {
	for _, o := range objects {
		if o.Visible() {
			size = size.Max(o.MinSize())
		}
	}
	return size
}

// Inset keeps a margin around its one object.
type Inset struct{ X, Y float32 }

func (i Inset) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.NewPos(i.X, i.Y))
		o.Resize(size.SubtractWidthHeight(2*i.X, 2*i.Y))
	}
}

func (i Inset) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return largest(objects).AddWidthHeight(2*i.X, 2*i.Y)
}

// Fixed gives its objects a smallest width and height; 0 leaves theirs. A height without a width is that of a row of text and
// grows with the texts.
type Fixed struct{ Width, Height float32 }

func (f Fixed) Layout(objects []fyne.CanvasObject, size fyne.Size) { fill(objects, size) }

func (f Fixed) MinSize(objects []fyne.CanvasObject) fyne.Size {
	size := largest(objects)
	if f.Width > 0 {
		size.Width = f.Width
	}
	switch {
	case f.Height > 0 && f.Width == 0:
		size.Height = f.Height * TextScale()
	case f.Height > 0:
		size.Height = f.Height
	}
	return size
}

// Narrow gives its object the width that there is, however much it wants.
type Narrow struct{}

func (Narrow) Layout(objects []fyne.CanvasObject, size fyne.Size) { fill(objects, size) }

func (Narrow) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(0, largest(objects).Height)
}

// Foot keeps so much free below its object.
type Foot struct{ Height float32 }

func (f *Foot) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	fill(objects, size.SubtractWidthHeight(0, f.Height))
}

func (f *Foot) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return largest(objects).AddWidthHeight(0, f.Height)
}

// Lines is a text field that is as high as its text, from least to most lines.
type Lines struct{ Least, Most float32 }

func (l Lines) Layout(objects []fyne.CanvasObject, size fyne.Size) { fill(objects, size) }

func (l Lines) MinSize(objects []fyne.CanvasObject) fyne.Size {
	f := objects[0].(*Field)
	size := theme.SizeForWidget(theme.SizeNameText, f)
	pad := 2*theme.SizeForWidget(theme.SizeNameInnerPadding, f) + 2*theme.SizeForWidget(theme.SizeNameInputBorder, f)
	width := f.Size().Width - pad
	rows := float32(0)
	for part := range strings.SplitSeq(f.Text, "\n") {
		need := fyne.MeasureText(part, size, fyne.TextStyle{}).Width
		rows += 1 + float32(math.Floor(float64(1.05*need/max(width, 1)))) // words do not fill a row to its end
	}
	return fyne.NewSize(0, min(max(rows, l.Least), l.Most)*fyne.MeasureText("Mg", size, fyne.TextStyle{}).Height*1.02+pad)
}

// AtLeast keeps its content from getting smaller than that.
type AtLeast struct{ Width, Height float32 }

func (a AtLeast) Layout(objects []fyne.CanvasObject, size fyne.Size) { fill(objects, size) }

func (a AtLeast) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return objects[0].MinSize().Max(fyne.NewSize(a.Width, a.Height))
}

// sized gives its objects one size, whatever they want.
type sized struct{ size fyne.Size }

func (s sized) MinSize([]fyne.CanvasObject) fyne.Size              { return s.size }
func (s sized) Layout(objects []fyne.CanvasObject, size fyne.Size) { fill(objects, size) }
