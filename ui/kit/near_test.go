package kit

import (
	"image"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
)

// TestBarsOfLikeness: as long as the likeness, with a mark at that to the anchor, and away again.
func TestBarsOfLikeness(t *testing.T) {
	test.NewTempApp(t)
	c := NewNear([]Near{{Reference: 0.75, Anchor: 0.5}, {Style: 1, Reference: 1.2}})
	c.Resize(fyne.NewSize(100, 60))
	var bars []*canvas.Rectangle
	for _, o := range c.Objects {
		bars = append(bars, o.(*canvas.Rectangle))
	}
	if bars[1].Size().Width != 75 || bars[2].Position().X != 49 || bars[2].Hidden || bars[4].Size().Width != 100 || !bars[5].Hidden {
		t.Errorf("bars of %v and %v, a mark at %v", bars[1].Size(), bars[4].Size(), bars[2].Position())
	}
	if last := bars[4]; last.Position().Y+last.Size().Height > 60 || bars[1].Position().Y >= last.Position().Y {
		t.Error("they lie one below the other at the lower edge")
	}
	thumb := NewThumb("picture 1", image.NewRGBA(image.Rect(0, 0, 4, 4)), 56, func() {})
	before := len(thumb.Body.Objects)
	list := []Near{{Reference: 0.5}}
	if !thumb.ShowNear(list, "a hint") || thumb.ShowNear(list, "a hint") || len(thumb.Body.Objects) != before+1 {
		t.Error("bars come once")
	}
	if thumb.tip.Text() != "picture 1 · a hint" {
		t.Errorf("it says %q", thumb.tip.Text())
	}
	if !thumb.ShowNear(nil, "") || len(thumb.Body.Objects) != before || thumb.tip.Text() != "picture 1" {
		t.Error("bars go")
	}
}
