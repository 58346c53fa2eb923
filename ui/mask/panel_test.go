package mask

import (
	"context"
	"image"
	"math"
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/inference/guidance"
	"realword/inference/picture"
	"realword/ui/roomtest"
	"realword/ui/state"
	"realword/ui/uitest"
)

// ground is a picture of 200 × 200 in the middle of the easel, 10 from its edges.
type ground struct{ repaints, scrolls int }

func (*ground) Where(at fyne.Position) picture.Point {
	return picture.Point{X: (at.X - 10) / 200, Y: (at.Y - 10) / 200}
}

func (*ground) At(p picture.Point) fyne.Position { return fyne.NewPos(10+200*p.X, 10+200*p.Y) }
func (*ground) Span() fyne.Size                  { return fyne.NewSquareSize(200) }
func (g *ground) Scroll(*fyne.ScrollEvent)       { g.scrolls++ }
func (*ground) Pan(float32, float32)             {}
func (g *ground) Repaint()                       { g.repaints++ }
func place(x, y float32) (at fyne.PointEvent) {
	at.Position = fyne.NewPos(10+200*x, 10+200*y)
	return at
}

func near(got float32, want, tolerance float64) bool { return math.Abs(float64(got)-want) <= tolerance }

// bench is the brush in a house of its own: a dog and a cat are bound, the picture has 8 × 8 positions.
type bench struct {
	*Panel
	*roomtest.House
	ground ground
	undo   state.Undo
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{House: roomtest.New(t)}
	f := &b.State.Form
	f.Prompt = "a dog and a cat"
	for i, word := range []string{"dog", "cat"} {
		f.Cards = append(f.Cards, state.Card{ID: i + 1, Word: uitest.Word(word), Ref: inference.Reference{Name: word + ".png"}})
	}
	b.State.Words = state.PlainWords(f.Prompt)
	b.Panel = New(Host{State: b.Now, Change: b.Change, Refresh: b.House.Refresh, Post: b.Post, Layers: &b.Layers, Commands: b.Commands})
	b.Ground, b.OnHeight = &b.ground, func() {}
	b.Move(container.NewBorder(nil, b.Tools, nil, nil, b.Easel), b.Actions, b.Panel.Refresh, func() bool { return b.turned })
	b.Key("B")
	b.size, b.softness = 0.25, 0
	return b
}

func (b *bench) Refresh() { b.House.Refresh() }

// line is a stroke with a button of the mouse.
func (b *bench) line(button desktop.MouseButton, x0, y0, x1, y1 float32) {
	b.easel.MouseDown(&desktop.MouseEvent{PointEvent: place(x0, y0), Button: button})
	b.easel.MouseMoved(&desktop.MouseEvent{PointEvent: place((x0+x1)/2, (y0+y1)/2), Button: button})
	b.easel.MouseMoved(&desktop.MouseEvent{PointEvent: place(x1, y1), Button: button})
	b.easel.MouseUp(&desktop.MouseEvent{PointEvent: place(x1, y1), Button: button})
}

// asked is the region that the request has for a subject, on its grid.
func (b *bench) asked(t *testing.T, subject int) (kind guidance.Kind, cover []float32) {
	t.Helper()
	r := b.State.Form.Request().Subjects[subject].Region
	if r.IsZero() {
		return guidance.Anywhere, nil
	}
	mask, file, _, err := picture.ReadPainted(context.Background(), r.Data)
	if err != nil || string(file) != string(r.Data) {
		t.Fatalf("what is painted cannot be read as it is: %v", err)
	}
	return r.Kind, picture.Cover(mask, 8, 8)
}

// A horizontal stroke, two positions wide, from the middle of the left half to that of the right: it covers four columns whole, and at
// both ends a quarter of a disc lies in a position, π/4 of it.
func TestAStrokePaintsPositions(t *testing.T) {
	b := newBench(t)
	b.line(desktop.MouseButtonPrimary, 0.25, 0.5, 0.75, 0.5)
	kind, cover := b.asked(t, 0)
	if kind != guidance.OnlyHere || len(cover) != 64 {
		t.Fatalf("kind %q, %d positions", kind, len(cover))
	}
	for p, v := range cover {
		x, y, want := p%8, p/8, 0.0
		if y == 3 || y == 4 {
			switch {
			case x >= 2 && x <= 5:
				want = 1
			case x == 1 || x == 6:
				want = math.Pi / 4
			}
		}
		if !near(v, want, 0.01) {
			t.Errorf("position %d, %d is %.3f, want %.3f", x, y, v, want)
		}
	}
	if kind, _ := b.asked(t, 1); kind != guidance.Anywhere {
		t.Error("the cat has a mask, too")
	}
	if m, _, kind, _ := b.Veil(); m == nil || kind != guidance.OnlyHere || b.ground.repaints < 3 {
		t.Errorf("the mask is not seen while it is painted: %d repaints", b.ground.repaints)
	}
}

// A soft brush is white in its middle and fades evenly to its edge: half of it half-way.
func TestSoftness(t *testing.T) {
	m := picture.Stroke(image.NewGray(image.Rect(0, 0, 200, 200)), picture.Point{X: 100, Y: 100}, picture.Point{X: 100, Y: 100}, picture.Brush{Size: 0.8, Softness: 1})
	for x, want := range map[int]float64{100: 255, 140: 128, 160: 40, 181: 0} {
		if got := m.GrayAt(x, 100).Y; math.Abs(float64(got)-want) > 4 {
			t.Errorf("%d from the middle it is %d, want %g", x-100, got, want)
		}
	}
	again := picture.Stroke(m, picture.Point{X: 100, Y: 100}, picture.Point{X: 100, Y: 100}, picture.Brush{Size: 0.8, Softness: 1})
	if string(again.Pix) != string(m.Pix) {
		t.Error("painting the same again changes it")
	}
	beside := picture.Stroke(m, picture.Point{X: 150, Y: 100}, picture.Point{X: 150, Y: 100}, picture.Brush{Size: 0.8, Softness: 1})
	if got := beside.GrayAt(100, 100).Y; got != 255 || beside.GrayAt(150, 100).Y != 255 {
		t.Errorf("a soft edge over white makes it %d", got)
	}
}

func TestErasing(t *testing.T) {
	b := newBench(t)
	erased := func(how string, erase func()) {
		t.Helper()
		b.line(desktop.MouseButtonPrimary, 0.25, 0.5, 0.75, 0.5)
		erase()
		_, cover := b.asked(t, 0)
		if cover == nil || !near(cover[8*3+2], 1, 0.01) || !near(cover[8*3+5], 0.215, 0.01) || !near(cover[8*3+6], 0, 0.01) {
			t.Errorf("%s leaves %v", how, cover)
		}
	}
	right := func(button desktop.MouseButton) { b.line(button, 0.75, 0.5, 1, 0.5) }
	erased("the right button", func() { right(desktop.MouseButtonSecondary) })
	erased("the eraser", func() { b.Key("E"); right(desktop.MouseButtonPrimary); b.Key("B") })
	b.Key("E")
	b.line(desktop.MouseButtonPrimary, 0, 0.5, 1, 0.5)
	if kind, _ := b.asked(t, 0); kind != guidance.Anywhere {
		t.Error("a mask of which nothing is left is still one")
	}
}

func TestInvertMirrorMoveEnlarge(t *testing.T) {
	b := newBench(t)
	corner := func() { // the upper left position, whole
		b.Change(func(s *state.State) {
			m := image.NewGray(image.Rect(0, 0, 1024, 1024))
			for y := range 128 {
				for x := range 128 {
					m.Pix[y*m.Stride+x] = 255
				}
			}
			data, _ := picture.EncodePainted(m)
			s.Form = s.Form.WithRegion(1, inference.Region{Kind: guidance.NotHere, Painted: inference.Painted{SHA256: string(rune('a' + b.ground.repaints)), Data: data}})
		})
	}
	full := func(what string, want ...int) {
		t.Helper()
		kind, cover := b.asked(t, 0)
		var got []int
		for p, v := range cover {
			if v > 0.99 {
				got = append(got, p)
			} else if v > 0.01 {
				t.Errorf("%s: position %d is %.2f", what, p, v)
			}
		}
		if len(got) != len(want) || kind != guidance.NotHere {
			t.Fatalf("%s (%s): %v, want %v", what, kind, got, want)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("%s: %v, want %v", what, got, want)
			}
		}
	}
	corner()
	full("painted", 0)
	b.Key("Shift+I")
	full("mirrored", 7)
	b.Key("I")
	if _, cover := b.asked(t, 0); !near(cover[7], 0, 0) || !near(cover[0], 1, 0) || !near(cover[63], 1, 0) {
		t.Errorf("inverted: %v", cover)
	}
	b.Key("I")
	b.Key("V")
	b.line(desktop.MouseButtonPrimary, 0.9, 0.1, 0.9-3./8, 0.1+2./8)
	full("moved three to the left and two down", 8*2+4)
	b.easel.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	full("moved by a key", 8*3+4)
	for range 8 { // 1.1⁸ = 2.14 times as wide around its own middle, which reaches 0.57 of a position into its neighbours
		b.easel.Scrolled(&fyne.ScrollEvent{PointEvent: place(4.5/8, 3.5/8), Scrolled: fyne.Delta{DY: 10}})
	}
	b.Settle()
	_, cover := b.asked(t, 0)
	if !near(cover[8*3+4], 1, 0.01) || !near(cover[8*3+5], 0.572, 0.02) || !near(cover[8*2+5], 0.572*0.572, 0.02) || b.ground.scrolls != 0 {
		t.Errorf("enlarged: %v", cover)
	}
	b.easel.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDelete})
	if kind, _ := b.asked(t, 0); kind != guidance.Anywhere {
		t.Error("Delete leaves a mask")
	}
}

// A turn of the wheel is many events. They are seen at once, and are one step of undo when the wheel rests, or what is done next needs the
// mask.
func TestATurnOfTheWheelIsOneChange(t *testing.T) {
	for name, next := range map[string]func(*bench){
		"it rests": func(b *bench) { b.Settle() }, "another tool": func(b *bench) { b.Key("E") }, "the pointer leaves": func(b *bench) { b.easel.MouseOut() },
		"the brush is laid down": (*bench).Close, "another subject": func(b *bench) { b.Paint(2) },
		"an action":    func(b *bench) { b.Win.Canvas().Focus(b.easel); b.Commands.Do("mask.remove"); b.back(t) },
		"a stroke":     func(b *bench) { b.line(desktop.MouseButtonPrimary, 0.5, 0.5, 0.7, 0.5); b.back(t) },
		"mirrored":     func(b *bench) { b.alter(mirrored); b.back(t) },
		"its meaning":  func(b *bench) { b.mean(guidance.NotHere); b.back(t) },
		"another part": func(b *bench) { b.Win.Canvas().Focus(b.easel); b.Win.Canvas().Unfocus() },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.line(desktop.MouseButtonPrimary, 0.25, 0.4, 0.75, 0.6)
			b.hold(move)
			b.undo.Reset(b.State.Form)
			render, from, seen := b.Render, b.State.Form, area(b.mask)
			b.Render = func() { b.undo.Note(b.State.Form, time.Unix(0, 0), false); render() } // as the window does
			for range 30 {
				b.easel.Scrolled(&fyne.ScrollEvent{PointEvent: place(0.5, 0.5), Scrolled: fyne.NewDelta(0, -1)})
				if now := area(b.mask); now >= seen {
					t.Fatalf("the mask that is seen covers %v, and before %v", now, seen)
				} else {
					seen = now
				}
			}
			if len(b.undo.Past) != 0 {
				t.Errorf("the wheel still turns, and there are %d steps of undo", len(b.undo.Past))
			}
			next(b)
			if mask := b.read(b.State.Form.Cards[0].Region); mask == nil || area(mask) != seen || len(b.undo.Past) != 1 {
				t.Fatalf("the form's mask is not the one that was seen, or there are %d steps of undo", len(b.undo.Past))
			}
			b.back(t)
			b.Settle()
			if b.State.Form.Cards[0].Region.SHA256 != from.Cards[0].Region.SHA256 {
				t.Error("undo does not bring back the mask of before")
			}
		})
	}
}

// What begins a job has the mask that is seen, though something else has the focus while the wheel turns over the mask.
func TestTheWheelIsSettledWhereverTheFocusIs(t *testing.T) {
	b := newBench(t)
	b.line(desktop.MouseButtonPrimary, 0.25, 0.4, 0.75, 0.6)
	b.hold(move)
	b.Win.Canvas().Unfocus()
	b.easel.Scrolled(&fyne.ScrollEvent{PointEvent: place(0.5, 0.5), Scrolled: fyne.NewDelta(0, -1)})
	seen := area(b.mask)
	if area(b.read(b.State.Form.Cards[0].Region)) == seen {
		t.Fatal("the form has the mask before the wheel rests")
	}
	b.Commands.Settle()
	if area(b.read(b.State.Form.Cards[0].Region)) != seen {
		t.Error("the form's mask is not the one that is seen")
	}
}

// back takes the last change back.
func (b *bench) back(t *testing.T) {
	t.Helper()
	f, ok := b.undo.Back()
	if !ok {
		t.Fatal("nothing can be undone")
	}
	b.Change(func(s *state.State) { s.Form = f })
}

func TestMeaningsAndUndo(t *testing.T) {
	b := newBench(t)
	var undo state.Undo
	undo.Reset(b.State.Form)
	render := b.Render
	b.Render = func() { undo.Note(b.State.Form, time.Unix(0, 0), false); render() } // as the window does
	b.line(desktop.MouseButtonPrimary, 0.25, 0.25, 0.25, 0.25)
	b.line(desktop.MouseButtonPrimary, 0.75, 0.75, 0.75, 0.75)
	test.Tap(b.bar.kinds[2].Tile)
	if kind, _ := b.asked(t, 0); kind != guidance.Exactly || !b.bar.kinds[2].Chosen {
		t.Errorf("it is %q", kind)
	}
	back := func() { f, _ := undo.Back(); b.Change(func(s *state.State) { s.Form = f }) }
	lower := func() float32 { m, _, _, _ := b.Veil(); return picture.Cover(m, 8, 8)[8*5+5] }
	back()
	if kind, _ := b.asked(t, 0); kind != guidance.OnlyHere || !b.bar.kinds[0].Chosen || !near(lower(), 0.785, 0.01) {
		t.Errorf("one step back it is %q, below %.2f", kind, lower())
	}
	back()
	if _, cover := b.asked(t, 0); cover == nil || cover[8*5+5] != 0 || lower() != 0 {
		t.Errorf("the second stroke is no step of its own: %v", cover)
	}
	back()
	if kind, _ := b.asked(t, 0); kind != guidance.Anywhere || area(b.mask) != 0 {
		t.Error("the first stroke cannot be taken back")
	}
	f, _ := undo.Forward()
	b.Change(func(s *state.State) { s.Form = f })
	if _, cover := b.asked(t, 0); cover == nil || area(b.mask) == 0 {
		t.Error("the first stroke does not come back")
	}
}

// A button of the mouse is held while a key ends the stroke: Fyne goes on to tell of moves, and of the end.
func TestKeysDuringAStroke(t *testing.T) {
	for _, key := range []fyne.KeyName{fyne.KeyEscape, "V", "E", "B"} {
		open := key != fyne.KeyEscape // then the stroke is kept
		b := newBench(t)
		b.easel.MouseDown(&desktop.MouseEvent{PointEvent: place(0.25, 0.5), Button: desktop.MouseButtonPrimary})
		b.easel.Dragged(&fyne.DragEvent{PointEvent: place(0.5, 0.5)})
		if key == fyne.KeyEscape {
			b.Layers.Back()
		} else {
			b.Key(string(key))
		}
		_, before := b.asked(t, 0)
		b.easel.Dragged(&fyne.DragEvent{PointEvent: place(0.75, 0.5)})
		if !open { // the button is let go over what else is there then
			b.Key("B")
			b.easel.Dragged(&fyne.DragEvent{PointEvent: place(0.8, 0.5)})
		} else {
			b.easel.DragEnd()
		}
		if _, cover := b.asked(t, 0); (cover != nil) != open || !slices.Equal(cover, before) {
			t.Errorf("%s: the stroke is kept %v, or goes on after the key", key, cover != nil)
		}
		b.Key("B")
		b.line(desktop.MouseButtonPrimary, 0.25, 0.25, 0.75, 0.25)
		if _, cover := b.asked(t, 0); cover == nil || cover[8*2+4] != 1 {
			t.Errorf("%s: the next stroke does not paint: %v", key, cover)
		}
	}
}

// The subject whose mask is painted goes while the button is held.
func TestASubjectGoesDuringAStroke(t *testing.T) {
	b := newBench(t)
	for cards := 1; cards >= 0; cards-- {
		b.easel.MouseDown(&desktop.MouseEvent{PointEvent: place(0.5, 0.5), Button: desktop.MouseButtonPrimary})
		b.Change(func(s *state.State) { s.Form.Cards = s.Form.Cards[len(s.Form.Cards)-cards:] })
		b.easel.Dragged(&fyne.DragEvent{PointEvent: place(0.75, 0.5)})
		b.easel.DragEnd()
		if b.Painting() != (cards > 0) {
			t.Errorf("with %d subjects left the brush is in hand: %v", cards, b.Painting())
		}
		for i := range b.State.Form.Cards {
			if _, cover := b.asked(t, i); cover != nil {
				t.Error("the stroke is on another subject")
			}
		}
	}
}

func TestPaintingByKeyboard(t *testing.T) {
	b := newBench(t)
	b.pen = picture.Point{X: 0.5, Y: 0.5}
	b.size = 0.125
	key := func(k fyne.KeyName) { b.easel.TypedKey(&fyne.KeyEvent{Name: k}) }
	key(fyne.KeyLeft)
	key(fyne.KeyUp)
	key(fyne.KeyUp)
	var held []bool
	b.Commands.OnHold = func(on bool) { held = append(held, on) }
	b.easel.KeyDown(&fyne.KeyEvent{Name: fyne.KeySpace})
	key(fyne.KeySpace)
	b.easel.KeyUp(&fyne.KeyEvent{Name: fyne.KeySpace})
	if kind, _ := b.asked(t, 0); kind != guidance.Anywhere || len(held) != 2 || !held[0] || held[1] {
		t.Errorf("Space paints, or does not hide the masks: %v", held)
	}
	b.easel.KeyDown(&fyne.KeyEvent{Name: fyne.KeySpace})
	if b.easel.FocusLost(); len(held) != 4 || held[3] { // what has the focus then is told when it is let go
		t.Errorf("the focus has gone, and the masks are away: %v", held)
	}
	b.easel.FocusGained()
	key(fyne.KeyReturn)
	_, cover := b.asked(t, 0)
	for _, p := range []int{8*1 + 2, 8*1 + 3, 8*2 + 2, 8*2 + 3} { // the disc is around their common corner
		if cover == nil || !near(cover[p], math.Pi/16, 0.01) {
			t.Fatalf("painted %v", cover)
		}
	}
	before := b.size
	b.Key("]")
	if larger := b.size; larger <= before || !near(larger, b.bar.size.Value, 0.001) {
		t.Errorf("the brush is %g after ]", larger)
	}
	b.Key("[")
	if !near(b.size, float64(before), 1e-6) {
		t.Errorf("the brush is %g after [", b.size)
	}
	b.Layers.Back()
	if b.Painting() || b.Easel.Visible() || b.Tools.Visible() {
		t.Error("Esc does not lay the brush down")
	}
	if m, _, _, _ := b.Veil(); m != nil {
		t.Error("a mask is seen that nobody paints")
	}
}

// scored is a run of three steps with scores of a dog and a cat, and how it was asked for.
func (b *bench) scored() (inference.Request, []inference.KeptStep) {
	r := b.State.Form.Request()
	r.Width, r.Height, r.Steps, r.Stop = 128, 128, 3, 2
	for j := range r.Subjects {
		r.Subjects[j].Scope, r.Subjects[j].References = 0.2, nil
	}
	var kept []inference.KeptStep
	for i := range 3 {
		k := inference.KeptStep{Step: i}
		if i < 2 {
			k.Scores = [][]float32{make([]float32, 64), make([]float32, 64)}
			for p := range 64 {
				k.Scores[0][p], k.Scores[1][p] = float32((p*29+i)%61)+1, float32((p*23+5*i)%59)+1
			}
		}
		kept = append(kept, k)
	}
	return r, kept
}

// finished is the window once a scored run is over, and the film of it.
func (b *bench) finished(r inference.Request, kept []inference.KeptStep) (film []inference.StepDone) {
	b.State = b.State.Begin(state.Task{}, 1, 2)
	film = inference.Replay(*uitest.Toybox, r, kept)
	for _, s := range film {
		b.State = b.State.Apply(0, s)
	}
	b.State = b.State.Apply(0, uitest.Picture(r, 0)).Apply(0, inference.Done{Pictures: 1})
	return film
}

// What is seen while a mask is painted is what the engine would make of the scores with it: after every step, and after T_stop.
func TestWhatTopKWouldTake(t *testing.T) {
	b := newBench(t)
	r, kept := b.scored()
	b.finished(r, kept)
	b.Refresh()
	for _, step := range []int{0, 1, 2, -1} {
		b.State.View.Step = step
		b.line(desktop.MouseButtonPrimary, 0.2, 0.2, 0.2, 0.6)
		_, _, _, masks := b.Veil()
		asked := r
		asked.Subjects = b.State.Form.Request().Subjects
		for j := range asked.Subjects {
			asked.Subjects[j].Scope = 0.2
		}
		film := inference.Replay(*uitest.Toybox, asked, kept)
		want := film[len(film)-1]
		if step >= 0 {
			want = film[step]
		}
		for j, s := range want.Subjects {
			for p, v := range s.Mask {
				if len(masks) != 2 || masks[j].Grid.Values[p] != v {
					t.Fatalf("step %d, subject %d, position %d: %v, the engine has %g", step, j, p, masks, v)
				}
			}
		}
		region := asked.Subjects[0].Region
		cover, _ := region.Grid(8, 8)
		for p, v := range masks[0].Grid.Values {
			if v > 0 && cover[p] == 0 {
				t.Errorf("step %d: the dog takes position %d, which is not painted", step, p)
			}
		}
	}
}

// The mask of a step, taken over, is the same mask again, and stays apart from that of the other subject.
func TestMakeThisMaskMine(t *testing.T) {
	b := newBench(t)
	film := b.finished(b.scored())
	b.State.View.Step = 1
	b.Close()
	b.State.Selected = 2
	b.Key("Shift+B")
	kind, cover := b.asked(t, 1)
	if kind != guidance.Exactly || !b.Painting() || b.card != 2 {
		t.Fatalf("kind %q, card %d", kind, b.card)
	}
	for p, v := range film[1].Subjects[1].Mask {
		if math.Abs(float64(cover[p]-v)) > 0.51/255 && !(v > 0 && v < 1/255. && cover[p] > 0) || (v > 0) != (cover[p] > 0) {
			t.Errorf("position %d is %g, it was %g", p, cover[p], v)
		}
	}
	b.State.Selected = 0
	if kind, _ := b.asked(t, 0); kind != guidance.Anywhere {
		t.Error("the dog has it, too")
	}
	b.Remove(2)
	if kind, _ := b.asked(t, 1); kind != guidance.Anywhere || area(b.mask) != 0 {
		t.Error("it cannot be taken away")
	}
}

// A mask is made nobody else's: a subject that is off, or whose word is gone, cannot be painted.
func TestMaskOfASubjectThatIsOff(t *testing.T) {
	b := newBench(t)
	b.finished(b.scored())
	b.State.View.Step = 1
	b.Close()
	b.State.Form, b.State.Selected = b.State.Form.Mute(2, true), 2
	b.Key("Shift+B")
	mask, _ := b.mineOf(1)
	b.Mine(2, mask) // of the inspection
	if cards := b.State.Form.Cards; b.Painting() || !cards[0].Region.IsZero() || !cards[1].Region.IsZero() {
		t.Errorf("the brush is in hand: %v; the dog's mask is %q, the cat's %q", b.Painting(), cards[0].Region.Kind, cards[1].Region.Kind)
	}
	b.State.Form = b.State.Form.Mute(2, false)
	b.Mine(2, mask)
	if cards := b.State.Form.Cards; !b.Painting() || b.card != 2 || cards[1].Region.Kind != guidance.Exactly {
		t.Errorf("card %d, the cat's mask is %q", b.card, cards[1].Region.Kind)
	}
}

// Before the first run the masks of the others are seen; without subjects there is nothing to paint, and a subject that goes takes the
// brush along.
func TestOthersAndNobody(t *testing.T) {
	b := newBench(t)
	b.line(desktop.MouseButtonPrimary, 0.2, 0.5, 0.2, 0.5)
	if _, _, _, masks := b.Veil(); len(masks) != 0 {
		t.Errorf("%d other masks", len(masks))
	}
	test.Tap(b.bar.marks[1].Tile)
	_, style, _, masks := b.Veil()
	if len(masks) != 1 || style != 1 || masks[0].Style != picture.SubjectStyle(0) || area(b.mask) != 0 {
		t.Errorf("style %d, %d other masks", style, len(masks))
	}
	b.Change(func(s *state.State) { s.Form = s.Form.RemoveSubject(2) })
	if b.card != 1 || area(b.mask) == 0 {
		t.Error("the brush does not go over to the subject that is left")
	}
	b.Change(func(s *state.State) { s.Form = s.Form.RemoveSubject(1) })
	if b.Painting() {
		t.Error("a mask of nobody is painted")
	}
	b.Paint(0)
	if b.Painting() {
		t.Error("the brush is taken for nobody")
	}
}

// BenchmarkStroke is a movement of the brush at 1024 × 1024 up to what Top-K would take of the scores of two subjects.
func BenchmarkStroke(b *testing.B) {
	mask := image.NewGray(image.Rect(0, 0, 1024, 1024))
	scores := [][]float32{make([]float32, 4096), make([]float32, 4096)}
	for p := range 4096 {
		scores[0][p], scores[1][p] = float32((p*7919)%4093)+1, float32((p*104729)%4093)+1
	}
	for i := 0; b.Loop(); i++ {
		x := float32(i % 1000)
		mask = picture.Stroke(mask, picture.Point{X: x, Y: x / 2}, picture.Point{X: x + 8, Y: x/2 + 4}, picture.Brush{Size: 0.195, Softness: 0.5})
		subjects := []guidance.Subject{
			{Word: "dog", Scope: 0.2, Kind: guidance.OnlyHere, Region: picture.Cover(mask, 64, 64)}, {Word: "cat", Scope: 0.2},
		}
		if _, err := guidance.Masks(scores, subjects, guidance.ByMax); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkKeep is the end of a stroke at 1024 × 1024: the mask becomes a file.
func BenchmarkKeep(b *testing.B) {
	mask := image.NewGray(image.Rect(0, 0, 1024, 1024))
	mask = picture.Stroke(mask, picture.Point{X: 300, Y: 300}, picture.Point{X: 700, Y: 600}, picture.Brush{Size: 0.195, Softness: 0.7})
	for b.Loop() {
		if data, err := picture.EncodePainted(mask); err != nil || len(data) == 0 {
			b.Fatal(err)
		}
	}
}
