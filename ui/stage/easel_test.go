package stage

import (
	"image"
	"image/color"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"realword/inference"
	"realword/inference/picture"
	"realword/ui/state"
	"realword/ui/uitest"
)

// A mask that is painted is seen over the picture and over its previews, in the subject's colour or dark, and before there is a picture,
// over an empty sheet; the masks that come with it are seen in place of those of the step. Space hides all of it.
func TestWhatIsPaintedIsSeen(t *testing.T) {
	var veil Veil
	var masks []picture.Layer
	easel := canvas.NewRectangle(color.Transparent)
	b := newBench(t, func(h *Host) {
		h.Veil, h.Easel = func() (Veil, []picture.Layer) { return veil, masks }, easel
	})
	mask := image.NewGray(image.Rect(0, 0, 64, 64))
	for y := range 64 {
		for x := range 32 {
			mask.SetGray(x, y, color.Gray{Y: 255})
		}
	}
	at := func(x, y float32) color.RGBA {
		b.Panel.Refresh()
		b.Settle()
		img, _ := b.pane.image.Image.(*image.RGBA)
		if !b.pane.image.Visible() || img == nil {
			return color.RGBA{}
		}
		return img.RGBAAt(int(x*float32(img.Rect.Dx())), int(y*float32(img.Rect.Dy())))
	}
	near := func(what string, got color.RGBA, r, g, blue int) {
		t.Helper()
		for i, d := range [3]int{int(got.R) - r, int(got.G) - g, int(got.B) - blue} {
			if d < -3 || d > 3 {
				t.Errorf("%s is %v, want %v (channel %d)", what, got, [3]int{r, g, blue}, i)
				return
			}
		}
	}
	if got := at(0.25, 0.5); got.A != 0 || b.pane.coach.Visible() == false {
		t.Fatalf("without a picture %v is seen", got)
	}
	veil = Veil{Mask: mask}
	near("the empty sheet", at(0.75, 0.5), 112, 112, 112)
	near("paint on it", at(0.25, 0.5), 67, 113, 138) // 0.4 of (0, 114, 178)
	if easel.Size() != b.pane.Size() {
		t.Errorf("the easel has %v of %v", easel.Size(), b.pane.Size())
	}
	b.picture(dog)
	b.State.View.Step = 1
	plain := color.RGBA{10, 100, 150, 255}
	near("beside it", at(0.75, 0.9), int(plain.R), int(plain.G), int(plain.B))
	near("paint on a preview", at(0.25, 0.5), 6, 106, 161)
	veil.Away = true
	near("where it must not be", at(0.25, 0.5), 4, 40, 60)
	// In place of the step's masks, which lie in the middle, one in the lower right corner.
	corner := make([]float32, 64)
	corner[63] = 1
	masks = []picture.Layer{{Grid: picture.Grid{Width: 8, Height: 8, Values: corner}, Style: picture.SubjectStyle(1)}}
	if got := at(0.97, 0.97); got.R < 60 {
		t.Errorf("in the corner it is %v", got)
	}
	near("where the step has its mask", at(0.6, 0.4), int(plain.R), int(plain.G), int(plain.B))
	b.Peek(true)
	near("held", at(0.25, 0.5), int(plain.R), int(plain.G), int(plain.B))
	b.Peek(false)
	if !b.overlay.row.Hidden {
		t.Error("the row of the masks of the step stays under the picture")
	}
	veil = Veil{}
	if got := at(0.45, 0.45); got == plain {
		t.Error("the step's own masks do not come back")
	}
	b.send(inference.Done{})
}

// Places of the easel and of the picture are the same ones, however it is zoomed.
func TestPlacesOnTheEasel(t *testing.T) {
	b := newBench(t, nil)
	b.State = b.State.Begin(state.Task{}, 1, 2)
	b.send(uitest.Picture(dog, 0))
	b.Settle()
	corner, size := b.pane.box()
	check := func(at fyne.Position, x, y float32) {
		t.Helper()
		p := b.Where(at)
		if back := b.At(p); p.X-x > 0.02 || x-p.X > 0.02 || p.Y-y > 0.02 || y-p.Y > 0.02 || back.X-at.X > 0.1 || at.X-back.X > 0.1 {
			t.Errorf("%v is %v and back %v, want %g, %g", at, p, back, x, y)
		}
	}
	check(corner, 0, 0)
	check(corner.AddXY(size.Width*0.75, size.Height/4), 0.75, 0.25)
	check(corner.AddXY(-size.Width/2, size.Height), -0.5, 1)
	if b.Span() != size {
		t.Errorf("the picture is %v, the box %v", b.Span(), size)
	}
	width, middle := b.Span().Width, fyne.NewPos(b.pane.Size().Width/2, b.pane.Size().Height/2)
	for range 6 {
		b.Scroll(&fyne.ScrollEvent{PointEvent: fyne.PointEvent{Position: middle}, Scrolled: fyne.Delta{DY: 10}})
	}
	if b.Span().Width < 1.5*width {
		t.Fatalf("zoomed from %g to %g", width, b.Span().Width)
	}
	check(middle, 0.5, 0.5)
	b.Pan(-b.Span().Width/8, 0)
	check(middle, 0.625, 0.5)
}

// TestToolsHaveTheirHeightAfterPainting: the row under the picture comes and goes with the brush, and what lies around it has to know.
func TestToolsHaveTheirHeightAfterPainting(t *testing.T) {
	var veil Veil
	b := newBench(t, func(h *Host) {
		h.Veil, h.Easel = func() (Veil, []picture.Layer) { return veil, nil }, canvas.NewRectangle(color.Transparent)
	})
	b.picture(dog)
	high := func() float32 {
		t.Helper()
		b.Panel.Refresh()
		b.Settle()
		if got, want := b.Tools.Size().Height, b.Tools.MinSize().Height; got != want {
			t.Errorf("the tools are %g high, and need %g", got, want)
		}
		return b.Tools.Size().Height
	}
	before := high()
	veil = Veil{Mask: image.NewGray(image.Rect(0, 0, 64, 64))}
	if while := high(); while >= before {
		t.Errorf("while painting the tools are %g high, before %g", while, before)
	}
	veil = Veil{}
	if after := high(); after != before {
		t.Errorf("after painting the tools are %g high, before %g", after, before)
	}
}

// TestPaintingForAnotherShape: where the next picture has another shape than the one in view, that is pulled to it, so that the brush is
// round and the mask lies as it will; afterwards it has its own again.
func TestPaintingForAnotherShape(t *testing.T) {
	var veil Veil
	b := newBench(t, func(h *Host) { h.Veil = func() (Veil, []picture.Layer) { return veil, nil } })
	b.picture(dog)
	shape := func() float32 {
		b.Panel.Refresh()
		b.Settle()
		return b.Span().Width / b.Span().Height
	}
	if got := shape(); got < 0.98 || got > 1.02 {
		t.Fatalf("the picture has %g", got)
	}
	veil = Veil{Mask: image.NewGray(image.Rect(0, 0, 128, 64))}
	if got := shape(); got < 1.96 || got > 2.04 || !strings.HasPrefix(b.info.Text, "The next picture is") {
		t.Errorf("under a mask of 2:1 the picture has %g and is called %q", got, b.info.Text)
	}
	veil = Veil{}
	if got := shape(); got < 0.98 || got > 1.02 || strings.HasPrefix(b.info.Text, "The next picture is") {
		t.Errorf("afterwards it has %g", got)
	}
}
