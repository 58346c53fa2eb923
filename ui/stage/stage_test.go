package stage

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/draw"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/inference/picture"
	"realword/inference/plain"
	"realword/ui/state"
	"realword/ui/uitest"
)

func TestStepBarMovesTStop(t *testing.T) {
	b := newBench(t, nil)
	width := b.bar.Size().Width - gutter
	for x, want := range map[float32]int{width * 8 / 25: 8, -20: 1, 2 * width: 25} {
		b.bar.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(gutter+x, 40)}})
		if b.State.Form.Stop != want || b.bar.look.stop != want {
			t.Errorf("at %g: T_stop %d, shown %d, want %d", x, b.State.Form.Stop, b.bar.look.stop, want)
		}
	}
	b.bar.set(12)
	for _, c := range []struct {
		key  fyne.KeyName
		want int
	}{{fyne.KeyLeft, 11}, {fyne.KeyRight, 12}, {fyne.KeyEnd, 25}, {fyne.KeyRight, 25}, {fyne.KeyHome, 1}, {fyne.KeyLeft, 1}} {
		b.bar.TypedKey(&fyne.KeyEvent{Name: c.key})
		if b.State.Form.Stop != c.want {
			t.Errorf("after %s: T_stop %d, want %d", c.key, b.State.Form.Stop, c.want)
		}
	}
	b.bar.look.hint = 9
	b.bar.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if b.State.Form.Stop != 9 {
		t.Errorf("Enter does not take the suggestion: %d", b.State.Form.Stop)
	}
	b.film.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(40, 10)}})
	if b.State.View.Step != -1 {
		t.Error("an empty film shows a step")
	}
}

func TestFilmScrubs(t *testing.T) {
	b := newBench(t, nil)
	b.State = b.State.Begin(state.Task{}, 1, 2)
	for i := range 4 {
		b.send(uitest.Step(i, 4, 2, 2))
	}
	b.send(uitest.Picture(dog, 0))
	b.send(inference.Done{Pictures: 1, Elapsed: time.Second})
	press := func(key fyne.KeyName) { b.film.TypedKey(&fyne.KeyEvent{Name: key}) }
	for i, c := range []struct {
		key  fyne.KeyName
		want int
	}{{fyne.KeyLeft, 3}, {fyne.KeyLeft, 2}, {fyne.KeyRight, 3}, {fyne.KeyRight, -1}, {fyne.KeyHome, 0}, {fyne.KeyLeft, 0}, {fyne.KeyEnd, -1}} {
		press(c.key)
		if b.State.View.Step != c.want {
			t.Fatalf("key %d, %s: step %d, want %d", i, c.key, b.State.View.Step, c.want)
		}
	}
	width := b.film.Size().Width - gutter
	rows := rowsOf(2, 1)
	at := fyne.NewPos(gutter+width*2.5/4, rows.maskTop(1)+3)
	if step, subject := b.film.at(at); step != 2 || subject != 1 {
		t.Errorf("step %d, subject %d", step, subject)
	}
	b.film.MouseDown(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: at}})
	if b.State.View.Step != 2 {
		t.Errorf("a click shows step %d", b.State.View.Step)
	}
	if b.film.Size().Height != rows.height()+filmFoot {
		t.Errorf("the film is %g high", b.film.Size().Height)
	}
	press(fyne.KeyReturn)
	b.film.DoubleTapped(&fyne.PointEvent{Position: at})
	if !slices.Equal(b.inspected, []int{-1, 1}) {
		t.Errorf("inspected %v", b.inspected)
	}
}

// The film of a second pass begins in the middle: what is clicked is what is painted there, and the bars and marks lie under it.
func TestLookFilmThatBeginsInTheMiddle(t *testing.T) {
	plain.Run(t)
	b := newBench(t, nil)
	b.State = b.State.Begin(state.Task{}, 1, 20)
	b.send(inference.StageStarted{Stage: inference.StageDenoise})
	for i := 15; i < 25; i++ {
		b.send(uitest.Step(i, 25, 20, 1))
	}
	if got := b.State.Status(); !strings.Contains(got, "step 25 of 25") {
		t.Errorf("the status says %q", got)
	}
	made := dog
	made.Stop = 20
	b.send(uitest.Picture(made, 0))
	b.send(inference.Done{Pictures: 1, Elapsed: time.Second})
	place := (b.film.Size().Width - gutter) / 25
	for step, want := range map[int]int{3: 15, 15: 15, 17: 17, 20: 20, 24: 24} {
		at := fyne.NewPos(gutter+(float32(step)+0.5)*place, 10)
		b.film.MouseDown(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: at}})
		if got := b.State.Shown().Step; got != want {
			t.Errorf("a click on step %d shows step %d, want %d", step, got, want)
		}
	}
	r := test.WidgetRenderer(b.film).(*filmRenderer).f
	near := func(a, b float32) bool { return a-b < 0.5 && b-a < 0.5 }
	if left, long := r.rest.Position().X, r.rest.Size().Width; !near(left, gutter+15*place) || !near(long, 10*place) {
		t.Errorf("the bar of steps lies at %g, %g long", left, long)
	}
	if left, long := r.follow.Position().X, r.follow.Size().Width; !near(left, gutter+15*place) || !near(long, 5*place) {
		t.Errorf("the bar of masks that follow the words lies at %g, %g long", left, long)
	}
	if r.look.calm != 16 { // the masks are the same at all of its steps
		t.Errorf("they could settle after step %d", r.look.calm+1)
	}
}

// The film of two steps, a tiny grid: preview above, then a row for each subject in its colour.
func TestFilmPaints(t *testing.T) {
	s := uitest.Step(0, 2, 1, 2)
	s.Subjects[1].Mask = make([]float32, 16)
	f := filmScene{steps: []inference.StepDone{s}, places: 2, subjects: 2, width: 100, scale: 1, zoom: 1, empty: color.Black, faint: color.White, alarm: color.White}
	img := f.paint()
	rows := rowsOf(2, 1)
	if img.Rect.Size() != image.Pt(100, int(rows.height()+0.5)) {
		t.Fatalf("size %v", img.Rect)
	}
	at := func(x int, y float32) color.RGBA { return img.RGBAAt(x, int(y)) }
	if got := at(20, rows.previewTop()+4); got != (color.RGBA{0, 100, 150, 255}) {
		t.Errorf("preview %v", got)
	}
	dark := color.RGBA{0, 33, 50, 255}
	if got := at(45, rows.maskTop(0)+2); got != dark {
		t.Errorf("beside the mask %v", got)
	}
	if got := at(24, rows.maskTop(1)+rows.mask/2); got != dark {
		t.Errorf("an empty mask %v", got)
	}
	// The middle of the cell (1, 1) of a picture of 49 × 49, of which the tile shows the 26 lines in the middle.
	if got := at(18, rows.maskTop(0)+7); got.R != 0 || got.G < 60 || got.B < 100 {
		t.Errorf("the mask is %v", got)
	}
	if got := at(70, rows.maskTop(0)+5); got != (color.RGBA{0, 0, 0, 255}) {
		t.Errorf("a step that has not come yet is %v", got)
	}
	f.steps, f.last = append(f.steps, uitest.Step(1, 2, 1, 2)), uitest.Picture(inference.Request{Seeds: []uint64{1}}, 0).Image
	img = f.paint()
	if got := at(20, rows.previewTop()+4); got != (color.RGBA{0, 100, 150, 255}) {
		t.Errorf("the first step of a finished picture is %v", got)
	}
	if got := at(70, rows.previewTop()+4); got != color.RGBA(uitest.Green) {
		t.Errorf("its last step is %v, not the picture", got)
	}
	if (filmScene{places: 2, subjects: 2}).paint() != nil {
		t.Error("a film without width is painted")
	}
}

func TestMaskModesAndSubjects(t *testing.T) {
	b := newBench(t, nil)
	b.State = b.State.Begin(state.Task{}, 1, 2)
	b.send(uitest.Step(0, 4, 2, 2))
	layers := func() int {
		if !b.masksOn() {
			return 0
		}
		return len(b.lens.layersOf(b.State.MaskStep(), b.State.Dress()))
	}
	if layers() != 2 || len(b.overlay.marks) != 2 || b.overlay.row.Hidden {
		t.Fatalf("%d masks, %d in the legend", layers(), len(b.overlay.marks))
	}
	test.Tap(b.overlay.marks[0].Tile)
	if layers() != 1 || b.lens.layersOf(b.State.MaskStep(), b.State.Dress())[0].Style != picture.SubjectStyle(1) {
		t.Error("the first subject is still seen")
	}
	test.Tap(b.overlay.marks[0].Tile)
	test.Tap(b.overlay.modes[picture.Cutout].Tile)
	if b.lens.mode != picture.Cutout || !b.overlay.modes[picture.Cutout].Chosen || layers() != 2 {
		t.Errorf("mode %v", b.lens.mode)
	}
	b.film.KeyDown(&fyne.KeyEvent{Name: fyne.KeySpace})
	if layers() != 0 {
		t.Error("Space does not hide the masks")
	}
	b.film.KeyUp(&fyne.KeyEvent{Name: fyne.KeySpace})
	test.Tap(b.overlay.seen)
	if layers() != 0 {
		t.Error("masks are still on")
	}
	test.Tap(b.overlay.modes[picture.Tint].Tile)
	b.send(uitest.Picture(dog, 0))
	if layers() != 0 || b.State.Shown() != nil {
		t.Error("a finished picture stands for itself until masks are asked for")
	}
	test.Tap(b.overlay.modes[picture.Outline].Tile)
	if layers() != 2 {
		t.Error("no masks over the finished picture")
	}
	b.send(inference.Done{Pictures: 1})
}

func TestMasksHideWhileHeld(t *testing.T) {
	b := newBench(t, nil)
	b.State = b.State.Begin(state.Task{}, 1, 2)
	b.send(uitest.Step(0, 4, 2, 1))
	pixel := func() color.Color {
		b.Settle()
		m := b.pane.image.Image.Bounds()
		return b.pane.image.Image.At(m.Dx()*3/8, m.Dy()*3/8)
	}
	with := pixel()
	b.pane.MouseDown(&desktop.MouseEvent{Button: desktop.MouseButtonPrimary})
	without := pixel()
	b.pane.MouseUp(nil)
	if with == without || pixel() != with {
		t.Errorf("with masks %v, held %v, after %v", with, without, pixel())
	}
	b.send(inference.Failed{Err: context.Canceled})
}

// Painting in all three modes on a tiny grid, and without scaling by the screen.
func TestScenePaints(t *testing.T) {
	s := uitest.Step(0, 2, 1, 1)
	blue := picture.SubjectStyle(0).Color
	plain := color.RGBA{0, 100, 150, 255}
	for mode, want := range map[picture.Mode][2]bool{ // in the middle of the mask, outside of it: is it the picture's own colour?
		picture.Tint: {false, true}, picture.Outline: {true, true}, picture.Cutout: {true, false},
	} {
		c := whole(s.Preview, 64, 64)
		c.masks, c.mode, c.opacity = newLens().layersOf(&s, ""), mode, 0.5
		img := c.paint()
		own := func(x, y int) bool { c := img.RGBAAt(x, y); return c.B > plain.B-8 && c.B < plain.B+8 }
		got := [2]bool{own(32, 24), own(4, 60)}
		if got != want {
			t.Errorf("mode %d: %v, want %v", mode, got, want)
		}
		lines := 0
		for i := range 64 * 64 {
			p := img.RGBAAt(i%64, i/64)
			if p == blue {
				lines++
			}
		}
		if mode != picture.Cutout && lines == 0 {
			t.Errorf("mode %d has no outline", mode)
		}
	}
	// A part of a large picture is the same as that part of the painted whole.
	c := whole(s.Preview, 64, 64)
	c.masks, c.opacity = newLens().layersOf(&s, ""), 0.5
	all := c.paint()
	if over := Over(s.Preview, image.Pt(64, 64), c.masks, picture.Tint, 0.5); !bytes.Equal(over.Pix, all.Pix) {
		t.Error("Over paints something else")
	}
	c.part = image.Rect(10, 20, 50, 40)
	part := c.paint()
	if part.Rect.Size() != c.part.Size() {
		t.Fatalf("part of %v", part.Rect)
	}
	for y := range 20 {
		for x := range 40 {
			a, b := part.RGBAAt(x, y), all.RGBAAt(x+10, y+20)
			if d := int(a.B) - int(b.B); d < -3 || d > 3 {
				t.Fatalf("at %d, %d: %v and %v", x, y, a, b)
			}
		}
	}
	for _, bad := range []scene{{}, whole(s.Preview, 0, 5), {base: s.Preview, size: image.Pt(4, 4), part: image.Rect(0, 0, 5, 4)}} {
		if bad.paint() != nil {
			t.Errorf("painted %+v", bad)
		}
	}
}

// TestHeatShowsTheScores (fault 28): the word's attention of the step in view in the colours of a heat map, where masks are zero too, with
// its scale beside it; steps after T_stop and the finished picture show the last scores.
func TestHeatShowsTheScores(t *testing.T) {
	b := newBench(t, nil)
	b.State = b.State.Begin(state.Task{}, 1, 2)
	b.State.Queue.Flights[0].Run.Subjects = []inference.Subject{{Word: inference.Word{Text: "dog"}}}
	if b.send(uitest.Step(0, 4, 2, 1)); !b.overlay.scale.Hidden {
		t.Error("a scale of heat is seen without heat")
	}
	test.Tap(b.overlay.modes[picture.Heat].Tile)
	if !b.overlay.scale.Hidden {
		t.Error("a scale is seen where no scores are kept")
	}
	step := uitest.Step(1, 4, 2, 1)
	step.GridWidth, step.GridHeight = 8, 2
	scores := make([]float32, 16)
	for i := range scores {
		scores[i] = 0.3 + 0.01*float32(i%8)
	}
	step.Subjects[0] = inference.SubjectStep{Mask: make([]float32, 16), Scores: scores}
	late := uitest.Step(2, 4, 2, 1)
	for _, s := range []inference.StepDone{step, late} {
		b.send(s)
		b.Settle()
		if b.overlay.scale.Hidden || !b.overlay.modes[picture.Heat].Chosen {
			t.Fatalf("step %d: the scale of the heat is not seen", s.Step)
		}
		img := b.pane.image.Image
		width, middle := img.Bounds().Dx(), img.Bounds().Dy()/2
		before := -1
		for i := range 8 {
			r, g, bl, _ := img.At((2*i+1)*width/16, middle).RGBA()
			light := int(2*r+5*g+bl) >> 8
			if light <= before {
				t.Errorf("step %d: the light is %d at the %d. eighth, %d before it", s.Step, light, i+1, before)
			}
			before = light
		}
	}
	test.Tap(b.overlay.marks[0].Tile)
	if len(b.lens.over(b.State)) != 0 {
		t.Error("the heat of a subject that is switched off is seen")
	}
}

// TestThePictureStandsStill (fault 28): from the press of Generate on nothing above or below it comes or goes, neither when the first step
// is there, nor when the picture is, nor when one with fewer subjects is looked at.
func TestThePictureStandsStill(t *testing.T) {
	b := newBench(t, nil)
	b.picture(inference.Request{Prompt: "a beach", Seeds: []uint64{7}})
	b.picture(dog)
	two := dog
	two.Subjects = append(slices.Clone(dog.Subjects), inference.Subject{Word: uitest.Word("cat"), Scope: 0.2})
	b.Change(func(s *state.State) { *s = s.Begin(state.Task{}, 1, 2); s.Queue.Flights[0].Run.Subjects = two.Subjects })
	b.Settle()
	at := func() [2]any { return [2]any{b.pane.Position(), b.pane.Size()} }
	was := at()
	still := func(when string) {
		t.Helper()
		b.Settle()
		if now := at(); now != was {
			t.Errorf("%s the picture's place is %v, it was %v", when, now, was)
		}
	}
	b.send(inference.StageStarted{Stage: inference.StageDenoise})
	for step := range 3 {
		b.send(uitest.Step(step, 3, 2, 2))
		still("with a step")
	}
	b.send(uitest.Picture(two, 0))
	b.send(inference.Done{})
	still("when it is there")
	for _, shot := range []int{0, 1, 2} {
		b.Change(func(s *state.State) { s.View = state.View{Shot: shot, Step: -1} })
		still("with another one")
	}
	b.Forget()
	if b.seats != 0 {
		t.Error("another session keeps the room of this one's films")
	}
}

// TestFilmsOfWidePicturesShowThemWhole: a tile is upright, and would show the middle third of them.
func TestFilmsOfWidePicturesShowThemWhole(t *testing.T) {
	for _, size := range []image.Point{{90, 20}, {20, 160}} {
		step := uitest.Step(0, 1, 1, 1)
		step.Preview = image.NewRGBA(image.Rectangle{Max: size})
		draw.Draw(step.Preview, step.Preview.Rect, image.NewUniform(color.RGBA{200, 200, 200, 255}), image.Point{}, draw.Src)
		long := image.Rect(0, 0, size.X/5, size.Y)
		if size.Y > size.X {
			long = image.Rect(0, 0, size.X, size.Y/5)
		}
		draw.Draw(step.Preview, long, image.NewUniform(color.RGBA{255, 0, 0, 255}), image.Point{}, draw.Src)
		f := filmScene{steps: []inference.StepDone{step}, places: 1, subjects: 1, width: 30, scale: 1, zoom: 1, empty: color.Black, faint: color.Black, alarm: color.Black}
		img, rows := f.paint(), rowsOf(1, 1)
		red, wide := 0, 0
		for y := range int(rows.preview) {
			for x := range 29 {
				switch c := img.RGBAAt(x, int(rows.previewTop())+y); {
				case c.R > 200 && c.G < 60:
					red++
				case c.R > 150:
					wide++
				}
			}
		}
		if red == 0 || red*3 > wide || red*6 < wide {
			t.Errorf("%v: of its film %d pixels are the end, %d the rest", size, red, wide)
		}
	}
}

// TestComparedPicturesKeepTheirShape: one that is no square beside one that is lies in the middle of its place, not stretched over it.
func TestComparedPicturesKeepTheirShape(t *testing.T) {
	flat := func(size image.Point, c color.Color) image.Image {
		img := image.NewNRGBA(image.Rectangle{Max: size})
		draw.Draw(img, img.Rect, image.NewUniform(c), image.Point{}, draw.Src)
		return img
	}
	for _, c := range []struct {
		other image.Point
		seen  map[image.Point]bool // places of the right half: is the other picture there?
	}{
		{image.Pt(96, 48), map[image.Point]bool{{90, 4}: false, {90, 48}: true, {90, 92}: false, {90, 28}: true}},
		{image.Pt(48, 96), map[image.Point]bool{{90, 4}: false, {60, 4}: true, {60, 92}: true, {80, 48}: false}},
		{image.Pt(32, 32), map[image.Point]bool{{90, 4}: true, {90, 92}: true}},
	} {
		s := whole(flat(image.Pt(64, 64), color.NRGBA{0, 0, 255, 255}), 96, 96)
		s.other, s.split = flat(c.other, color.NRGBA{255, 0, 0, 255}), 0.5
		img := s.paint()
		for at, there := range c.seen {
			if got := img.RGBAAt(at.X, at.Y).R > 200; got != there {
				t.Errorf("%v beside a square: at %v it is seen: %v", c.other, at, got)
			}
		}
	}
}

// TestTheFilmGetsSmallerBeforeItGoes: as large as there is room for, and nothing where its rows could not be read.
func TestTheFilmGetsSmallerBeforeItGoes(t *testing.T) {
	b := newBench(t, nil)
	f := b.film
	f.look.subjects, f.look.room = 2, 2
	two := f.height(0.55)
	for subjects := range 5 {
		f.look.subjects, f.look.room = subjects, subjects
		smallest := float32(0.55)
		if subjects > 2 {
			if smallest = 0.4; f.height(smallest) > two+1 {
				t.Errorf("%d subjects need %g, two %g", subjects, f.height(smallest), two)
			}
		}
		whole, least := f.height(1), f.height(smallest)
		for height, want := range map[float32]float32{whole + 100: 1, whole: 1, least: smallest, least - 1: 0} {
			if got := f.fitting(height, 1); got != want {
				t.Errorf("%d subjects in %g of %g: zoom %g, want %g", subjects, height, whole, got, want)
			}
		}
		if got := f.fitting(whole-1, 1); got >= 1 || got < 0.9 {
			t.Errorf("%d subjects: a little less room makes it %g", subjects, got)
		}
	}
}

// TestTheCoachEndsWithGenerate: once all is there, it points at what comes next, and no longer at the example.
func TestTheCoachEndsWithGenerate(t *testing.T) {
	b := newBench(t, nil)
	b.Change(func(s *state.State) {
		s.Form.Prompt, s.Words = "a dog", state.PlainWords("a dog")
		s.Form.Cards = []state.Card{{ID: 1}}
	})
	if b.coach.below == "ready" {
		t.Error("a card without a word is not ready")
	}
	dog := state.Card{ID: 1, Word: uitest.Word("dog")}
	for _, c := range []struct {
		cards []state.Card
		want  bool
	}{
		{nil, false},
		{[]state.Card{dog}, true},
		{[]state.Card{dog, {ID: 2}}, false},
		{[]state.Card{{ID: 2}, dog}, false},
		{[]state.Card{dog, {ID: 2, Off: true}}, true},                 // which nobody asks for
		{[]state.Card{dog, {ID: 2, Word: uitest.Word("cat")}}, false}, // the prompt has no cat
	} {
		s := b.State
		s.Form.Cards = c.cards
		if got := done(s); got[2] != c.want {
			t.Errorf("the third step of %+v is done: %v", c.cards, got[2])
		}
	}
	b.Change(func(s *state.State) {
		s.Form.Cards = []state.Card{{ID: 1, Word: uitest.Word("dog"), Ref: inference.Reference{Name: "dog.png", SHA256: "1", Data: []byte{1}}}}
	})
	if b.coach.below != "ready" {
		t.Errorf("under the three steps is %q, %q", b.coach.below, b.State.Reasons())
	}
}
