package reuse

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"realword/history"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/guidance"
	"realword/inference/picture"
	"realword/ui/kit"
	"realword/ui/roomtest"
	"realword/ui/state"
	"realword/ui/uitest"
)

// bench is the desk in a house of its own, with a finished picture of a dog and a ball in view.
type bench struct {
	*Desk
	*roomtest.House
	t     *testing.T
	jobs  []state.Task
	wrong error // what the engine says
}

func newBench(t *testing.T) *bench {
	b := &bench{House: roomtest.New(t), t: t}
	b.Desk = New(Host{
		Samples: func() map[string][]byte { return nil },
		State:   b.Now, Change: b.Change, Background: b.Background, Layers: &b.Layers,
		Store: func() *history.Store { return nil }, Eye: func() state.Eye { return state.Eye{Model: uitest.Toybox} },
		Words: state.PlainWords, Reading: func(string) func() { return func() {} },
		Small: func(s state.Shot) image.Image {
			if s.Image == nil {
				return s.Thumb
			}
			return s.Image
		},
		Make: func(task state.Task) { b.jobs = append(b.jobs, task) },
		Resolver: func() func(inference.Request) (inference.Request, error) {
			return func(r inference.Request) (inference.Request, error) { return r, b.wrong }
		},
		OnFile: func(string) {},
	})
	s := &b.House.State
	m := *s.Model
	m.Size = bundle.Size{Width: 16, Height: 16, Min: 4, Max: 64, Multiple: 4}
	s.Model = &m
	ref := func(letter string) inference.Reference {
		return inference.Reference{Name: letter + ".png", SHA256: strings.Repeat(letter, 64), Data: []byte(letter)}
	}
	s.Form.Prompt, s.Words = "a dog and a ball", state.PlainWords("a dog and a ball")
	s.Form.Cards = []state.Card{{ID: 1, Ref: ref("a"), Word: uitest.Word("dog")}, {ID: 2, Ref: ref("b"), Word: uitest.Word("ball")}}
	r := inference.Defaults(*s.Model, s.Form.Request())
	r.Width, r.Height = 16, 16
	shot := state.Shot{PictureReady: uitest.Picture(r, 0), Film: []inference.StepDone{uitest.Step(24, 25, 12, 2)}, Model: "toybox", Kept: 41}
	ball := make([]float32, 16)
	ball[6], ball[15] = 1, 1 // 6 is half of the dog's, too
	shot.Film[0].Subjects[1].Mask = ball
	s.Shots, s.View = []state.Shot{shot}, state.View{Shot: 0, Step: -1}
	b.Move(container.NewStack(), b.Actions, func() {}, func() bool { return false })
	b.Win.Resize(fyne.NewSize(900, 700))
	return b
}

// find is a widget of the sheet.
func find[T fyne.CanvasObject](b *bench, is func(T) bool) (found T, ok bool) {
	top := b.Win.Canvas().Overlays().Top()
	if top == nil {
		return found, false
	}
	walk(top, func(o fyne.CanvasObject) {
		if w, fits := o.(T); fits && !ok && o.Visible() && is(w) {
			found, ok = w, true
		}
	})
	return found, ok
}

func (b *bench) button(text string) *kit.Button {
	b.t.Helper()
	button, ok := find(b, func(w *kit.Button) bool { return w.Text == text })
	if !ok {
		b.t.Fatalf("no sheet has a button %q", text)
	}
	return button
}

func (b *bench) says(text string) bool {
	_, ok := find(b, func(l *widget.Label) bool { return strings.Contains(l.Text, text) })
	return ok
}

func (b *bench) key(key string) {
	b.t.Helper()
	b.Key(key)
	b.Settle()
}

func (b *bench) choose(text string) {
	b.t.Helper()
	choice, ok := find(b, func(*kit.Radio) bool { return true })
	if !ok {
		b.t.Fatal("no sheet asks anything")
	}
	choice.Choose(slices.Index(choice.Options, text))
	b.Settle()
}

// The dials of the sheet stay where they are when what was found out comes in.
func TestTheDialsOfARedoStay(t *testing.T) {
	b := newBench(t)
	b.Key("D")
	dial := func() fyne.Position {
		s, ok := find(b, func(*kit.Slider) bool { return true })
		if !ok {
			return fyne.Position{}
		}
		return fyne.CurrentApp().Driver().AbsolutePositionForObject(s)
	}
	b.Until("the sheet is up", func() bool { return b.Win.Canvas().Overlays().Top() != nil })
	before, told := dial(), b.says("only the seed is new")
	b.Settle()
	if after := dial(); told || !b.says("only the seed is new") || before.IsZero() || after != before {
		t.Errorf("from %v to %v; told before: %v", before, after, told)
	}
}

func TestRedoOneSubject(t *testing.T) {
	b := newBench(t)
	b.key("D")
	if !b.says("only the seed is new") {
		t.Error("a card without a change is not said to be one")
	}
	test.Tap(b.button("Cancel"))
	b.Change(func(s *state.State) {
		s.Form.Cards = slices.Clone(s.Form.Cards)
		s.Form.Cards[1].Ref = inference.Reference{Name: "c.png", SHA256: strings.Repeat("c", 64), Data: []byte("c")}
		s.Form.Cards[1].Scope = 0.3
		s.Form.Steps = 3 // not of a card
	})
	b.key("D")
	b.choose("ball")
	if !b.says("c.png") || !b.says("0.30") || b.says("only the seed is new") {
		t.Error("the sheet does not say what has changed")
	}
	test.Tap(b.button("Redo this subject"))
	if len(b.jobs) != 1 || b.Win.Canvas().Overlays().Top() != nil {
		t.Fatalf("%d jobs", len(b.jobs))
	}
	job := b.jobs[0]
	r := job.Request
	if fmt.Sprint(job.Parents) != "[41]" || job.Model != "toybox" || job.Thumb == nil {
		t.Errorf("the job has parents %v, model %q", job.Parents, job.Model)
	}
	if len(r.Seeds) != 1 || r.Seeds[0] == b.House.State.Shots[0].Seed || r.Steps != 25 || r.Prompt != "a dog and a ball" {
		t.Errorf("it is made with seeds %v, %d steps, %q", r.Seeds, r.Steps, r.Prompt)
	}
	if len(r.Subjects) != 2 || r.Subjects[0].References[0].Name != "a.png" || r.Subjects[0].Scope != 0.2 ||
		r.Subjects[1].References[0].Name != "c.png" || r.Subjects[1].Scope != 0.3 {
		t.Errorf("its subjects are %+v", r.Subjects)
	}
	// The ball has cells 6 and 15 of 4 × 4, and a margin of half a cell and one and a half; 6 is the dog's too, and stays.
	region, _, _, err := picture.ReadPainted(t.Context(), r.Init.Region.Data)
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[image.Point][2]uint8{
		{12, 12}: {255, 255}, {15, 15}: {255, 255}, {14, 10}: {255, 255}, {14, 9}: {1, 254},
		{8, 4}: {0, 0}, {10, 6}: {0, 0}, {11, 7}: {0, 64}, {0, 15}: {0, 0}, // a corner of the dog's is rounded
	} {
		if v := region.GrayAt(p.X, p.Y).Y; v < want[0] || v > want[1] {
			t.Errorf("the region has %d at %v, want %v", v, p, want)
		}
	}
	kept, _, err := picture.Decode(r.Init.Data, picture.Limits{})
	if err != nil || !bytes.Equal(kept.Pix, b.House.State.Shots[0].Image.Pix) || r.Init.Strength != 0 {
		t.Errorf("it begins with another picture, or strength %g: %v", r.Init.Strength, err)
	}
}

// The region is painted over on the sheet: the left button adds to it, the right one takes away.
func TestRegionIsPaintedOver(t *testing.T) {
	b := newBench(t)
	tight := func() {
		find(b, func(s *kit.Slider) bool { s.SetValue(0); return false })
		b.Settle()
	}
	redo := func(paint func(*regionPad)) []uint8 {
		t.Helper()
		b.jobs = nil
		b.key("D")
		b.choose("ball")
		pad, ok := find(b, func(*regionPad) bool { return true })
		if !ok {
			t.Fatal("nothing can be painted")
		}
		pad.Resize(fyne.NewSize(160, 160)) // 10 units for a pixel
		tight()
		paint(pad)
		use := b.button("Redo this subject")
		if use.Disabled() {
			test.Tap(b.button("Cancel"))
			return nil
		}
		test.Tap(use)
		b.Settle()
		if len(b.jobs) != 1 {
			t.Fatalf("%d jobs", len(b.jobs))
		}
		region, _, _, err := picture.ReadPainted(t.Context(), b.jobs[0].Request.Init.Region.Data)
		if err != nil {
			t.Fatal(err)
		}
		return []uint8{region.GrayAt(2, 2).Y, region.GrayAt(8, 2).Y, region.GrayAt(14, 14).Y}
	}
	press := func(button desktop.MouseButton, x, y float32) *desktop.MouseEvent {
		return &desktop.MouseEvent{Button: button, PointEvent: fyne.PointEvent{Position: fyne.NewPos(x, y)}}
	}
	if got := redo(func(*regionPad) {}); !slices.Equal(got, []uint8{0, 0, 255}) {
		t.Errorf("as it is: %v", got)
	}
	line := func(p *regionPad) {
		p.size = 0.25
		p.MouseDown(press(desktop.MouseButtonPrimary, 25, 25))
		p.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(85, 25)}})
		p.MouseUp(nil)
		p.MouseMoved(press(0, 145, 145)) // paints nothing
	}
	if got := redo(line); !slices.Equal(got, []uint8{255, 255, 255}) {
		t.Errorf("with a line more: %v", got)
	}
	rub := func(p *regionPad) { p.size = 0.8; p.MouseDown(press(desktop.MouseButtonSecondary, 145, 145)) }
	if got := redo(rub); got != nil {
		t.Errorf("with nothing left it can be made: %v", got)
	}
	if got := redo(func(p *regionPad) { rub(p); test.Tap(b.button("Reset")); tight() }); !slices.Equal(got, []uint8{0, 0, 255}) {
		t.Errorf("reset: %v", got)
	}
	before := float32(0)
	redo(func(p *regionPad) {
		before = p.size
		p.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, 1)})
		if p.size <= before || p.region == nil {
			t.Errorf("the brush has %g, had %g", p.size, before)
		}
	})
}

// Two dials say how much around a subject is made again; what was painted stays as it is.
func TestRegionHasAMargin(t *testing.T) {
	b := newBench(t)
	b.key("D")
	b.choose("ball")
	pad, _ := find(b, func(*regionPad) bool { return true })
	pad.Resize(fyne.NewSize(160, 160)) // 10 units for a pixel
	var dials []*kit.Slider
	find(b, func(s *kit.Slider) bool { dials = append(dials, s); return false })
	if len(dials) != 2 || dials[0].Value != 2 || dials[1].Value != 6 {
		t.Fatalf("the sheet has %d dials", len(dials))
	}
	turn := func(i int, v float64) {
		dials[i].SetValue(v)
		b.Settle()
	}
	at := func(x, y int) uint8 { return pad.region.GrayAt(x, y).Y }
	if at(14, 11) != 255 || at(14, 10) != 255 || at(14, 9) == 0 || at(14, 9) == 255 {
		t.Errorf("as it is: %d %d %d", at(14, 11), at(14, 10), at(14, 9))
	}
	pad.size = 0.2
	pad.MouseDown(&desktop.MouseEvent{Button: desktop.MouseButtonPrimary, PointEvent: fyne.PointEvent{Position: fyne.NewPos(25, 25)}})
	pad.MouseUp(nil)
	pad.MouseDown(&desktop.MouseEvent{Button: desktop.MouseButtonSecondary, PointEvent: fyne.PointEvent{Position: fyne.NewPos(145, 145)}})
	pad.MouseUp(nil)
	turn(0, 0)
	turn(1, 0)
	if at(13, 12) != 255 || at(14, 11) != 0 || at(2, 2) != 255 || at(14, 14) != 0 {
		t.Errorf("without a margin: %d %d, painted %d, rubbed out %d", at(13, 12), at(14, 11), at(2, 2), at(14, 14))
	}
	turn(0, 3)
	if at(14, 10) != 255 || at(14, 8) != 0 || at(2, 2) != 255 || at(14, 14) != 0 {
		t.Errorf("with a wide one: %d %d, painted %d, rubbed out %d", at(14, 10), at(14, 8), at(2, 2), at(14, 14))
	}
	test.Tap(b.button("Redo this subject"))
	b.Settle()
	region, _, _, err := picture.ReadPainted(t.Context(), b.jobs[0].Request.Init.Region.Data)
	if err != nil || region.GrayAt(14, 10).Y != 255 || region.GrayAt(14, 8).Y != 0 || region.GrayAt(2, 2).Y != 255 {
		t.Errorf("the job has another region: %v", err)
	}
	b.key("D")
	b.choose("ball")
	dials = nil
	find(b, func(s *kit.Slider) bool { dials = append(dials, s); return false })
	pad, _ = find(b, func(*regionPad) bool { return true })
	turn(0, 0)
	test.Tap(b.button("Reset"))
	if dials[0].Value != 2 || at(14, 10) != 255 {
		t.Errorf("reset: %g, %d", dials[0].Value, at(14, 10))
	}
}

func TestSecondPass(t *testing.T) {
	b := newBench(t)
	b.House.State.Shots[0].Model = "roomy"
	m := *uitest.Roomy
	m.Size.Multiple = 8
	b.House.State.Model = &m
	b.key("Shift+D")
	b.choose("2 times: 32 × 32")
	test.Tap(b.button("Make it larger"))
	if len(b.jobs) != 1 {
		t.Fatalf("%d jobs", len(b.jobs))
	}
	r := b.jobs[0].Request
	if r.Width != 32 || r.Height != 32 || r.Init == nil || !r.Init.Region.IsZero() || r.Init.Strength != 0.4 ||
		r.Seeds[0] != b.House.State.Shots[0].Seed {
		t.Errorf("it is %d × %d of %+v with seeds %v", r.Width, r.Height, r.Init, r.Seeds)
	}
	for _, s := range r.Subjects {
		if s.Region.Kind != guidance.Exactly {
			t.Errorf("%s has no mask of its own", s.Word)
		}
	}
}

// What is clicked on stays where it is when the masks of the picture come.
func TestSheetStandsStillWhenMasksCome(t *testing.T) {
	for name, change := range map[string]func(*state.Shot){
		"all of them": func(*state.Shot) {},
		"one":         func(s *state.Shot) { s.Film[0].Subjects[0].Mask = make([]float32, 16) },
		"none":        func(s *state.Shot) { s.Film = nil },
	} {
		b := newBench(t)
		change(&b.House.State.Shots[0])
		b.Reference()
		where := func() (at [2]fyne.Position) {
			for i, text := range []string{"Use as reference", "Cancel"} {
				at[i] = fyne.CurrentApp().Driver().AbsolutePositionForObject(b.button(text))
			}
			return at
		}
		before := where()
		b.Settle()
		if after := where(); after != before || before[0] == before[1] {
			t.Errorf("%s: the buttons were at %v, now %v", name, before, after)
		}
	}
}

// What speaks against it is one sentence.
func TestRedoIsNotPossible(t *testing.T) {
	for name, c := range map[string]struct {
		change        func(b *bench, shot *state.Shot)
		stage, choice string // what the stage says, or the sheet
	}{
		"file":  {change: func(_ *bench, s *state.Shot) { s.Recipe.Width = 32 }, stage: "has another size"},
		"masks": {change: func(_ *bench, s *state.Shot) { s.Film = nil }, choice: "masks of this picture are not kept"},
		"mask":  {change: func(_ *bench, s *state.Shot) { s.Film[0].Subjects[0].Mask = make([]float32, 16) }, choice: "“dog” has no mask"},
		"encoder": {
			change: func(b *bench, _ *state.Shot) { b.wrong = errors.New("the model has no encoder") },
			choice: "The model has no encoder",
		},
		"reference": {change: func(b *bench, s *state.Shot) {
			b.House.State.Form.Cards = nil
			s.Recipe.Subjects = inference.CloneSubjects(s.Recipe.Subjects)
			s.Recipe.Subjects[1].References[0].Data = nil
		}, choice: "the picture b.png of “ball” is no longer here"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			c.change(b, &b.House.State.Shots[0])
			b.key("D")
			if err := b.House.State.ActionErr; c.stage != "" {
				if err == nil || !strings.Contains(err.Error(), c.stage) || b.Win.Canvas().Overlays().Top() != nil {
					t.Errorf("the stage says %v", err)
				}
				return
			}
			if !strings.Contains(strings.ToLower(b.said()), strings.ToLower(c.choice)) || !b.button("Redo this subject").Disabled() {
				t.Errorf("the sheet says %q", b.said())
			}
		})
	}
}

// said is the sentence in red.
func (b *bench) said() string {
	l, _ := find(b, func(l *widget.Label) bool { return l.Importance == widget.DangerImportance })
	if l == nil {
		return ""
	}
	return l.Text
}

// walk visits everything that is drawn.
func walk(o fyne.CanvasObject, visit func(fyne.CanvasObject)) {
	visit(o)
	var parts []fyne.CanvasObject
	switch o := o.(type) {
	case *fyne.Container:
		parts = o.Objects
	case fyne.Widget:
		parts = test.WidgetRenderer(o).Objects()
	}
	for _, part := range parts {
		walk(part, visit)
	}
}

// Another model goes on with a picture, which is said: any model has an encoder. In a picture far smaller than what it has learned from it
// draws no subject, and the sheet says what helps.
func TestAnotherModelGoesOn(t *testing.T) {
	b := newBench(t)
	b.House.State.Shots[0].Model = "Realword Toybox"
	m := *b.House.State.Model
	m.Name, m.Size = "Toybox 2", bundle.Size{Width: 16, Height: 16, Min: 4, Max: 24, Multiple: 4}
	b.House.State.Model = &m
	const said = "The picture was made with the model Realword Toybox: what is new in it is drawn by Toybox 2."
	b.key("D")
	if !b.says(said) {
		t.Error("redo does not say which model draws")
	}
	test.Tap(b.button("Redo this subject"))
	if len(b.jobs) != 1 || b.jobs[0].Model != "Toybox 2" || b.jobs[0].Request.Width != 16 {
		t.Fatalf("%d jobs: %+v", len(b.jobs), b.jobs)
	}
	b.key("Shift+D")
	if !b.says(said) {
		t.Error("the second pass does not say which model draws")
	}
	if choice, _ := find(b, func(*kit.Radio) bool { return true }); !slices.Equal(choice.Options, []string{"1.5 times: 24 × 24"}) {
		t.Errorf("it offers %q, and the model makes 24 × 24 at most", choice.Options)
	}
	test.Tap(b.button("Make it larger"))
	if len(b.jobs) != 2 || b.jobs[1].Request.Width != 24 {
		t.Fatalf("%d jobs", len(b.jobs))
	}
	m.Size = bundle.Size{Width: 32, Height: 32, Min: 4, Max: 64, Multiple: 4}
	b.key("D")
	if !b.says("draws no subject in such a one: make a second pass of it first") || !b.button("Redo this subject").Disabled() {
		t.Error("a picture far smaller than the model's is made again in part")
	}
}

// TestRedoOfAStoppedPicture: nobody asks for the file of a picture that was never finished.
func TestRedoOfAStoppedPicture(t *testing.T) {
	b := newBench(t)
	b.Change(func(s *state.State) {
		shot := s.Shots[0]
		shot.Image, shot.Stopped = image.NewNRGBA(image.Rect(0, 0, 4, 4)), 5 // its last preview
		s.Shots = []state.Shot{shot}
	})
	b.Redo()
	b.Settle()
	if err := b.House.State.ActionErr; err == nil || !strings.Contains(err.Error(), "stopped before it was finished") {
		t.Errorf("%v", err)
	}
}

// TestDropOfAStoppedPicture: of one that was not looked at there is only what its thumbnail shows.
func TestDropOfAStoppedPicture(t *testing.T) {
	b := newBench(t)
	small := image.NewNRGBA(image.Rect(0, 0, 4, 4))
	shot := state.Shot{Kept: 42, Stopped: 3, Thumb: small}
	shot.Recipe = b.House.State.Shots[0].Recipe
	b.Dropped(shot, state.Target{Word: uitest.Word("dog")}, false)
	b.Dropped(shot, state.Target{Card: 1}, false)
	b.Settle()
	if !strings.Contains(b.House.State.Remark, "its preview of 4 × 4 pixels is all") {
		t.Errorf("of so poor a reference it says %q", b.House.State.Remark)
	}
	b.Dropped(state.Shot{Kept: 43, Stopped: 1}, state.Target{Card: 2}, false)
	b.Settle()
	from := map[uint64]int{}
	for _, c := range b.House.State.Form.Cards {
		from[c.From]++
	}
	if err := b.House.State.PickErr; from[42] == 0 || from[43] != 0 || err == nil || !strings.Contains(err.Error(), "before its first step") {
		t.Errorf("pictures %v, %v", from, err)
	}
	b.Dropped(shot, state.Target{}, true)
	b.Settle()
	if b.Win.Canvas().Overlays().Top() == nil {
		t.Error("among the subjects nobody asks for its word")
	}
}

// The margin that a dial says is waited for, so that the job has it.
func TestMarginIsWaitedFor(t *testing.T) {
	b := newBench(t)
	b.key("D")
	dial, ok := find(b, func(s *kit.Slider) bool { return s.Max > 1 })
	if !ok {
		t.Fatal("no dial")
	}
	dial.SetValue(dial.Max)
	test.Tap(b.button("Redo this subject"))
	if len(b.jobs) != 0 {
		t.Fatalf("%d jobs before the region is there", len(b.jobs))
	}
	b.Settle() // the click that took the margin is not lost
	if len(b.jobs) != 1 {
		t.Errorf("%d jobs", len(b.jobs))
	}
}

// TestAgainByTheRecipe: a picture is made again as it was made, whatever the form says, with the files of its recipe.
func TestAgainByTheRecipe(t *testing.T) {
	b := newBench(t)
	b.Change(func(s *state.State) {
		s.Form.Prompt, s.Form.Count, s.Form.Seed = "a cat", 4, 99
		s.Shots = slices.Clone(s.Shots)
		subjects := inference.CloneSubjects(s.Shots[0].Recipe.Subjects)
		subjects[1].References[0].Data = nil // a picture of the history: the window has the file
		s.Shots[0].Recipe.Subjects = subjects
	})
	was := b.Now().Shots[0].Recipe
	again := func() {
		b.Again(func(r *inference.Request) { r.Subjects[0].Scope = 0.5 })
		b.Settle()
	}
	again()
	if len(b.jobs) != 1 {
		t.Fatalf("%d jobs, %v", len(b.jobs), b.Now().ActionErr)
	}
	r := b.jobs[0].Request
	if r.Prompt != was.Prompt || !slices.Equal(r.Seeds, was.Seeds) || r.Subjects[0].Scope != 0.5 || string(r.Subjects[1].References[0].Data) != "b" {
		t.Errorf("%+v", r)
	}
	if was.Subjects[0].Scope == 0.5 || len(was.Subjects[1].References[0].Data) > 0 {
		t.Error("the picture's own recipe is changed")
	}
	b.wrong = errors.New("no such sampler")
	if again(); len(b.jobs) != 1 || b.Now().ActionErr == nil {
		t.Errorf("%d jobs, %v", len(b.jobs), b.Now().ActionErr)
	}
	b.wrong = nil
	b.Change(func(s *state.State) { s.Form.Cards = nil })
	if again(); len(b.jobs) != 1 || b.Now().ActionErr == nil || !strings.Contains(b.Now().ActionErr.Error(), "b.png") {
		t.Errorf("without a file: %d jobs, %v", len(b.jobs), b.Now().ActionErr)
	}
}

// TestSeedAndPromptAreThereAtOnce: what is asked for next has them, however large the references of the picture are.
func TestSeedAndPromptAreThereAtOnce(t *testing.T) {
	b := newBench(t)
	seed, prompt := b.Now().Shot().Seed, b.Now().Shot().Recipe.Prompt
	b.Change(func(s *state.State) { s.Form.Seed, s.Form.KeepSeed, s.Form.Prompt = seed+1, false, "a cat" })
	cards := b.Now().Form.Cards
	b.Key("S")
	if f := b.Now().Form; f.Seed != seed || !f.KeepSeed || f.Prompt != "a cat" {
		t.Errorf("right after S the seed is %d (want %d), and of %q", f.Seed, seed, f.Prompt)
	}
	b.Change(func(s *state.State) { s.Form.Seed = seed + 1 })
	b.Key("P")
	if s := b.Now(); s.Form.Prompt != prompt || s.Form.Seed != seed+1 || len(s.Words) != len(state.PlainWords(prompt)) || !slices.EqualFunc(s.Form.Cards, cards, sameCard) {
		t.Errorf("right after P the prompt is %q, want %q; seed %d, %d words, %d cards", s.Form.Prompt, prompt, s.Form.Seed, len(s.Words), len(s.Form.Cards))
	}
}

func sameCard(a, b state.Card) bool {
	return a.ID == b.ID && a.Ref.SHA256 == b.Ref.SHA256 && a.Word == b.Word
}

// TestRecipeNamesTheModelThatMadeIt, also of a picture that the history does not have.
func TestRecipeNamesTheModelThatMadeIt(t *testing.T) {
	b := newBench(t)
	for made, want := range map[string]string{"Realword SDXL": "Realword SDXL", "": b.Now().Model.Name} {
		b.Change(func(s *state.State) { s.Shots[0].Model, s.Shots[0].Kept = made, 0 })
		var past state.Past
		b.recall(*b.Now().Shot(), func(p state.Past, _ image.Image) { past = p })
		b.Settle()
		if past.Model != want {
			t.Errorf("made by %q, it says %q", made, past.Model)
		}
	}
}
