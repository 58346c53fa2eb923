package kit

import (
	"image/color"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
)

// Near is how near a subject is to its references, and to its anchor (0: it has none), as a bar shows it.
type Near struct {
	Style             int // of the subject
	Reference, Anchor float64
}

// nearBars are small bars over the lower edge of a picture, one for every subject: as long as its likeness, with a mark at that to
// its anchor.
type nearBars struct{ list []Near }

const nearHeight, nearGap = 3, 1.5

// objects are those of the bars: for each its track, its bar and its mark.
func (b nearBars) objects() (list []fyne.CanvasObject) {
	for _, n := range b.list {
		track, bar := canvas.NewRectangle(color.NRGBA{0, 0, 0, 0xb0}), canvas.NewRectangle(SubjectColor(n.Style))
		mark := canvas.NewRectangle(color.White)
		track.CornerRadius, bar.CornerRadius = nearHeight/2, nearHeight/2
		mark.Hidden = n.Anchor <= 0
		list = append(list, track, bar, mark)
	}
	return list
}

// Layout implements fyne.Layout.
func (b nearBars) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	share := func(v float64) float32 { return float32(min(max(v, 0), 1)) * size.Width }
	put := func(o fyne.CanvasObject, x, y, w, h float32) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(w, h))
	}
	for i, n := range b.list {
		y := size.Height - float32(len(b.list)-i)*(nearHeight+nearGap)
		put(objects[3*i], 0, y, size.Width, nearHeight)
		put(objects[3*i+1], 0, y, share(n.Reference), nearHeight)
		put(objects[3*i+2], min(max(share(n.Anchor)-1, 0), size.Width-2), y-1, 2, nearHeight+2)
	}
}

// MinSize implements fyne.Layout.
func (b nearBars) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(0, float32(len(b.list))*(nearHeight+nearGap))
}

// NewNear is bars for a place over a picture.
func NewNear(list []Near) *fyne.Container {
	b := nearBars{list}
	return container.New(b, b.objects()...)
}

// ShowNear lays bars of likeness over a picture's lower edge and says it in the text under the pointer; an empty list takes them away. It
// tells whether anything has changed.
func (t *Tile) ShowNear(list []Near, said string) bool {
	if slices.Equal(t.near, list) && t.said == said {
		return false
	}
	t.near, t.said = list, said
	if t.bars != nil {
		t.Body.Remove(t.bars)
		t.bars = nil
	}
	if len(list) > 0 {
		t.bars = container.New(Inset{X: 5, Y: 5}, NewNear(list))
		t.Body.Add(t.bars)
	}
	t.Body.Refresh()
	return true
}
