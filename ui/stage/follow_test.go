package stage

import (
	"image"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/ui/state"
	"realword/ui/uitest"
)

// During a run a click on an old thumbnail leaves it, and the live tile leads back.
func TestLiveTileLeadsBack(t *testing.T) {
	b := newBench(t, nil)
	b.picture(dog)
	if b.live.Visible() {
		t.Error("without a run there is a live tile")
	}
	b.State = b.State.Begin(state.Task{}, 1, 2)
	b.send(inference.StageStarted{Stage: inference.StageDenoise})
	b.send(uitest.Step(0, 3, 2, 1))
	if !b.live.Visible() || !b.live.Chosen || b.live.image.Image != image.Image(b.State.Run().Film[0].Preview) {
		t.Errorf("the live tile: visible %v, chosen %v", b.live.Visible(), b.live.Chosen)
	}
	for name, back := range map[string]func(){"a click": func() { test.Tap(b.live) }, "L": func() { b.Key("L") }} {
		test.Tap(b.Strip.Objects[0].(fyne.Tappable))
		b.send(uitest.Step(1, 3, 2, 1))
		if b.State.View.Shot != 0 || b.live.Chosen {
			t.Fatalf("an old thumbnail shows %+v", b.State.View)
		}
		if back(); b.State.View != (state.View{Shot: -1, Step: -1}) || !b.live.Chosen {
			t.Errorf("%s leads to %+v", name, b.State.View)
		}
	}
	b.send(uitest.Picture(dog, 0))
	b.send(inference.Done{})
	if b.live.Visible() || b.State.View.Shot != 1 {
		t.Errorf("after the run: live tile %v, view %+v", b.live.Visible(), b.State.View)
	}
}

// The strip follows the newest picture unless somebody looks elsewhere.
func TestStripFollowsTheNewest(t *testing.T) {
	b := newBench(t, nil)
	scroll := b.stripScroll(t)
	sees := func(i int) bool {
		o := b.Strip.Objects[i]
		y := o.Position().Y - scroll.Offset.Y
		return y >= 0 && y+o.Size().Height <= scroll.Size().Height
	}
	for i := range 12 {
		b.picture(dog)
		if !sees(i) {
			t.Fatalf("picture %d is not in view: the strip is at %g", i, scroll.Offset.Y)
		}
	}
	scrollTo := func(y float32) {
		scroll.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, scroll.Offset.Y-y)})
	}
	scrollTo(0)
	b.picture(dog)
	if scroll.Offset.Y != 0 {
		t.Errorf("who has scrolled away is taken to %g", scroll.Offset.Y)
	}
	scrollTo(10000)
	b.picture(dog)
	if !sees(13) {
		t.Error("back at the end the strip does not follow")
	}
	// An older picture is chosen: it stays in view while others come, and the way back to the newest leads there.
	scrollTo(0)
	b.Tap(1)
	b.State.Queue.Flights = []state.Flight{{Run: state.Round{Phase: state.Running}}}
	b.send(uitest.Picture(dog, 0))
	if scroll.Offset.Y != 0 || b.State.View.Shot != 1 {
		t.Errorf("looking at the second one: at %g, view %+v", scroll.Offset.Y, b.State.View)
	}
	b.Key("L")
	if !sees(14) {
		t.Error("the live run does not lead the strip back to its end")
	}
	b.Tap(0)
	if !sees(0) {
		t.Error("a picture that was chosen is not in view")
	}
}

// What is chosen stays in view when the strip gets lower and higher, and who has scrolled away stays there.
func TestTheStripKeepsThePictureInViewWhenItsHeightChanges(t *testing.T) {
	b := newBench(t, nil)
	scroll := b.stripScroll(t)
	for range 16 {
		b.picture(dog)
	}
	sees := func(i int) bool {
		o := b.Strip.Objects[i]
		y := o.Position().Y - scroll.Offset.Y
		return y >= 0 && y+o.Size().Height <= scroll.Size().Height+0.1
	}
	size := b.stripRow.Size()
	high := func(part float32) { b.stripRow.Resize(fyne.NewSize(size.Width, size.Height*part)) }
	for _, chosen := range []int{15, 8} {
		if chosen != 15 {
			b.Tap(chosen)
		}
		for _, part := range []float32{0.9, 0.5, 1, 0.45, 0.6, 1.2, 1} {
			if high(part); !sees(chosen) {
				t.Errorf("picture %d is not in view in a strip %g high, which is at %g: it lies at %g, %g high", chosen, scroll.Size().Height, scroll.Offset.Y, b.Strip.Objects[chosen].Position().Y, b.Strip.Objects[chosen].Size().Height)
			}
		}
	}
	b.Tap(15)
	scroll.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, scroll.Offset.Y)})
	if high(0.7); scroll.Offset.Y != 0 {
		t.Errorf("who has scrolled away is taken to %g", scroll.Offset.Y)
	}
	if b.picture(dog); scroll.Offset.Y != 0 {
		t.Errorf("with a new picture it is taken to %g", scroll.Offset.Y)
	}
}

// Thumbnails that are made anew under another page, as when the trash was emptied or another session was taken up, show the one in view.
func TestTheStripFollowsAnew(t *testing.T) {
	b := newBench(t, nil)
	scroll := b.stripScroll(t)
	for range 16 {
		b.picture(dog)
	}
	for i, chosen := range []int{15, 15, 8, 8} {
		b.Tap(chosen)
		b.Change(func(s *state.State) {
			s.Shots = slices.Clone(s.Shots)
			s.Shots[3].Trashed = i%2 == 0
			b.Forget()
			scroll.Refresh()
		})
		o := b.Strip.Objects[chosen]
		if y := o.Position().Y - scroll.Offset.Y; len(b.Strip.Objects) != 16 || y < 0 || y+o.Size().Height > scroll.Size().Height+0.1 {
			t.Errorf("picture %d lies at %g in a strip %g high", chosen, y, scroll.Size().Height)
		}
	}
}

// stripScroll is the scroll around the thumbnails, small enough for a few of them.
func (b *bench) stripScroll(t *testing.T) *container.Scroll {
	t.Helper()
	for _, o := range b.stripRow.Objects {
		if s, ok := o.(*container.Scroll); ok {
			return s
		}
	}
	t.Fatal("the thumbnails do not scroll")
	return nil
}

// After scrubbing, Esc leads to the picture, and the last frame is the picture itself, not its blurry preview.
func TestEscLeadsFromAStepToThePicture(t *testing.T) {
	b := made(t, nil)
	b.ShowStep(1)
	b.Settle()
	if b.Layers.Open() != 1 || !strings.Contains(b.info.Text, "step 2 of 3") {
		t.Fatalf("Esc closes %d things; the stage says %q", b.Layers.Open(), b.info.Text)
	}
	b.ShowStep(0)
	if b.Layers.Open() != 1 {
		t.Errorf("after another step Esc closes %d things", b.Layers.Open())
	}
	b.Layers.Back()
	b.Settle()
	if b.State.View.Step != -1 || b.Layers.Open() != 0 || strings.Contains(b.info.Text, "step") {
		t.Errorf("Esc leads to %+v, %q", b.State.View, b.info.Text)
	}
	b.ShowStep(2)
	b.Settle()
	if got := b.painted.base; got != image.Image(b.State.Shot().Image) {
		t.Error("the last frame is not the picture")
	}
	b.ShowStep(-1)
	if b.Layers.Open() != 0 {
		t.Error("back by another way, Esc has something left to close")
	}
}

// The other button shows a menu, and does not hide the masks as long as it is held.
func TestTheOtherButtonHidesNoMasks(t *testing.T) {
	b := made(t, nil)
	b.pane.MouseDown(&desktop.MouseEvent{Button: desktop.MouseButtonSecondary})
	if b.lens.held {
		t.Error("the masks are hidden")
	}
}
