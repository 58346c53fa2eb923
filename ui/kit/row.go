package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// Stacked is a column with a gap of its own.
type Stacked struct{ Gap float32 }

func (s Stacked) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	y := float32(0)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		if o.Size().Width != size.Width { // words that go on in further lines know their height only for a width
			o.Resize(fyne.NewSize(size.Width, o.Size().Height))
		}
		h := o.MinSize().Height
		place(o, 0, y, size.Width, h)
		if h > 0 { // what is empty needs no gap
			y += h + s.Gap
		}
	}
}

func (s Stacked) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		if size.Height > 0 && m.Height > 0 {
			size.Height += s.Gap
		}
		size.Height += m.Height
		size.Width = max(size.Width, m.Width)
	}
	return size
}

// Centred is a row in the middle of its place; where it has too little room, its last object is cut.
type Centred struct{ Gap float32 }

func (c Centred) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	x := max((size.Width-Row(c).MinSize(objects).Width)/2, 0)
	for _, o := range objects {
		m := o.MinSize()
		place(o, x, (size.Height-m.Height)/2, min(m.Width, size.Width-x), m.Height)
		x += m.Width + c.Gap
	}
}

func (c Centred) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(60, Row(c).MinSize(objects).Height)
}

// Flanked is a middle with a column at its left and one at its right, in their own widths.
type Flanked struct{ Gap float32 }

func (f Flanked) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Resize(fyne.NewSize(objects[0].Size().Width, size.Height)) // what stands upright knows its width only for a height
	left, right := f.width(objects[0]), f.width(objects[2])
	place(objects[0], 0, 0, left-f.Gap, size.Height)
	place(objects[1], left, 0, size.Width-left-right, size.Height)
	place(objects[2], size.Width-right+f.Gap, 0, right-f.Gap, size.Height)
}

func (f Flanked) width(o fyne.CanvasObject) float32 {
	if !o.Visible() {
		return 0
	}
	return o.MinSize().Width + f.Gap
}

func (f Flanked) MinSize(objects []fyne.CanvasObject) fyne.Size {
	m := objects[1].MinSize()
	return fyne.NewSize(m.Width+f.width(objects[0])+f.width(objects[2]), m.Height)
}

// Row is objects side by side, centred vertically, in their smallest size.
type Row struct{ Gap float32 }

func (r Row) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	x := float32(0)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		o.Resize(m)
		o.Move(fyne.NewPos(x, (size.Height-m.Height)/2))
		x += m.Width + r.Gap
	}
}

func (r Row) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		if size.Width > 0 {
			size.Width += r.Gap
		}
		size.Width += m.Width
		size.Height = max(size.Height, m.Height)
	}
	return size
}

func NewRow(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(Row{gap}, objects...)
}

func NewColumn(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(Stacked{gap}, objects...)
}

// Yielding is a name at the left and a control at the right, which may be one that is cut where there is too little room; where there is no
// room for both, the control stands alone.
type Yielding struct{ Gap float32 }

func (y Yielding) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	name, control := objects[0], objects[1]
	taken := float32(0)
	if control.Visible() {
		taken = control.MinSize().Width
		if c, cut := control.(interface{ Wanted() float32 }); cut {
			taken = c.Wanted()
		}
		taken = min(taken, size.Width)
	}
	place(control, size.Width-taken, 0, taken, size.Height)
	room := size.Width - taken
	if taken > 0 {
		room -= y.Gap
	}
	if fits := taken == 0 || name.MinSize().Width <= room; fits != name.Visible() {
		if name.Show(); !fits {
			name.Hide()
		}
	}
	place(name, 0, 0, room, size.Height)
}

func (y Yielding) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return largest(objects)
}

// Footed is what takes the room that there is, and below it, after a gap, a foot as high as it has to be in that width.
type Footed struct{ Gap float32 }

func (f Footed) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	if objects[1].Size().Width != size.Width {
		objects[1].Resize(fyne.NewSize(size.Width, objects[1].Size().Height))
	}
	foot := objects[1].MinSize().Height
	place(objects[0], 0, 0, size.Width, max(size.Height-foot-f.Gap, 0))
	place(objects[1], 0, size.Height-foot, size.Width, foot)
}

func (f Footed) MinSize(objects []fyne.CanvasObject) fyne.Size {
	a, b := objects[0].MinSize(), objects[1].MinSize()
	return fyne.NewSize(max(a.Width, b.Width), a.Height+f.Gap+b.Height)
}

// Gapped is a top in its smallest height, a gap, and the rest.
type Gapped struct{ Gap float32 }

func (g Gapped) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	if !objects[0].Visible() {
		objects[1].Move(fyne.Position{})
		objects[1].Resize(size)
		return
	}
	// The chips know their height only for a width.
	objects[0].Resize(fyne.NewSize(size.Width, objects[0].Size().Height))
	top := objects[0].MinSize().Height
	objects[0].Resize(fyne.NewSize(size.Width, top))
	place(objects[1], 0, top+g.Gap, size.Width, size.Height-top-g.Gap)
}

func (g Gapped) MinSize(objects []fyne.CanvasObject) fyne.Size {
	a, b := objects[0].MinSize(), objects[1].MinSize()
	return fyne.NewSize(max(a.Width, b.Width), a.Height+g.Gap+b.Height)
}
