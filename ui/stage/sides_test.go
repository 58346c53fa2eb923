package stage

import (
	"image"
	"image/color"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/uitest"
)

func TestSidesComeWithTheFirstRun(t *testing.T) {
	b := newBench(t, nil)
	seen := func() [2]bool { return [2]bool{b.rail.body.Visible(), b.stripRow.Visible()} }
	if seen() != [2]bool{} {
		t.Error("an empty stage has tools or thumbnails")
	}
	b.Change(func(s *state.State) { *s = s.Begin(state.Task{}, 1, 2) })
	if seen() != [2]bool{true, true} || len(b.Strip.Objects) != 0 {
		t.Errorf("while the first picture is made: %v, %d thumbnails", seen(), len(b.Strip.Objects))
	}
	for i, column := range []fyne.CanvasObject{b.rail.body, b.pane, b.stripRow} {
		if x := fyne.CurrentApp().Driver().AbsolutePositionForObject(column).X; i > 0 && x < b.rail.body.Size().Width {
			t.Errorf("column %d begins at %g", i, x)
		}
	}
	if have, least := b.live.Size().Height, b.live.MinSize().Height; !b.live.Visible() || have < least {
		t.Errorf("the live tile is %g high, its picture and word need %g", have, least)
	}
	b.send(uitest.Picture(dog, 0))
	b.send(inference.Done{Pictures: 1})
	b.picture(dog)
	thumbs := b.Strip.Objects
	if len(thumbs) != 2 || thumbs[0].(*kit.Tile).Chosen || !thumbs[1].(*kit.Tile).Chosen {
		t.Fatalf("%d thumbnails", len(thumbs))
	}
	test.Tap(thumbs[0].(fyne.Tappable))
	if b.State.View.Shot != 0 || !thumbs[0].(*kit.Tile).Chosen || thumbs[1].(*kit.Tile).Chosen {
		t.Errorf("a thumbnail shows %+v", b.State.View)
	}

	// Dragged, it is followed by its picture; dropped, it says which one it was.
	thumb, ghost := thumbs[1].(*kit.Tile), b.host.Ghost
	thumb.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{AbsolutePosition: fyne.NewPos(30, 40)}})
	if !ghost.Image.Visible() || ghost.Image.Image == image.Image(nil) {
		t.Error("nothing follows the pointer")
	}
	thumb.DragEnd()
	if ghost.Image.Visible() || len(b.dropped) != 1 || b.dropped[0].Image != b.State.Shots[1].Image {
		t.Errorf("%d pictures were dropped", len(b.dropped))
	}

	// A picture that was stopped is dimmed, and says where.
	b.Change(func(s *state.State) {
		small := image.NewNRGBA(image.Rect(0, 0, 4, 4))
		for i := range small.Pix {
			small.Pix[i] = 0xff
		}
		s.Shots = append(slices.Clone(s.Shots), state.Shot{Thumb: small, Stopped: 7})
	})
	last := b.Strip.Objects[2].(*kit.Tile)
	inside := last.Body.Objects[1].(*fyne.Container).Objects[0].(*fyne.Container).Objects[0].(*canvas.Image).Image
	if got := color.NRGBAModel.Convert(inside.At(1, 1)); got != (color.NRGBA{255, 255, 255, 128}) || last.Name != "picture 3 · stopped · step 7" {
		t.Errorf("the stopped picture is %v, %q", got, last.Name)
	}

	// Another session's pictures have thumbnails of their own.
	b.Forget()
	b.Change(func(s *state.State) {
		s.Shots, s.View = s.Shots[:1:1], state.View{Shot: 0, Step: -1}
	})
	if len(b.Strip.Objects) != 1 || b.Strip.Objects[0] == thumbs[0] {
		t.Errorf("%d thumbnails are left", len(b.Strip.Objects))
	}
}

// TestOldThumbnailsAreSmall: a session with hundreds of pictures holds large thumbnails of the newest only.
func TestOldThumbnailsAreSmall(t *testing.T) {
	b := newBench(t, nil)
	const n = fineThumbs + 6
	img := image.NewNRGBA(image.Rect(0, 0, 256, 128))
	b.Change(func(s *state.State) {
		for range n {
			s.Shots = append(s.Shots, state.Shot{PictureReady: inference.PictureReady{Image: img}})
		}
	})
	for i, o := range b.Strip.Objects {
		want := image.Pt(224, 112)
		if i < n-fineThumbs {
			want = image.Pt(112, 56)
		}
		if got := kit.ThumbImage(o.(*kit.Tile)).Image.Bounds().Size(); got != want {
			t.Errorf("thumbnail %d of %d: %v, want %v", i, n, got, want)
		}
	}
}
