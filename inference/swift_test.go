package inference

import (
	"context"
	"image/color"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"realword/inference/guidance"
	"realword/inference/tensor"
)

// wide is a request whose masks change by little: they cover 14 of 16 positions.
func (b *bench) wide() Request {
	r := b.dog()
	r.Subjects[0].Scope = 0.9
	return r
}

// TestPassesOfApproximations counts the passes that graphs run, and what progress says of them at the end. The noise levels of the
// fake model are those of SDXL: above 0.5 lie all of 25 steps but the last four.
func TestPassesOfApproximations(t *testing.T) {
	for _, c := range []struct {
		name           string
		change         func(*Request)
		guidance, unet int
	}{
		{"exact", func(*Request) {}, 12, 50},
		{"masks rest from the second on: steps 0, 1, 3, … 11", func(r *Request) { r.Rest = 1 }, 7, 50},
		{"masks settle at once", func(r *Request) { r.Settle = 1 }, 3, 50},
		{"unconditional at every second step", func(r *Request) { r.Every = 2 }, 12, 25 + 13},
		{"at every third", func(r *Request) { r.Every = 3 }, 12, 25 + 9},
		{"the middle of the noise levels", func(r *Request) { r.Interval = "0.28-5.42" }, 12, 25 + 19},
		{"all but the clean ones", func(r *Request) { r.Interval = "0.5-" }, 12, 25 + 21},
		{"both", func(r *Request) { r.Interval, r.Every = "0.5-", 2 }, 12, 25 + 11},
		{"swift, masks made at every step", func(r *Request) { r.Swift, r.Rest, r.Settle = true, NoShare, NoShare }, 12, 25 + 11},
		{"swift, all but one off", func(r *Request) { r.Swift, r.Rest, r.Settle, r.Interval = true, NoShare, NoShare, "0" }, 12, 25 + 13},
		{"swift, all off", func(r *Request) { r.Swift, r.Rest, r.Settle, r.Interval, r.Every = true, NoShare, NoShare, "0", 1 }, 12, 50},
		{"swift with ω = 1", func(r *Request) { r.Swift, r.Rest, r.Settle, r.CFG = true, 1, NoShare, 1 }, 7, 25},
		{"swift text-to-image", func(r *Request) { r.Swift, r.Subjects = true, nil }, 0, 25 + 11},
		{"swift with few steps is exact", func(r *Request) { r.Swift, r.Steps, r.Stop = true, 4, 2 }, 2, 8},
		{"one step", func(r *Request) { r.Swift, r.Steps, r.Stop = true, 1, 1 }, 1, 2},
		{"8 steps are enough", func(r *Request) { r.Every, r.Steps, r.Stop = 2, 8, 4 }, 4, 8 + 4},
		{"two evaluations per step", func(r *Request) { r.Every, r.Sampler = 2, "heun" }, 12, 49 + 25},
		{"the black picture as well", func(r *Request) { r.Every, r.Preset = 2, "release" }, 12, 25 + 13},
	} {
		b := newBench(t)
		r := b.wide()
		c.change(&r)
		events := b.run(r)
		if g, u := b.runtime.runs("guidance"), b.runtime.runs("unet"); g != c.guidance || u != c.unet {
			t.Errorf("%s: %d guidance and %d other passes, want %d and %d", c.name, g, u, c.guidance, c.unet)
		}
		list := of[Progress](events)
		if last := list[len(list)-1]; last.Pass != c.guidance+c.unet || last.Passes != last.Pass {
			t.Errorf("%s: the last progress is %d of %d", c.name, last.Pass, last.Passes)
		}
		for i, p := range list[1:] {
			if p.Passes > list[i].Passes || p.Passes < p.Pass {
				t.Errorf("%s: progress goes from %d of %d to %d of %d", c.name, list[i].Pass, list[i].Passes, p.Pass, p.Passes)
			}
		}
		// What a grid and a notice count beforehand are all passes that there may be.
		if together, _ := Passes(b.model.manifest, r); together < c.guidance+c.unet || r.Rest == 0 && r.Settle == 0 && !r.Swift && together != c.guidance+c.unet {
			t.Errorf("%s: %d passes are expected", c.name, together)
		}
	}
}

// TestExactMasksWithSwift: swift or not, painted masks leave the guidance branch out, and nothing of that is approximate.
func TestExactMasksWithSwift(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Subjects[0].Region = Region{guidance.Exactly, Painted{Data: aPicture(t, color.White)}}
	r.Rest, r.Settle = 1, 1
	b.run(r)
	if g, u := b.runtime.runs("guidance"), b.runtime.runs("unet"); g != 0 || u != 50 {
		t.Errorf("%d guidance and %d other passes", g, u)
	}
}

// TestMaskPlan follows masks that change as said, in a run of 12 steps with T_stop 10.
func TestMaskPlan(t *testing.T) {
	for _, c := range []struct {
		rest, settle float64
		moved        []float64 // at each pass, the first does not count
		at           []int
	}{
		{0.2, 0, []float64{1, 0.5, 0.1, 0.1, 0.1, 0.1}, []int{0, 1, 2, 4, 6, 8}},
		{0.2, 0, []float64{1, 0.1, 0.3, 0.3, 0.1, 0.3, 0.3}, []int{0, 1, 3, 4, 5, 7, 8, 9}},
		{0, 0.05, []float64{1, 0.5, 0.05, 0.04, 0.03}, []int{0, 1, 2, 3, 4}},
		{0, 0.05, []float64{1, 0.04, 0.06, 0.04, 0.06, 0, 0}, []int{0, 1, 2, 3, 4, 5, 6}},
		{0.2, 0.05, []float64{1, 0.1, 0.1, 0.04, 0.04}, []int{0, 1, 3, 5, 7}},
		{0.2, 0.05, []float64{1, 0.01, 0.01}, []int{0, 1, 3}},
	} {
		p := pace{stop: 10, steps: 12, scored: true, approx: true, rest: c.rest, settle: c.settle, every: 1}
		var trail Trail
		var at []int
		for i := range p.steps {
			plan := p.plan(i, trail, trail.Masked > 0)
			if trail = trail.after(i, plan); plan.Guidance {
				by := 1.0
				if len(at) < len(c.moved) {
					by = c.moved[len(at)]
				}
				trail = trail.moving(by, c.settle)
				at = append(at, i)
			}
		}
		if !slices.Equal(at, c.at) {
			t.Errorf("rest %g, settle %g, masks that change by %v: made at %v, want %v", c.rest, c.settle, c.moved, at, c.at)
		}
	}
	p := pace{begin: 5, stop: 3, steps: 12, scored: true, approx: true, rest: 1, every: 1}
	if !p.plan(5, Trail{}, false).Guidance || p.plan(6, Trail{Masked: 6, Moved: 1}, true).Guidance {
		t.Error("a run that begins behind T_stop does not make its masks once")
	}
}

// TestTheDifferenceIsTakenAgain: conditional predictions of 3, 4 and 5, unconditional ones of 1 and 2, ω 2.5.
func TestTheDifferenceIsTakenAgain(t *testing.T) {
	b := newBench(t)
	outputs := []float32{3, 1, 4, 5, 2}
	b.runtime.spoil = func(graph string, out map[string]*tensor.Tensor) {
		if graph == "unet" {
			for i := range out["noise"].F32 {
				out["noise"].F32[i] = outputs[0]
			}
			outputs = outputs[1:]
		}
	}
	r, err := b.engine.Resolve(b.dog())
	if err != nil {
		t.Fatal(err)
	}
	r.CFG = 2.5
	l, _, err := b.engine.Prepare(context.Background(), NewGraphs(b.runtime, b.model), r, func(Stage) {})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if l.none, err = l.Graphs.NoVision(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer l.none.KV.Close()
	var apart []float32
	at := l.At(make([]float32, tensor.Count(l.Shape())), 999)
	for i, c := range []struct {
		plan Plan
		want float32
	}{
		{Plan{Mixed: true, Uncond: true, Keep: true}, 1 + 2.5*2},
		{Plan{Mixed: true}, 4 + 1.5*2},
		{Plan{Mixed: true, Uncond: true}, 2 + 2.5*3},
	} {
		got, err := l.noise(t.Context(), i, at, [][]float32{make([]float32, 16)}, c.plan, &apart)
		if err != nil || got[0] != c.want || got[len(got)-1] != c.want || apart[0] != 2 {
			t.Errorf("pass %d: %v %v, want %g", i, got[0], err, c.want)
		}
	}
}

// TestGoingOnWithApproximations: a run that goes on from any kept step, over bytes, gives what the whole run gave, to the bit.
func TestGoingOnWithApproximations(t *testing.T) {
	for _, c := range []Settings{
		{Rest: 1},
		{Settle: 0.1},
		{Rest: 0.2, Settle: 0.1},
		{Every: 2},
		{Every: 3, Sampler: "heun"},
		{Interval: "0.6-4"},
		{Swift: true, Rest: 1},
		{Swift: true, Sampler: "dpm++2msde-karras", Rescale: 0.5},
		{Swift: true, Sampler: "unipc", Preset: "release"},
	} {
		b := newBench(t)
		r := b.wide()
		r.Settings = c
		r.Steps, r.Stop = 10, 6
		whole := b.run(r)
		steps, picture := of[StepDone](whole), of[PictureReady](whole)[0]
		for k, kept := range steps[:9] {
			state := overBytes(t, kept.State, EncodeState, DecodeState)
			branch := r
			branch.From = &state
			events := b.run(branch)
			if again := of[PictureReady](events)[0]; !slices.Equal(again.Image.Pix, picture.Image.Pix) {
				t.Errorf("%+v: the picture from step %d differs", c, k+1)
			}
			for i, s := range of[StepDone](events) {
				if want := steps[k+1+i]; !reflect.DeepEqual(s, want) {
					t.Errorf("%+v: from step %d, step %d differs", c, k+1, s.Step)
				}
			}
			if list := of[Progress](events); list[len(list)-1].Pass != list[len(list)-1].Passes {
				t.Errorf("%+v: from step %d progress ends with %+v", c, k+1, list[len(list)-1])
			}
		}
	}
}

// TestNothingOfOthersIsTakenAgain: a run that goes on with another word, another picture or another prompt makes new masks and a new
// unconditional pass at once, and one that goes on from an exact run as well.
func TestNothingOfOthersIsTakenAgain(t *testing.T) {
	for name, change := range map[string]func(*bench, *Request){
		"nothing":         func(*bench, *Request) {},
		"another γ":       func(_ *bench, r *Request) { r.Subjects[0].Scope = 0.8 },
		"another ω":       func(_ *bench, r *Request) { r.CFG = 3 },
		"another word":    func(_ *bench, r *Request) { r.Subjects[0].Word = Word{Text: "beach"} },
		"another picture": func(b *bench, r *Request) { r.Subjects = []Subject{b.subject("dog", blue)} },
		"another prompt":  func(_ *bench, r *Request) { r.Prompt = "a dog on a beach" },
		"another text":    func(_ *bench, r *Request) { r.Negative = "rain" },
		"exact before":    func(_ *bench, r *Request) { r.From.Trail = Trail{} },
	} {
		b := newBench(t)
		r := b.wide()
		r.Steps, r.Stop, r.Settle, r.Every = 10, 6, 1, 2
		kept := of[StepDone](b.run(r))[2].State // masks have settled, the next step would have no unconditional pass
		r.Subjects = slices.Clone(r.Subjects)
		r.From = &kept
		change(b, &r)
		b.runtime.forget()
		again := of[StepDone](b.run(r))
		stays := name == "nothing" || name == "another γ" || name == "another ω"
		if again[0].Guided == stays {
			t.Errorf("%s: the first step makes masks: %t", name, again[0].Guided)
		}
		if runs := b.runtime.runs("unet"); (runs == 7+3) != stays {
			t.Errorf("%s: %d passes", name, runs)
		}
	}
}

// TestReplayOfApproximations: kept steps say which of them made masks.
func TestReplayOfApproximations(t *testing.T) {
	b := newBench(t)
	r := b.wide()
	r.Steps, r.Stop, r.Rest = 10, 6, 1
	events := b.run(r)
	var kept []KeptStep
	for _, s := range of[StepDone](events) {
		k := KeptStep{Step: s.Step, Clean: s.Clean}
		if s.Guided {
			k.Cross, k.Scores = [][]float32{s.Subjects[0].Cross}, [][]float32{s.Subjects[0].Scores}
		}
		kept = append(kept, k)
	}
	for i, s := range Replay(b.model.manifest, of[PictureReady](events)[0].Recipe, kept) {
		want := of[StepDone](events)[i]
		if s.Guided != want.Guided || s.Guided != slices.Contains([]int{0, 1, 3, 5}, i) || !reflect.DeepEqual(s.Subjects, want.Subjects) {
			t.Errorf("step %d is another one", i)
		}
	}
}

// TestSwiftSettings: what Swift sets is no wish, what was asked for beside it is; what was turned off without it is forgotten.
func TestSwiftSettings(t *testing.T) {
	m := newFakeModel(t).manifest
	for _, wish := range []Settings{
		{Swift: true},
		{Swift: true, Rest: NoShare},
		{Swift: true, Settle: 0.07, Interval: everywhere, Every: 1},
		{Rest: 0.1, Settle: 0.05, Interval: "0.3-4", Every: 3},
	} {
		full := wish.Complete(m)
		if full.Complete(m) != full || full.Wishes(m) != wish {
			t.Errorf("%+v is complete as %+v, which wishes %+v", wish, full, full.Wishes(m))
		}
	}
	if got := (Settings{Swift: true, Every: 1}).Complete(m); got.Rest != swift.Rest || got.Settle != swift.Settle || got.Interval != swift.Interval || got.Every != 1 {
		t.Errorf("swift is %+v", got)
	}
	if got := (Settings{Rest: NoShare, Settle: NoShare, Interval: "0", Every: 1}).Complete(m); got != (Settings{}).Complete(m) {
		t.Errorf("off is %+v", got)
	}
	if got := (Settings{Interval: " 0,280 – 5.420 "}).Complete(m).Interval; got != "0.28-5.42" {
		t.Errorf("the interval is %q", got)
	}
	for _, with := range []Settings{{}, {Swift: true}} {
		for _, key := range Approximations() {
			full := with.Complete(m)
			if full.Approximates(key) != with.Swift {
				t.Errorf("%s of %+v: %t", key, with, !with.Swift)
			}
			off, on := full.Approximating(key, false).Complete(m), full.Approximating(key, false).Approximating(key, true).Complete(m)
			if off.Approximates(key) || !on.Approximates(key) || with.Swift && on != full || rowOf(key).Get(on) != rowOf(key).Get(swift) {
				t.Errorf("%s of %+v: off %+v, on %+v", key, with, off, on)
			}
		}
	}
	rows := map[string]Setting{}
	for _, row := range Table() {
		rows[row.Key] = row
	}
	for _, c := range [][2]string{
		{"cfg_interval", "5.42-0.28"},
		{"cfg_interval", "3"},
		{"cfg_interval", "-1-3"},
		{"cfg_interval", "0.2-x"},
		{"cfg_interval", "NaN-3"},
		{"cfg_interval", "Inf-"},
		{"cfg_interval", "-"},
		{"mask_rest", "1.5"},
		{"mask_rest", "-0.5"},
		{"mask_settle", "NaN"},
		{"uncond_every", "5"},
		{"uncond_every", "-2"},
	} {
		var s Settings
		err := rows[c[0]].Set(&s, c[1])
		if check := rows[c[0]].check; err == nil && check != nil {
			err = check(s, m)
		}
		if err == nil {
			t.Errorf("%s may be %s", c[0], c[1])
		}
	}
	for text, want := range map[string][2]float64{"0.5-": {0.5, math.Inf(1)}, "0-3": {0, 3}, "": {}, "0": {}} {
		if low, high, err := parseInterval(text); low != want[0] || high != want[1] || err != nil {
			t.Errorf("%q is %g to %g, %v", text, low, high, err)
		}
	}
}

// TestSwiftNotes: where nothing can be left out, that is said.
func TestSwiftNotes(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		change func(*Request)
		want   string
	}{
		{func(r *Request) { r.Swift, r.Steps = true, 4 }, "fewer than 8 steps"},
		{func(r *Request) { r.Every, r.Steps = 2, 1 }, "fewer than 8 steps"},
		{func(r *Request) { r.Swift, r.CFG, r.Subjects = true, 1, nil }, "nothing to leave out"},
		{func(r *Request) { r.Every, r.CFG = 2, 1 }, "nothing to leave out"},
		{func(r *Request) { r.Rest, r.Subjects = 0.2, nil }, "nothing to leave out"},
		{func(r *Request) { r.Swift, r.Rest, r.Settle, r.Interval, r.Every = true, NoShare, NoShare, "0", 1 }, "every part of swift is turned off"},
		{func(r *Request) { r.Swift, r.CFG = true, 1 }, ""},
		{func(r *Request) { r.Swift, r.Subjects = true, nil }, ""},
		{func(r *Request) { r.Swift = true }, ""},
		{func(r *Request) { r.Steps = 4 }, ""},
	} {
		r := b.dog()
		c.change(&r)
		said := ""
		for _, n := range b.engine.Notes(r) {
			said += n.Error()
		}
		if c.want == "" && said != "" || !strings.Contains(said, c.want) {
			t.Errorf("it says %q, want %q", said, c.want)
		}
		made, err := b.engine.Resolve(r)
		if err != nil {
			t.Fatal(err)
		}
		if asks := r.Complete(b.model.manifest); c.want != "" && (made.Swift || !made.approximations().exact()) || c.want == "" && made.Swift != asks.Swift {
			t.Errorf("with %q, the recipe is %+v", said, made.Settings)
		}
	}
}
