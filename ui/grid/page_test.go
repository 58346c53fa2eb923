package grid

import (
	"bytes"
	"context"
	"errors"
	"image"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2/test"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/inference/guidance"
	"realword/inference/picture"
	"realword/inference/recipe"
	"realword/inference/schedule"
	"realword/ui/roomtest"
	"realword/ui/state"
	"realword/ui/uitest"
)

// bench is the page in a house of its own, with a history.
type bench struct {
	*Page
	*roomtest.House
	store  *history.Store
	put    []state.Task
	opened uint64
	saved  []byte
}

func newBench(t *testing.T) *bench {
	t.Helper()
	s, err := history.Open(filepath.Join(t.TempDir(), "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{House: roomtest.New(t), store: s}
	b.House.State.Model = uitest.Roomy
	b.House.State.Form.Prompt, b.House.State.Form.Seed = "a dog on the beach", 7
	j := journal.New(func(error) {}, func() {}, func() {})
	j.Open(s)
	t.Cleanup(func() { _ = j.Close() })
	session, err := s.NewSession("", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	j.SetSession(session)
	b.Page = New(Host{
		State: b.Now, Background: b.Background, Layers: &b.Layers, Commands: b.Commands, Journal: j,
		Embed: func() recipe.Embed { return recipe.Embed{} }, Before: func(do func()) { do() }, Put: func(t state.Task) { b.put = append(b.put, t) },
		Stop: func(int) {}, Resume: func() {}, OnShow: func(id uint64) { b.opened = id },
		SaveFile: func(name string, data func() ([]byte, error)) (string, error) {
			if b.saved, err = data(); err != nil {
				return "", err
			}
			return "/" + name, nil
		},
	})
	b.Move(b.Root, b.Actions, b.Page.Refresh, func() bool { return false })
	return b
}

// keep puts a grid with these finished cells into the history.
func (b *bench) keep(t *testing.T, r inference.Request, cells ...int) (round uint64) {
	t.Helper()
	plan, err := journal.PlanOf(b.store, b.host.Journal.Session(), r, "roomy")
	if err != nil {
		t.Fatal(err)
	}
	round, err = b.store.BeginRound(plan, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	rec := journal.NewRecorder(b.store, round, r)
	for _, n := range cells {
		one := r.Cells(*uitest.Roomy)[n]
		ready := inference.PictureReady{Picture: n, Seed: one.Seeds[0], Recipe: one, Image: image.NewNRGBA(image.Rect(0, 0, 16, 16))}
		ready.Image.Pix[3] = 255
		png, err := recipe.EncodePNG(ready, *uitest.Roomy, recipe.Embed{})
		err = errors.Join(err, rec.Event(inference.StageStarted{Stage: inference.StageDenoise, Picture: n, Recipe: &one}), rec.Unsaved(ready, png))
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := rec.Event(inference.Failed{Err: context.Canceled}); err != nil {
		t.Fatal(err)
	}
	return round
}

// A side that changes nothing is said before the pictures are made, and none are.
func TestASideThatChangesNothingIsSaid(t *testing.T) {
	b := newBench(t)
	b.House.State.Form.Cards = []state.Card{{
		ID: 1, Word: uitest.Word("dog"), Ref: inference.Reference{Name: "dog.png", SHA256: strings.Repeat("ab", 32), Data: []byte("dog")},
		Region: inference.Region{Kind: guidance.Exactly, Painted: inference.Painted{SHA256: strings.Repeat("cd", 32), Data: []byte("mask")}},
	}}
	b.House.State.Words = state.PlainWords(b.House.State.Form.Prompt)
	b.Toggle()
	b.Settle()
	b.sides[0].pick.SetSelected(state.SideName("scope"))
	b.sides[1].pick.SetSelected(state.SideName("stop"))
	const want = "The area γ changes nothing where masks are exactly what was painted, so all pictures would be the same: leave that side out."
	if !b.trouble.Visible() || b.trouble.Text != want || !b.make.Disabled() {
		t.Errorf("it says %q, and can be made: %v", b.trouble.Text, !b.make.Disabled())
	}
	b.sides[0].pick.SetSelected(state.SideName(inference.AxisSeed))
	b.sides[1].pick.SetSelected(state.SideName("cfg"))
	if b.trouble.Visible() || b.make.Disabled() {
		t.Errorf("seeds and guidance: it says %q", b.trouble.Text)
	}
}

// A value that cannot be is said while it is typed, by the name of its side, and with what can be.
func TestAWrongValueIsSaidWhileTyped(t *testing.T) {
	b := newBench(t)
	b.House.State.Form.Cards = []state.Card{{
		ID: 1, Word: uitest.Word("dog"), Ref: inference.Reference{Name: "dog.png", SHA256: strings.Repeat("ab", 32), Data: []byte("dog")},
	}}
	b.House.State.Words = state.PlainWords(b.House.State.Form.Prompt)
	b.Toggle()
	b.Settle()
	b.sides[1].pick.SetSelected(state.SideName(""))
	for _, c := range []struct{ key, typed, want string }{
		{"scope", "0.1, abc, 2", "Area γ cannot be \"abc\": give numbers above 0 and up to 1; 0.2 is 20 %."},
		{"scope", "10, 20", "Area γ cannot be \"10\": give numbers above 0 and up to 1; 0.2 is 20 %."},
		{"scope", "", "The side \"Area γ\" of the grid has no values: give some."},
		{"scope", "0.1; 0,2; 1", ""},
		{"stop", "6, 26", "Masks settle after (T_stop) cannot be \"26\": give whole numbers from 1 to 25."},
		{"stop", "6, 25", ""},
		{inference.AxisSeed, "1-500", "Seed cannot be \"1-500\": give whole numbers, or ranges such as 7-9 of up to 100."},
		{inference.AxisSeed, "7-9", ""},
		{"preset", "papers", "Preset cannot be \"papers\": choose from " + strings.Join(uitest.Roomy.PresetNames(), ", ") + "."},
		{"cfg", "0.5, 3", "Guidance scale cannot be \"0.5\": give numbers from 1 to 50."},
		{"steps", "10, 2000", "Steps cannot be \"2000\": give whole numbers from 1 to 1000."},
		{"sampler", "dim, euler", "Sampler cannot be \"dim\": choose from " + strings.Join(schedule.Samplers(), ", ") + "."},
		{"sampler", "ddim, Euler a", ""},
		{inference.AxisSwift, "true", "Exact or swift cannot be \"true\": choose from exact, swift."},
	} {
		b.sides[0].pick.SetSelected(state.SideName(c.key))
		b.sides[0].values.SetText(c.typed)
		if b.trouble.Text != c.want || b.make.Disabled() != (c.want != "") {
			t.Errorf("%s %q: it says %q, and can be made: %v", c.key, c.typed, b.trouble.Text, !b.make.Disabled())
		}
		if (b.cost.Text == "") != (c.want != "") {
			t.Errorf("%s %q: beside %q it says what it takes: %q", c.key, c.typed, c.want, b.cost.Text)
		}
	}
	b.sides[0].pick.SetSelected(state.SideName("cfg"))
	b.sides[1].pick.SetSelected(state.SideName("cfg"))
	if want := "Both sides of the grid are \"Guidance scale\": choose another one for one of them."; b.trouble.Text != want {
		t.Errorf("twice the same: it says %q", b.trouble.Text)
	}
	// What was said against an earlier grid goes with the first letter.
	b.sides[1].pick.SetSelected(state.SideName(inference.AxisSeed))
	b.Make()
	b.House.State.ActionErr = errors.New("it cannot be")
	b.Refresh()
	if b.trouble.Text != "It cannot be." {
		t.Errorf("after the press it says %q", b.trouble.Text)
	}
	b.sides[0].values.SetText("3, 4")
	if b.trouble.Visible() {
		t.Errorf("what was said before stays: %q", b.trouble.Text)
	}
}

// A side without values is called the same in both lists, and so that it is true of rows and of columns.
func TestASideWithoutValues(t *testing.T) {
	b := newBench(t)
	for i, side := range b.sides {
		if got := side.pick.Options[0]; got != "Nothing else" {
			t.Errorf("side %d without values is called %q", i, got)
		}
	}
}

func TestAGridIsAskedFor(t *testing.T) {
	b := newBench(t)
	b.Toggle()
	b.Settle()
	b.sides[0].pick.SetSelected(state.SideName("cfg"))
	b.sides[0].values.SetText("3; 7,5")
	b.sides[1].pick.SetSelected(state.SideName(inference.AxisSeed))
	b.sides[1].values.SetText("7-9, 20")
	if b.cost.Text != "8 pictures" || b.trouble.Visible() {
		t.Fatalf("%q, %q", b.cost.Text, b.trouble.Text)
	}
	test.Tap(&b.make.Button)
	if len(b.put) != 1 {
		t.Fatal("nothing was put into the queue")
	}
	g := b.put[0].Request.Grid
	if !slices.Equal(g.Rows.Values, []string{"3", "7.5"}) || !slices.Equal(g.Columns.Values, []string{"7", "8", "9", "20"}) {
		t.Errorf("%+v", g)
	}
	b.Change(func(s *state.State) { s.ActionErr = errors.New("the job failed") }) // another one runs
	if b.trouble.Text != "The job failed." {
		t.Errorf("what is said against it is %q", b.trouble.Text)
	}
	b.Change(func(s *state.State) { s.ActionErr = nil })
	b.sides[0].pick.SetSelected(state.SideName("steps"))
	b.sides[0].values.SetText(strings.TrimSuffix(strings.Repeat("1,", 20), ","))
	b.sides[1].values.SetText("1-25")
	if !b.make.Disabled() || b.trouble.Text != "A grid of 20 × 25 has 500 pictures, and at most 100 are made at once: leave out some values." {
		t.Errorf("%q", b.trouble.Text)
	}
}

func TestAGridIsLookedAtAndGoesOn(t *testing.T) {
	b := newBench(t)
	r := b.Now().GridRequest(state.Side{Key: "cfg", Values: "3, 5"}, state.Side{Key: inference.AxisSeed, Values: "1, 2"})
	r = inference.Defaults(*uitest.Roomy, r)
	r.Width, r.Height, r.Seeds = 16, 16, []uint64{1, 2, 1, 2}
	round := b.keep(t, r, 0, 3)
	b.Toggle()
	b.Settle()
	if b.title.Text != "a dog on the beach" || b.progress.Text != "2 of 4 pictures" || len(b.tiles) != 4 || !b.goOn.Visible() || b.stop.Visible() {
		t.Fatalf("%q, %q, %d tiles", b.title.Text, b.progress.Text, len(b.tiles))
	}
	b.sides[0].pick.SetSelected(state.SideName("cfg"))
	b.sides[1].pick.SetSelected(state.SideName(inference.AxisSeed))
	other := *uitest.Roomy
	other.Name = "another"
	b.Change(func(s *state.State) { s.Model = &other })
	test.Tap(&b.goOn.Button)
	b.Settle()
	if len(b.put) != 0 || b.trouble.Text != "This grid was made with the model roomy, and pictures of two models do not mix: make a new one." {
		t.Errorf("another model goes on with it: %d jobs, %q", len(b.put), b.trouble.Text)
	}
	b.sides[0].values.SetText("nonsense") // of the next grid: both are said
	test.Tap(&b.goOn.Button)
	b.Settle()
	if lines := strings.Split(b.trouble.Text, "\n"); len(lines) != 2 || !strings.Contains(lines[0], "do not mix") || !strings.Contains(lines[1], "nonsense") {
		t.Errorf("it says %q", lines)
	}
	b.sides[0].values.SetText("3, 5")
	b.Change(func(s *state.State) { s.Model = uitest.Roomy })
	test.Tap(&b.goOn.Button)
	b.Settle()
	if len(b.put) != 1 || b.put[0].Request.Grid.Of != round || !slices.Equal(b.put[0].Request.Grid.Made, []int{0, 3}) {
		t.Fatalf("%+v", b.put)
	}
	// It runs: the cell in work shows its newest step.
	b.Change(func(s *state.State) {
		t := b.put[0]
		t.ID = 1
		*s = s.Begin(t, 4, 12)
		*s = s.Apply(1, inference.StageStarted{Stage: inference.StageDenoise, Picture: 1})
		*s = s.Apply(1, uitest.Step(0, 25, 12, 0))
	})
	b.Settle()
	if now := b.Now(); b.tiles[1].img.Image != now.Run().Film[0].Preview || !b.stop.Visible() || b.goOn.Visible() {
		t.Error("the cell in work does not show its step")
	}
	test.Tap(&b.export.Button)
	b.Settle()
	said, _, err := recipe.Read(b.saved)
	img, _, err2 := picture.Decode(b.saved, picture.Limits{})
	if errors.Join(err, err2) != nil || said.Grid.Len() != 4 || img.Rect.Dx() < 32 || !bytes.HasPrefix(b.saved, []byte("\x89PNG")) {
		t.Errorf("the sheet says %+v, %v", said.Grid, errors.Join(err, err2))
	}
	test.Tap(b.tiles[1])
	if b.opened != 0 || !b.Shown() {
		t.Error("a cell that is not made was opened")
	}
	test.Tap(b.tiles[3])
	if p, err := b.store.Picture(b.opened); err != nil || p.Cell != 4 || b.Shown() {
		t.Errorf("picture %d was opened: %+v, %v", b.opened, p, err)
	}
}

// TestADoubleClickMakesOneGrid: the same grid is not made twice at once; when it is made, it can be made once more.
func TestADoubleClickMakesOneGrid(t *testing.T) {
	b := newBench(t)
	b.House.State.Words = state.PlainWords(b.House.State.Form.Prompt)
	b.host.Put = func(t state.Task) {
		b.put = append(b.put, t)
		b.Change(func(s *state.State) { s.Queue, _ = s.Queue.Add(t, false) })
	}
	b.Toggle()
	b.Settle()
	b.sides[0].pick.SetSelected(state.SideName(inference.AxisSeed))
	b.sides[1].pick.SetSelected(state.SideName("cfg"))
	make := func() {
		b.Make()
		b.Make()
		b.Settle()
	}
	make()
	if len(b.put) != 1 || !b.make.Disabled() || b.cost.Text != "This grid is in the queue, or being made." {
		t.Fatalf("%d jobs, can be made once more: %t, it says %q", len(b.put), !b.make.Disabled(), b.cost.Text)
	}
	b.Change(func(s *state.State) {
		t := s.Queue.Waiting[0]
		t.Request, t.Checked = inference.Defaults(*s.Model, t.Request), true // as the engine resolves it
		t.Request.Seeds = slices.Repeat([]uint64{3}, t.Request.Grid.Len())
		*s = s.Begin(t, t.Pictures(), 0)
	})
	make()
	if len(b.put) != 1 {
		t.Error("it runs, and is made a second time")
	}
	b.sides[1].values.SetText("3, 5")
	make()
	if len(b.put) != 2 {
		t.Errorf("another grid: %d jobs", len(b.put))
	}
	b.Change(func(s *state.State) {
		*s = s.Apply(s.Queue.Flights[0].Task.ID, inference.Done{})
		s.Queue = s.Queue.Clear()
	})
	make()
	if len(b.put) != 3 {
		t.Errorf("it is made, and asked for once more: %d jobs", len(b.put))
	}
}

// TestALongPromptDoesNotWidenTheWindow: the title of a grid is cut, whatever its length.
func TestALongPromptDoesNotWidenTheWindow(t *testing.T) {
	b := newBench(t)
	wide := b.Root.MinSize().Width
	b.title.Set(strings.Repeat("a very long prompt ", 30))
	b.progress.Set(strings.Repeat("much is to be said ", 30))
	if got := b.Root.MinSize().Width; got > wide {
		t.Errorf("%g units wide, %g before", got, wide)
	}
}

// A cell whose picture was thrown away in the gallery is empty when the page comes again.
func TestTrashedCellIsEmpty(t *testing.T) {
	b := newBench(t)
	r := inference.Defaults(*b.House.State.Model, b.Now().GridRequest(state.Side{Key: "cfg", Values: "3,5"}, state.Side{Key: inference.AxisSeed, Values: "1, 2"}))
	r.Width, r.Height, r.Seeds = 16, 16, []uint64{1, 2, 1, 2}
	b.keep(t, r, 0, 3)
	b.Toggle()
	b.Settle()
	was, id := b.tiles[0].img.Image, b.tiles[0].id
	b.Hide()
	if err := b.store.Trash(time.Now(), history.Item{Kind: history.PictureItem, ID: id}); err != nil {
		t.Fatal(err)
	}
	b.Toggle()
	b.Settle()
	if b.grid.made() != 1 || b.tiles[0].id != 0 || b.tiles[0].img.Image == was || b.tiles[3].img.Image.Bounds().Dx() < 2 {
		t.Errorf("%d made, the first is number %d, and seen: %v", b.grid.made(), b.tiles[0].id, b.tiles[0].img.Image == was)
	}
}
