package ui

import (
	"fmt"
	"image/color"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"realword/assets/translations"
	"realword/inference/plain"
	"realword/ui/i18n"
	"realword/ui/i18n/i18ntest"
	"realword/ui/kit"
	"realword/ui/preferences"
	"realword/ui/stage"
	"realword/ui/state"
	"realword/ui/uitest"
)

// worked is a window with one bound subject and a finished picture.
func worked(t *testing.T, percent int, language string) *bench {
	t.Helper()
	if language != "" {
		t.Cleanup(func() { i18ntest.English(t) })
		if err := i18n.Speak(translations.Files, language); err != nil {
			t.Fatal(err)
		}
	}
	b := ready(t, withSamples)
	b.win.SetPadded(false)
	b.prefs.Change(func(p *preferences.Values) { p.TextSize = percent })
	t.Cleanup(func() { kit.SetLook("system", 100) })
	b.subjects.PromptChanged("a dog on the beach")
	b.drop(nil, uitest.File(t, "rex.png", uitest.PNG(uitest.Red)))
	test.Tap(b.chipOf(1))
	b.settle()
	b.picture(b.run())
	b.settle()
	return b
}

// TestLookThePictureHasHalfOfTheHeight (faults 26 and 27): in half of a screen of 1080 lines and with large texts, also while a mask is
// painted; the tools beside it are all there.
func TestLookThePictureHasHalfOfTheHeight(t *testing.T) {
	plain.Run(t)
	half, usual := fyne.NewSize(960, 600), fyne.NewSize(1240, 800)
	for _, c := range []struct {
		percent  int
		language string
		sizes    []fyne.Size
	}{
		{100, "", []fyne.Size{half, usual, fyne.NewSize(3840, 2160)}},
		{100, "de", []fyne.Size{half}},
		{160, "", []fyne.Size{usual, half}},
		{160, "de", []fyne.Size{usual, fyne.NewSize(1920, 1050), half}},
	} {
		t.Run(fmt.Sprint(c.percent, c.language), func(t *testing.T) {
			b := worked(t, c.percent, c.language)
			for _, size := range c.sizes {
				look := func(when string) {
					t.Helper()
					b.layOut(size)
					menu := 24 * kit.TextScale() // the bar of menus, which a window of a test has not
					b.win.Content().Resize(size.SubtractWidthHeight(0, menu))
					b.settle()
					span := b.stage.Span()
					if min := size.Height / 2; span.Height < min || span.Width < min {
						t.Errorf("%v, %s: the picture is %v in its place of %v", size, when, span, b.stage.Picture.Size())
					}
					for _, o := range b.stage.Body.Objects[0].(*fyne.Container).Objects {
						if o.Position().Y+o.Size().Height > b.stage.Body.Size().Height+1 {
							t.Errorf("%v, %s: a tool at %v lies below the %g of its place", size, when, o.Position(), b.stage.Body.Size().Height)
						}
					}
				}
				look("a finished picture")
				if film := b.stage.Film; c.percent == 100 && size.Height >= 800 && film.Hidden { // its rows get smaller before it goes
					t.Errorf("%v: the film of the steps is folded away", size)
				}
				b.mask.Paint(0)
				if !b.mask.Painting() {
					t.Fatalf("%v: no mask is painted", size)
				}
				look("while a mask is painted")
				b.mask.Close()
				b.state.Change(func(s *state.State) { s.History.Example = true })
				look("the example")
				if low := c.percent == 160 && size.Height == 600; b.stage.ExampleMark.Visible() != low {
					t.Errorf("%v: the example's mark is seen: %t", size, !low)
				}
				b.state.Change(func(s *state.State) { s.History.Example = false })
			}
		})
	}
}

// TestLookTheFilmOfManySubjectsStays: in the usual window the film of four subjects is there, and the picture has half of the height.
func TestLookTheFilmOfManySubjectsStays(t *testing.T) {
	plain.Run(t)
	b := ready(t, withSamples)
	b.win.SetPadded(false)
	b.subjects.PromptChanged("a dog, a cat and a ball on the beach")
	for i, at := range []int{1, 3, 6} {
		b.drop(nil, uitest.File(t, fmt.Sprint(i, ".png"), uitest.PNG(color.NRGBA{uint8(50 * i), 90, 200, 255})))
		test.Tap(b.chipOf(at))
		b.settle()
		if i < 2 {
			continue
		}
		b.picture(b.run())
		b.settle()
		size := fyne.NewSize(1240, 800)
		b.layOut(size)
		b.win.Content().Resize(size.SubtractWidthHeight(0, 24))
		b.settle()
		if b.stage.Film.Hidden {
			t.Errorf("the film of %d subjects is folded away", i+1)
		}
		if span := b.stage.Span(); span.Height < size.Height/2 {
			t.Errorf("%d subjects: the picture has %g of %g", i+1, span.Height, size.Height)
		}
	}
}

// TestLookScrollBarsCoverNothing (fault 28): where a page is longer than its place, its content ends before the bar, also under the
// pointer.
func TestLookScrollBarsCoverNothing(t *testing.T) {
	plain.Run(t)
	b := worked(t, 100, "")
	b.set.More.OnTapped()
	b.layOut(smallest)
	overflowing := 0
	var visit func(o fyne.CanvasObject)
	visit = func(o fyne.CanvasObject) {
		if !o.Visible() {
			return
		}
		switch o := o.(type) {
		case *container.Scroll:
			inner := o.Content.(*fyne.Container).Objects[0]
			if o.Direction == container.ScrollVerticalOnly && o.Content.MinSize().Height > o.Size().Height+1 {
				overflowing++
				if inner.Size().Width > o.Size().Width-kit.BarWidth {
					t.Errorf("%v of a page of %v lie under its bar", inner.Size(), o.Size())
				}
			}
			if o.Direction == container.ScrollHorizontalOnly && o.Content.MinSize().Width > o.Size().Width+1 {
				overflowing++
				if inner.Size().Height > o.Size().Height-kit.BarWidth {
					t.Errorf("%v of a band of %v lie under its bar", inner.Size(), o.Size())
				}
			}
			visit(o.Content)
		case *fyne.Container:
			for _, c := range o.Objects {
				visit(c)
			}
		case *kit.Field:
		case fyne.Widget:
			for _, c := range test.WidgetRenderer(o).Objects() {
				visit(c)
			}
		}
	}
	visit(b.win.Content())
	if overflowing == 0 {
		t.Error("nothing scrolls: nothing was tested")
	}
}

// TestLookTheRoomIsRemembered (faults 24 and 27): the size of the window, the panels that were dragged, the film and the thumbnails.
func TestLookTheRoomIsRemembered(t *testing.T) {
	plain.Run(t)
	b := worked(t, 100, "")
	b.layOut(fyne.NewSize(1400, 900))
	left, right := b.columns.body.Objects[3].(*kit.Handle), b.columns.body.Objects[4].(*kit.Handle)
	drag := func(h *kit.Handle, dx, dy float32) {
		for range 4 {
			h.Dragged(&fyne.DragEvent{Dragged: fyne.NewDelta(dx/4, dy/4)})
		}
		h.DragEnd()
		b.layOut(fyne.NewSize(1400, 900))
	}
	was := [2]float32{b.columns.left.Size().Width, b.columns.right.Size().Width}
	drag(left, 40, 0)
	drag(right, -20, 0)
	now := [2]float32{b.columns.left.Size().Width, b.columns.right.Size().Width}
	if now[0] != was[0]+40 || now[1] != was[1]+20 {
		t.Errorf("the panels are %v wide, they were %v", now, was)
	}
	thumb := b.stage.Strip.Objects[0].MinSize().Width
	b.stage.Body.Refresh()
	s := b.columns.sizes()
	s.Thumb, s.Film, s.Zoom = 2, stage.Open, 1.5
	b.columns.setSizes(s, true)
	b.layOut(fyne.NewSize(1400, 900))
	if got := b.stage.Strip.Objects[0].MinSize().Width; got <= thumb*1.5 {
		t.Errorf("the thumbnails are %g wide, they were %g", got, thumb)
	}
	b.Close()
	again := preferences.Read(b.app.Preferences()).Room
	if again.Left != now[0] || again.Right != now[1] || startSize(again) != b.win.Canvas().Size() || again.Thumb != 2 || again.Film != "open" || again.Zoom != 1.5 {
		t.Errorf("remembered %+v", again)
	}
	if startSize(preferences.Room{Width: 400, Height: 300}) != fyne.NewSize(1240, 800) {
		t.Error("a window that is too small is remembered")
	}
}

// TestLookTheFilmFolds (fault 26): by its button and its key, by itself where the picture needs the room, and it comes when it is wanted.
func TestLookTheFilmFolds(t *testing.T) {
	plain.Run(t)
	b := worked(t, 100, "")
	b.layOut(fyne.NewSize(1400, 900))
	seen := func() bool { return b.stage.Film.Visible() }
	if !seen() {
		t.Fatal("there is room for the film, and it is not seen")
	}
	b.do("view.film")
	b.layOut(fyne.NewSize(1400, 900))
	if seen() {
		t.Error("the film is not folded away")
	}
	b.do("view.film")
	b.layOut(fyne.NewSize(960, 600))
	if !seen() {
		t.Error("a film that is wanted is not seen in a small window")
	}
	b.columns.setSizes(stage.Sizes{}, true)
	b.layOut(fyne.NewSize(960, 600))
	if seen() {
		t.Error("the film takes the room of the picture")
	}
	if !slices.Contains(b.seen(), "seed 7") && !slices.ContainsFunc(b.seen(), func(s string) bool { return len(s) > 4 && s[:4] == "seed" }) {
		t.Errorf("what is said of the picture went with the film: %q", b.seen())
	}
}

// TestLookALongPromptGivesWay: in the usual window the film stays under a long prompt, and nothing under the picture is cut.
func TestLookALongPromptGivesWay(t *testing.T) {
	plain.Run(t)
	b := worked(t, 100, "")
	size := fyne.NewSize(1240, 800)
	b.layOut(size)
	b.subjects.PromptChanged("a dog on the beach " + strings.Repeat("and a cat in a basket next to a robot ", 12))
	b.settle()
	b.win.Content().Resize(size.SubtractWidthHeight(0, 24))
	b.layOut(size)
	b.win.Content().Resize(size.SubtractWidthHeight(0, 24))
	b.settle()
	if b.stage.Film.Hidden {
		t.Error("the film is folded away")
	}
	if span := b.stage.Span(); span.Height < size.Height/2 {
		t.Errorf("the picture has %g of %g", span.Height, size.Height)
	}
	page := b.columns.lower.Objects[1].(*container.Scroll)
	if need := page.Content.MinSize().Height; need > page.Size().Height+1 {
		t.Errorf("what lies under the picture needs %g and has %g", need, page.Size().Height)
	}
}

// TestLookLargeTextsHaveRoom: with texts of 200 % in the smallest window nothing lies on something else or reaches beyond its button, the
// steps of the empty stage are all said, the slider of a card can be dragged, and badges and signs are as large as the texts.
func TestLookLargeTextsHaveRoom(t *testing.T) {
	plain.Run(t)
	b := newBench(t, withSamples)
	t.Cleanup(func() { kit.SetLook("system", 100) })
	b.drop(nil, uitest.Files(t, t.TempDir(), 2)...)
	b.subjects.PromptChanged("a dog")
	b.settle()
	b.prefs.Change(func(p *preferences.Values) { p.TextSize = 200 })
	b.layOut(smallest)
	b.settle()
	b.layOut(smallest)
	var heading *kit.Line
	steps, d := 0, fyne.CurrentApp().Driver()
	walk(b.win.Content(), func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *kit.Line:
			if o.Text == "Subjects" {
				heading = o
			}
		case *kit.Below:
			for _, text := range []string{"Write what the picture shows", "Drop a picture of your subject anywhere", "Click its word, then generate"} {
				if o.Text == text && o.Visible() {
					steps++
					if o.Size().Height < o.MinSize().Height || o.Size().Width < 100 {
						t.Errorf("“%s” has %v", text, o.Size())
					}
				}
			}
		case *kit.Button:
			if o.Text == "Release" || o.Text == "Paper" {
				if o.Size().Width < o.MinSize().Width {
					t.Errorf("“%s” has %v and needs %v", o.Text, o.Size(), o.MinSize())
				}
			}
		}
	})
	if steps != 3 {
		t.Errorf("%d of the three steps are said whole", steps)
	}
	if check := b.subjects.Linked; heading != nil && heading.Visible() && check.Visible() {
		if end := d.AbsolutePositionForObject(heading).X + heading.MinSize().Width; end > d.AbsolutePositionForObject(check).X {
			t.Errorf("the heading ends at %g, “Same area” begins at %g", end, d.AbsolutePositionForObject(check).X)
		}
	}
	test.Tap(b.chipOf(1))
	b.subjects.RemoveCard(b.state.Form.Cards[1].ID)
	b.settle()
	b.layOut(smallest)
	said := false
	walk(b.win.Content(), func(o fyne.CanvasObject) {
		line, ok := o.(*kit.Line)
		if ok && strings.HasPrefix(line.Text, "Press Generate") {
			said = true
			if line.Cut() || line.Size().Width > 440 {
				t.Errorf("“%s” has %v", line.Text, line.Size())
			}
		}
	})
	if !said {
		t.Error("it does not say how to generate")
	}
	card := b.cardAt(0)
	walk(card, func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *kit.Slider:
			if o.Visible() && o.Size().Width < 120 {
				t.Errorf("the slider of the area has %v", o.Size())
			}
		case *canvas.Text:
			if (o.Text == "A" || o.Text == "?") && o.TextSize < 20 {
				t.Errorf("the badge says “%s” in letters of %g", o.Text, o.TextSize)
			}
		}
	})
}
