package inference

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"realword/inference/guidance"
)

// cellsOf sorts the events of a grid by their cells.
func cellsOf(events []Event) (steps map[int][]StepDone, pictures map[int]PictureReady) {
	steps, pictures = map[int][]StepDone{}, map[int]PictureReady{}
	for _, e := range events {
		switch e := e.(type) {
		case StepDone:
			steps[e.Picture] = append(steps[e.Picture], e)
		case PictureReady:
			pictures[e.Picture] = e
		}
	}
	return steps, pictures
}

var (
	scopes = Axis{Key: "scope", Values: []string{"0.1", "0.2", "0.3", "0.4", "0.5"}}
	stops  = Axis{Key: "stop", Values: []string{"18", "6", "12"}}
	seeds  = Axis{Key: AxisSeed, Values: []string{"1", "2"}}
)

// Every cell is, step by step and to the bit, the picture that its own recipe makes alone, with fewer runs of every graph.
func TestACellIsThePictureMadeAlone(t *testing.T) {
	b := newBench(t)
	cat := Axis{Key: AxisReference, References: b.subject("dog", blue, red).References}
	presets := Axis{Key: "preset", Values: []string{"paper", "release"}}
	for name, c := range map[string]struct {
		grid  Grid
		base  Settings
		share float64 // of the passes alone, at most
		plain bool
	}{
		"scope and stop":       {grid: Grid{Rows: scopes, Columns: stops}, share: 0.70},
		"release":              {grid: Grid{Rows: scopes, Columns: stops}, base: Settings{Preset: "release"}, share: 0.72},
		"fresh noise":          {grid: Grid{Rows: stops, Columns: seeds}, base: Settings{Sampler: "euler-a"}, share: 0.72},
		"asks twice":           {grid: Grid{Columns: stops}, base: Settings{Sampler: "heun", Steps: 20}, share: 0.75},
		"without guidance":     {grid: Grid{Rows: scopes, Columns: stops}, base: Settings{CFG: 1}, share: 0.73},
		"scope and seed":       {grid: Grid{Rows: scopes, Columns: seeds}, share: 0.98},
		"picture and seed":     {grid: Grid{Rows: cat, Columns: seeds}, share: 0.99},
		"preset and seed":      {grid: Grid{Rows: presets, Columns: seeds}, share: 1},
		"preset and stop":      {grid: Grid{Rows: presets, Columns: stops}, share: 0.72},
		"no subject":           {grid: Grid{Rows: Axis{Key: "cfg", Values: []string{"3", "9"}}, Columns: seeds}, share: 1, plain: true},
		"steps and scale":      {grid: Grid{Rows: Axis{Key: "steps", Values: []string{"10", "20"}}, Columns: Axis{Key: "cfg", Values: []string{"1", "3", "9"}}}, share: 1},
		"sampler and mask map": {grid: Grid{Rows: Axis{Key: "sampler", Values: []string{"ddim", "dpm++"}}, Columns: Axis{Key: "mask_source", Values: []string{"all_cross", "low_cross"}}}, share: 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			r := b.dog()
			r.Settings, r.Grid = c.base, &c.grid
			if c.plain {
				r.Subjects = nil
			}
			steps, pictures := cellsOf(b.run(r))
			together := len(b.runtime.callsOf("unet")) + len(b.runtime.callsOf("guidance"))
			if n := len(pictures); n != c.grid.Len() {
				t.Fatalf("%d pictures, want %d", n, c.grid.Len())
			}
			if texts, want := b.runtime.runs("text"), 3*2; texts > want { // each a text and its keys; two negative prompts
				t.Errorf("%d runs for texts, want %d", texts, want)
			}
			b.runtime.forget()
			alone := newBench(t) // has seen nothing
			for n, p := range pictures {
				if p.Recipe.Grid != nil || len(p.Recipe.Seeds) != 1 {
					t.Fatalf("the recipe of cell %d is that of a grid: %+v", n, p.Recipe)
				}
				film, one := cellsOf(alone.run(p.Recipe))
				if !slices.Equal(one[0].Image.Pix, p.Image.Pix) || !reflect.DeepEqual(one[0].Recipe, p.Recipe) {
					t.Errorf("cell %d is another picture than alone", n)
				}
				for i := range steps[n] {
					steps[n][i].Picture = 0
				}
				if !reflect.DeepEqual(film[0], steps[n]) {
					t.Errorf("the steps of cell %d are others than alone", n)
				}
			}
			apart := len(alone.runtime.callsOf("unet")) + len(alone.runtime.callsOf("guidance"))
			if ratio := float64(together) / float64(apart); ratio > c.share {
				t.Errorf("%d passes in place of %d: %.3f, want %.3f", together, apart, ratio, c.share)
			}
			said, saidAlone := Passes(b.model.manifest, r)
			if saidAlone != apart || said < together {
				t.Errorf("said to take %d and %d passes, took %d and %d", said, saidAlone, together, apart)
			}
		})
	}
}

// What cells share is encoded once.
func TestAGridEncodesOnce(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Grid = &Grid{Rows: scopes, Columns: stops}
	b.run(r)
	for graph, want := range map[string]int{"text_kv": 2, "vision_kv": 1 + 15} { // that without subjects in every run
		if n := b.runtime.runs(graph); n != want {
			t.Errorf("%d runs of %s, want %d", n, graph, want)
		}
	}
	if n := len(b.runtime.callsOf("vision")) - b.runtime.runs("vision_kv"); n != 1 {
		t.Errorf("%d runs of vision, want 1", n)
	}
}

// A grid is said to take what it takes, whether it is resolved or not, but for what cells share within a step.
func TestPassesOfAGrid(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Grid = &Grid{Rows: scopes, Columns: stops}
	resolved, err := b.engine.Resolve(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []Request{r, resolved} {
		if together, alone := Passes(b.model.manifest, r); together != 660 || alone != 930 {
			t.Errorf("%d passes in place of %d, want 660 and 930", together, alone)
		}
	}
	b.run(r)
	if n := len(b.runtime.callsOf("unet")) + len(b.runtime.callsOf("guidance")); n != 642 {
		t.Errorf("%d passes, want 642", n)
	}
}

// Cells that are there are not made again, and the others are as they would have been.
func TestAGridGoesOn(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Grid = &Grid{Rows: scopes, Columns: stops}
	_, all := cellsOf(b.run(r))
	r.Grid.Made = []int{14, 0, 1, 99, 14, 5}
	events := b.run(r)
	_, rest := cellsOf(events)
	if done := events[len(events)-1].(Done); done.Pictures != 11 || len(rest) != 11 {
		t.Errorf("%d pictures and %d, want 11", len(rest), done.Pictures)
	}
	for n, p := range rest {
		if slices.Contains(r.Grid.Made, n) || !slices.Equal(p.Image.Pix, all[n].Image.Pix) {
			t.Errorf("cell %d was made before, or is another one", n)
		}
	}
	r.Grid.Made = nil
	for n := range 15 {
		r.Grid.Made = append(r.Grid.Made, n)
	}
	b.runtime.forget()
	if events := b.run(r); len(events) != 1 || b.runtime.runs("") != 0 {
		t.Errorf("a grid that is finished has %d events", len(events))
	}
}

// A cancelled grid leaves the cells that it has made.
func TestACancelledGridKeepsItsCells(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Grid = &Grid{Rows: scopes, Columns: stops}
	job := b.start(context.Background(), r)
	pictures := 0
	for e := range job.Events() {
		if _, ok := e.(PictureReady); ok {
			if pictures++; pictures == 4 {
				job.Cancel()
			}
		}
	}
	if pictures < 4 || pictures > 6 {
		t.Errorf("%d pictures", pictures)
	}
}

// A resolved grid resolves to itself, with a seed for every cell.
func TestAResolvedGridStays(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Preset = "release"
	r.Grid = &Grid{Rows: Axis{Key: "preset", Values: []string{"release", "paper"}}, Columns: scopes}
	once, err := b.engine.Resolve(r)
	if err != nil {
		t.Fatal(err)
	}
	twice, err := b.engine.Resolve(once)
	if err != nil || !reflect.DeepEqual(once, twice) {
		t.Errorf("%+v\nthen %+v, %v", once, twice, err)
	}
	if !slices.Equal(once.Seeds, slices.Repeat([]uint64{7}, 10)) {
		t.Errorf("the seeds are %d", once.Seeds)
	}
	cells := once.Cells(b.model.manifest)
	if a, z := cells[1], cells[8]; a.Preset != "release" || a.Subjects[0].Scope != 0.2 || a.Negative != "ugly" || z.Preset != "paper" ||
		z.CFG != 7.5 || z.Subjects[0].Scope != 0.4 || z.Negative != "" || z.Subjects[0].References[0].Square.Fit != "pad" {
		t.Errorf("%+v\n%+v", a, z)
	}
	r.Grid.Columns = seeds // what presets say of γ then counts
	if cells := r.Cells(b.model.manifest); cells[0].Subjects[0].Scope != 0.25 || cells[2].Subjects[0].Scope != 0.2 {
		t.Errorf("%+v", cells)
	}
	data, err := EncodeRequest(once)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := DecodeRequest(data); err != nil || !reflect.DeepEqual(back.Grid, once.Grid) {
		t.Errorf("%+v, %v", back.Grid, err)
	}
}

// Scopes of exact masks are their areas, whatever an axis says.
func TestAnAxisIsOfOneSubject(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Subjects = append(r.Subjects, b.subject("beach", blue))
	r.Subjects[0].Scope, r.Subjects[1].Scope = 0.1, 0.1
	r.Grid = &Grid{Rows: Axis{Key: "scope", Subject: 2, Values: []string{"0.2", "0.3"}}, Columns: Axis{Key: "scope", Subject: 1, Values: []string{"0.4"}}}
	resolved, err := b.engine.Resolve(r)
	if err != nil {
		t.Fatal(err)
	}
	if c := resolved.Cells(b.model.manifest)[1]; c.Subjects[0].Scope != 0.4 || c.Subjects[1].Scope != 0.3 {
		t.Errorf("%+v", c.Subjects)
	}
	r.Subjects[0].Region.Kind = guidance.Exactly
	r.Subjects[0].Region.SHA256 = strings.Repeat("ab", 32)
	if c := r.Cells(b.model.manifest)[1]; c.Subjects[0].Scope != 0.1 {
		t.Errorf("the area of an exact mask is %g", c.Subjects[0].Scope)
	}
}

// TestExactBesideSwift: whatever approximations a request has, the exact cell has none, and the swift one has those of Swift with what the
// request says of each.
func TestExactBesideSwift(t *testing.T) {
	b := newBench(t)
	for name, change := range map[string]func(*Request){
		"exact": func(*Request) {},
		"swift": func(r *Request) { r.Swift = true },
		"parts": func(r *Request) { r.Every, r.Settle, r.Swift = 3, NoShare, true },
		"one":   func(r *Request) { r.Every = 3 },
	} {
		r := b.wide()
		change(&r)
		exact, quick := r, r
		exact.Settings, quick.Swift = r.WithoutApproximations(), true
		r.Grid = &Grid{Columns: Axis{Key: AxisSwift, Values: []string{AxisApprox, AxisExact}}}
		resolved, err := b.engine.Resolve(r)
		if err != nil {
			t.Fatal(err)
		}
		for n, alone := range []Request{quick, exact} {
			want, err := b.engine.Resolve(alone)
			if err != nil {
				t.Fatal(err)
			}
			if got := resolved.Cells(b.model.manifest)[n]; got.Settings != want.Settings {
				t.Errorf("%s: cell %d is made with %+v, alone %+v", name, n, got.Settings, want.Settings)
			}
		}
		_, both := Passes(b.model.manifest, resolved)
		one, _ := Passes(b.model.manifest, quick)
		other, _ := Passes(b.model.manifest, exact)
		if both != one+other || one >= other {
			t.Errorf("%s: %d passes, of %d and %d", name, both, one, other)
		}
	}
}

func TestGridsThatCannotBe(t *testing.T) {
	b := newBench(t)
	many := Axis{Key: AxisSeed}
	for n := range 25 {
		many.Values = append(many.Values, fmt.Sprint(n))
	}
	tall := Axis{Key: "cfg"}
	for n := range 20 {
		tall.Values = append(tall.Values, fmt.Sprint(n+1))
	}
	for want, g := range map[string]Grid{
		"a grid of 20 × 25 has 500 pictures, and at most 100 are made at once: leave out some values":  {Rows: tall, Columns: many},
		`a grid cannot have "width" on a side`:                                                         {Columns: Axis{Key: "width", Values: []string{"64"}}},
		`the side "t_stop" of the grid has no values: give some`:                                       {Columns: Axis{Key: "stop"}},
		`the side "t_stop" of the grid has the value "x", which it cannot have: correct it`:            {Columns: Axis{Key: "stop", Values: []string{"x"}}},
		`the side "gamma" of the grid has the value "2", which it cannot have: correct it`:             {Columns: Axis{Key: "scope", Values: []string{"2"}}},
		`the side "gamma" of the grid has the value "nan", which it cannot have: correct it`:           {Columns: Axis{Key: "scope", Values: []string{"nan"}}},
		`the side "cfg" of the grid has the value "0", which it cannot have: correct it`:               {Columns: Axis{Key: "cfg", Values: []string{"0"}}},
		`the side "cfg" of the grid has the value "", which it cannot have: correct it`:                {Columns: Axis{Key: "cfg", Values: []string{""}}},
		`the side "guidance_rescale" of the grid has the value "-1", which it cannot have: correct it`: {Columns: Axis{Key: "guidance_rescale", Values: []string{"-1"}}},
		`the side "seed" of the grid has the value "-1", which it cannot have: correct it`:             {Columns: Axis{Key: "seed", Values: []string{"-1"}}},
		`the side "seed" of the grid has the value "1" twice: leave one out`:                           {Columns: Axis{Key: "seed", Values: []string{"1", "1"}}},
		`the side "swift" of the grid has the value "true", and can have exact and swift: correct it`:  {Columns: Axis{Key: AxisSwift, Values: []string{"true", AxisExact}}},
		`the side "swift" of the grid has the value "swift" twice: leave one out`:                      {Columns: Axis{Key: AxisSwift, Values: []string{AxisApprox, AxisApprox}}},
		`both sides of the grid are "seed": choose another one for one of them`:                        {Rows: seeds, Columns: seeds},
		"the grid is about subject 2, and there are 1: choose one of them":                             {Columns: Axis{Key: "scope", Subject: 2, Values: []string{"0.2"}}},
		"early stop at step 26 is outside 1 to 25":                                                     {Columns: Axis{Key: "stop", Values: []string{"26", "27", "3"}}},
		`there is no preset "x"`:     {Columns: Axis{Key: "preset", Values: []string{"x"}}},
		`the picture "x" of "dog": `: {Columns: Axis{Key: AxisReference, References: []Reference{{Name: "x", Data: []byte("x")}}}},
	} {
		r := b.dog()
		r.Grid = &g
		if _, err := b.engine.Resolve(r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	r := b.dog()
	r.Grid, r.Seeds = &Grid{Columns: stops}, []uint64{1, 2}
	if _, err := b.engine.Resolve(r); err == nil || !strings.Contains(err.Error(), "a grid has one seed") {
		t.Error(err)
	}
	r = b.dog()
	r.Subjects = nil
	r.Grid = &Grid{Columns: scopes}
	if _, err := b.engine.Resolve(r); err == nil || !strings.Contains(err.Error(), "needs a subject") {
		t.Error(err)
	}
}

// A grid leaves nothing with the device, however it ends.
func TestNothingOfAGridStaysWithTheDevice(t *testing.T) {
	b := newBench(t)
	for _, stopAt := range []int{0, 30} {
		rt := &keepingRuntime{fakeRuntime: b.runtime}
		engine := New(rt, b.model)
		r := b.dog()
		r.Grid = &Grid{
			Rows:    Axis{Key: AxisReference, References: b.subject("dog", blue, red).References},
			Columns: Axis{Key: "preset", Values: []string{"paper", "release"}},
		}
		job, err := engine.Start(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		steps := 0
		for e := range job.Events() {
			if _, ok := e.(StepDone); ok {
				if steps++; steps == stopAt {
					job.Cancel()
				}
			}
		}
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
		if rt.kept == 0 || rt.alive != 0 {
			t.Errorf("of %d kept values %d are not closed", rt.kept, rt.alive)
		}
	}
}

func TestSeedRange(t *testing.T) {
	for text, want := range map[string]string{
		"7-9": "7 8 9", " 7 - 7 ": "7", "18446744073709551614-18446744073709551615": "18446744073709551614 18446744073709551615",
		"7": "", "9-7": "", "7-": "", "-7": "", "a-b": "", "1-2-3": "", "0-18446744073709551615": "", "1-102": "",
	} {
		if got := strings.Join(SeedRange(text), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if n := len(SeedRange("1-101")); n != MaxCells+1 {
		t.Errorf("one too many for a grid, which says so: %d", n)
	}
}

// TestCellsSayWhatIsLeftOut: the recipe of a cell claims an approximation where it leaves something out, as that of the picture alone.
func TestCellsSayWhatIsLeftOut(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Swift, r.Stop = true, 2
	r.Grid = &Grid{Rows: Axis{Key: "steps", Values: []string{"4", "25"}}, Columns: Axis{Key: "cfg", Values: []string{"3", "5"}}}
	_, pictures := cellsOf(b.run(r))
	cells := r.Cells(b.model.Manifest())
	for n, p := range pictures {
		alone, swift := cells[n], n/2 == 1
		alone.Settings.Swift = true
		said := of[PictureReady](b.run(alone))[0].Recipe.Settings
		if p.Recipe.Settings != said || cells[n].Settings != said || said.Swift != swift || (said.Every > 1) != swift {
			t.Errorf("cell %d says %+v, alone it says %+v; it was planned as %+v", n, p.Recipe.Settings, said, cells[n].Settings)
		}
	}
}
