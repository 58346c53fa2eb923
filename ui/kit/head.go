package kit

import (
	"slices"

	"fyne.io/fyne/v2"
)

// Tight is a row whose first object is cut where there is too little room for all.
type Tight struct{ Gap float32 }

func (t Tight) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	first := objects[0]
	room := size.Width - t.MinSize(objects).Width
	if first.Visible() {
		w := min(first.MinSize().Width, max(room, 0))
		place(first, size.Width-t.MinSize(objects).Width-w, (size.Height-first.MinSize().Height)/2, w, first.MinSize().Height)
	}
	x := size.Width - t.MinSize(objects).Width
	for _, o := range objects[1:] {
		if o.Visible() {
			m := o.MinSize()
			place(o, x+t.Gap, (size.Height-m.Height)/2, m.Width, m.Height)
			x += m.Width + t.Gap
		}
	}
}

// MinSize is without the first object.
func (t Tight) MinSize(objects []fyne.CanvasObject) fyne.Size {
	size := Row(t).MinSize(objects[1:])
	if size.Width > 0 {
		size.Width += t.Gap
	}
	return fyne.NewSize(size.Width, max(size.Height, objects[0].MinSize().Height))
}

// Head is a row of which the first object stands at the left, the others at the right. The second, which is Tight, takes what the others
// leave; where not even that is enough, the one before the last goes, and then the name, which is alone in a place of the first.
type Head struct {
	Gap  float32
	Name *fyne.Container
}

func (h Head) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	yielding := []fyne.CanvasObject{objects[len(objects)-2], h.Name.Objects[0]}
	for _, o := range yielding {
		if !o.Visible() {
			o.Show()
		}
	}
	for _, o := range yielding {
		if (Row{h.Gap}).MinSize(objects).Width > size.Width {
			o.Hide()
		}
	}
	x := size.Width
	for _, o := range slices.Backward(objects[2:]) {
		if o.Visible() {
			m := o.MinSize()
			x -= m.Width
			place(o, x, (size.Height-m.Height)/2, m.Width, m.Height)
			x -= h.Gap
		}
	}
	first := objects[0].MinSize()
	place(objects[0], 0, (size.Height-first.Height)/2, first.Width, first.Height)
	if objects[1].Visible() {
		m := objects[1].MinSize()
		place(objects[1], first.Width+h.Gap, (size.Height-m.Height)/2, max(x-first.Width-h.Gap, m.Width), m.Height)
	}
}

// MinSize is without what goes.
func (h Head) MinSize(objects []fyne.CanvasObject) fyne.Size {
	yields := len(objects) - 2
	size := Row{h.Gap}.MinSize(slices.Concat(objects[:yields], objects[yields+1:]))
	if h.Name.Visible() {
		size.Width -= h.Name.MinSize().Width
	}
	return size
}

// Either shows the second of its two objects in place of the first while Second answers true.
type Either struct{ Second func() bool }

func (e Either) pick(objects []fyne.CanvasObject) fyne.CanvasObject {
	second := e.Second()
	for i, o := range objects {
		if shown := second == (i == 1); shown != o.Visible() {
			if shown {
				o.Show()
			} else {
				o.Hide()
			}
		}
	}
	if second {
		return objects[1]
	}
	return objects[0]
}

// Layout gives what is shown its own height, in the middle.
func (e Either) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	o := e.pick(objects)
	h := min(o.MinSize().Height, size.Height)
	place(o, 0, (size.Height-h)/2, size.Width, h)
}

func (e Either) MinSize(objects []fyne.CanvasObject) fyne.Size { return e.pick(objects).MinSize() }
