package stage

import (
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"realword/inference"
	"realword/ui/command"
	"realword/ui/state"
	"realword/ui/uitest"
)

func TestZoomPorts(t *testing.T) {
	room := image.Pt(300, 200)
	for name, c := range map[string]struct {
		z    zoom
		want port
	}{
		"fit":        {zoom{}, port{image.Pt(200, 200), image.Rect(0, 0, 200, 200)}},
		"100 %":      {zoom{1, 0.5, 0.5}, port{image.Pt(512, 512), image.Rect(106, 156, 406, 356)}},
		"a corner":   {zoom{1, 0, 1}, port{image.Pt(512, 512), image.Rect(0, 312, 300, 512)}},
		"small":      {zoom{0.25, 0.5, 0.5}, port{image.Pt(128, 128), image.Rect(0, 0, 128, 128)}},
		"very large": {zoom{8, 0.5, 0.5}, port{image.Pt(4096, 4096), image.Rect(1898, 1948, 2198, 2148)}},
	} {
		if got := c.z.port(image.Pt(512, 512), room); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	if got := (zoom{}).port(image.Point{}, room); got != (port{}) {
		t.Errorf("no picture lies at %+v", got)
	}
}

// What is under the pointer stays under it.
func TestZoomKeepsThePlace(t *testing.T) {
	natural, room := image.Pt(512, 384), image.Pt(300, 200)
	r := rand.New(rand.NewPCG(1, 2))
	z := zoom{}.by(3, 0.5, 0.5, natural, room)
	for range 200 {
		x, y := r.Float32(), r.Float32()
		under := func(z zoom) (float64, float64) {
			p := z.port(natural, room)
			return (float64(p.part.Min.X) + float64(x)*float64(p.part.Dx())) / float64(p.size.X),
				(float64(p.part.Min.Y) + float64(y)*float64(p.part.Dy())) / float64(p.size.Y)
		}
		next := z.by([]float32{1.25, 0.8}[r.IntN(2)], x, y, natural, room)
		if next.scale == 0 {
			z = next.by(3, x, y, natural, room)
			continue
		}
		ax, ay := under(z)
		bx, by := under(next)
		inner := func(v float32) bool { return v > 0.3 && v < 0.7 } // at the border there is nothing more to move in
		if z.scale > 1.5 && inner(next.x) && inner(next.y) && (math.Abs(ax-bx) > 0.01 || math.Abs(ay-by) > 0.01) {
			t.Fatalf("from %+v to %+v: %g %g became %g %g", z, next, ax, ay, bx, by)
		}
		z = next
	}
	if got := (zoom{1, 0.5, 0.5}).by(0.1, 0.5, 0.5, natural, room); got != (zoom{}) {
		t.Errorf("zooming out ends at %+v", got)
	}
	if got := (zoom{2, 0.5, 0.5}).move(1e6, -1e6, natural, room).port(natural, room).part; got.Min.X != 0 || got.Max.Y != 768 {
		t.Errorf("dragged past the border: %v", got)
	}
	if got := (zoom{}).move(5, 5, natural, room); got != (zoom{}) {
		t.Error("a picture that fits is dragged")
	}
}

func TestStageZoomsAndCompares(t *testing.T) {
	b := newBench(t, nil)
	for i := range 2 {
		b.State = b.State.Begin(state.Task{}, 1, 2)
		r := uitest.Picture(dog, 0)
		r.Image.Pix[0] = uint8(i)
		b.send(r)
		b.send(inference.Done{Pictures: 1, Elapsed: time.Second})
		if i == 0 && b.canCompare() {
			t.Error("one picture is compared with itself")
		}
	}
	b.Tap(0)
	b.Settle()
	b.Tap(1)
	b.Settle()

	fit := b.rail.buttons[slices.IndexFunc(b.rail.buttons, func(t *command.ToolButton) bool { return t.Name == "Fit / 100 %" })]
	b.Key("Z")
	if fit.Importance != widget.MediumImportance {
		t.Error("the tools do not say that the picture is zoomed")
	}
	if b.pane.zoom.scale != 1 || !strings.HasSuffix(b.info.Text, "100 %") {
		t.Errorf("zoom %+v, %q", b.pane.zoom, b.info.Text)
	}
	b.Settle()
	if got := b.pane.image.Image.Bounds().Size(); got != image.Pt(16, 16) {
		t.Errorf("at 100 %% the picture has %v pixels", got)
	}
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(b.pane.image)
	b.pane.Scrolled(&fyne.ScrollEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(at.X, at.Y)}, Scrolled: fyne.Delta{DY: 40}})
	if b.pane.zoom.scale <= 1 {
		t.Error("the wheel does not enlarge")
	}
	b.pane.DoubleTapped(nil)
	if b.pane.zoom != (zoom{}) || fit.Importance != widget.LowImportance {
		t.Error("a double click does not fit the picture")
	}

	b.Key("M")
	b.Settle()
	if !b.contrast.on || b.contrast.other.Image == b.State.Shot().Image || b.info.Text == "" {
		t.Fatalf("%+v", b.contrast)
	}
	_, size := b.pane.box()
	left, _ := b.pane.box()
	b.pane.MouseDown(&desktop.MouseEvent{})
	b.pane.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: left.AddXY(size.Width*0.25, 5)}})
	if math.Abs(float64(b.contrast.split)-0.25) > 0.02 {
		t.Errorf("the split is at %g", b.contrast.split)
	}
	b.pane.MouseUp(&desktop.MouseEvent{})
	b.Layers.Back()
	if b.contrast.on {
		t.Error("Esc does not end comparing")
	}
}

func TestSplitScenePaintsBoth(t *testing.T) {
	a, c := image.NewNRGBA(image.Rect(0, 0, 8, 8)), image.NewNRGBA(image.Rect(0, 0, 8, 8))
	for i := range a.Pix {
		a.Pix[i], c.Pix[i] = 0xff, 0x80
	}
	for i := 3; i < len(c.Pix); i += 4 {
		c.Pix[i] = 0xff
	}
	s := whole(a, 64, 64)
	s.other, s.split = c, 0.25
	img := s.paint()
	if img.RGBAAt(4, 4).R != 0xff || img.RGBAAt(40, 4).R < 0x7e || img.RGBAAt(40, 4).R > 0x82 {
		t.Errorf("left %v, right %v", img.RGBAAt(4, 4), img.RGBAAt(40, 4))
	}
	s.crisp = true
	s.size, s.part = image.Pt(800, 800), image.Rect(95, 95, 105, 105)
	s.other = nil
	a.Pix[0] = 0 // the first pixel: 100 × 100 on the screen
	img = s.paint()
	if img.RGBAAt(4, 4).R != 0 || img.RGBAAt(5, 4).R != 0xff {
		t.Errorf("crisp pixels are %v and %v", img.RGBAAt(4, 4), img.RGBAAt(5, 4))
	}
}

// A swipe to the side zooms nothing, and a touchpad, which sends shares of a notch, no faster than a wheel.
func TestWheelZoomsByWhatItTurns(t *testing.T) {
	b := made(t, nil)
	scroll := func(dx, dy float32) {
		b.pane.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(dx, dy)})
	}
	if scroll(10, 0); b.pane.zoom != (zoom{}) {
		t.Errorf("a swipe to the side zooms to %+v", b.pane.zoom)
	}
	b.Key("Z")
	for range 40 {
		scroll(0, 0.5)
	}
	if got := b.pane.zoom.scale; math.Abs(float64(got)-1.25*1.25) > 0.01 {
		t.Errorf("two notches in small shares zoom to %g", got)
	}
	scroll(0, -25)
	if got := b.pane.zoom.scale; math.Abs(float64(got)-1.25) > 0.01 {
		t.Errorf("a notch back zooms to %g", got)
	}
}
