package inference

import (
	"context"
	"encoding/json"
	"errors"
	"image/color"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestResolveFillsIn(t *testing.T) {
	b := newBench(t)
	given := b.dog()
	given.Seeds = nil
	before, _ := json.Marshal(given)
	r, err := b.engine.Resolve(given)
	if err != nil {
		t.Fatal(err)
	}
	if after, _ := json.Marshal(given); string(after) != string(before) {
		t.Errorf("the request was changed to %s", after)
	}
	if len(r.Seeds) != 1 || len(r.Subjects[0].References[0].SHA256) != 64 {
		t.Errorf("seeds %v, SHA-256 %q", r.Seeds, r.Subjects[0].References[0].SHA256)
	}
	if again, err := b.engine.Resolve(r); err != nil || !reflect.DeepEqual(again, r) {
		t.Errorf("resolved again (%v):\n%+v\nfirst:\n%+v", err, again, r)
	}
	r.Seeds, r.Subjects = nil, nil
	want := Request{Prompt: given.Prompt, Settings: Settings{Preset: "paper", Width: 16, Height: 16, Steps: 25, Stop: 12, CFG: 7.5, Sampler: "ddim", MaskSource: "low_cross_high_self"}}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("resolved\n%+v\nwant\n%+v", r, want)
	}
}

func TestResolvePresetsAndScope(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Preset = "release"
	r, err := b.engine.Resolve(r)
	if err != nil || r.Sampler != "dpm++" || r.CFG != 3.5 || r.Negative != "ugly" || r.MaskSource != "all_cross" || r.Subjects[0].Scope != 0.25 || r.Subjects[0].Word.Occurrence != 1 {
		t.Errorf("%+v: %v", r, err)
	}
	r = b.dog()
	r.Negative, r.Preset = " ", "release"
	if r, err = b.engine.Resolve(r); err != nil || r.Negative != " " {
		t.Errorf("a blank negative prompt becomes %q: %v", r.Negative, err)
	}
}

func TestStopKeepsThePresetsShareOfTheSteps(t *testing.T) {
	b := newBench(t)
	for steps, want := range map[int]int{1: 1, 2: 1, 10: 5, 25: 12, 50: 24, 100: 48} {
		r := b.dog()
		r.Steps = steps
		if r, err := b.engine.Resolve(r); err != nil || r.Stop != want {
			t.Errorf("T_stop of %d steps is %d, want %d: %v", steps, r.Stop, want, err)
		}
	}
}

func TestBadRequests(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*bench, *Request)
		want   []string // in the message
	}{
		"empty prompt":             {func(_ *bench, r *Request) { r.Prompt = " \n" }, []string{"prompt is empty", "describe"}},
		"a word not in the prompt": {func(b *bench, r *Request) { r.Subjects[0].Word.Text = "cat" }, []string{"cat", "dog", "beach"}},
		"a part of a word":         {func(b *bench, r *Request) { r.Prompt, r.Subjects[0].Word.Text = "a woman", "man" }, []string{"man", "woman"}},
		"no word":                  {func(b *bench, r *Request) { r.Subjects[0].Word.Text = "" }, []string{"word"}},
		"a second that is not":     {func(b *bench, r *Request) { r.Subjects[0].Word.Occurrence = 2 }, []string{"dog"}},
		"a word behind the window": {func(b *bench, r *Request) { r.Prompt = strings.Repeat("very ", 80) + "dog" }, []string{"dog", "75", "shorten"}},
		"one word, two subjects":   {func(b *bench, r *Request) { r.Subjects = append(r.Subjects, b.subject("dog", blue)) }, []string{`"dog"`, "two subjects"}},
		"overlapping words":        {func(b *bench, r *Request) { r.Subjects = append(r.Subjects, b.subject("a dog", blue)) }, []string{`"a dog"`, `"dog"`}},
		"γ below 0":                {func(b *bench, r *Request) { r.Subjects[0].Scope = -.1 }, []string{"γ", "-0.1", `"dog"`, "(0, 1]"}},
		"γ above 1":                {func(b *bench, r *Request) { r.Subjects[0].Scope = 1.01 }, []string{"γ", "1.01"}},
		"γ is not a number":        {func(b *bench, r *Request) { r.Subjects[0].Scope = math.NaN() }, []string{"γ", "NaN"}},
		"γ under one position":     {func(b *bench, r *Request) { r.Subjects[0].Scope = .01 }, []string{"γ", "0.0625"}},
		"Σγ above 1": {func(b *bench, r *Request) {
			r.Subjects[0].Scope = .6
			r.Subjects = append(r.Subjects, b.subject("beach", blue))
			r.Subjects[1].Scope = .5
		}, []string{"1.1", "lower"}},
		"T_stop 0 of a branch":          {func(_ *bench, r *Request) { r.Stop = -1 }, []string{"-1", "1 to 25"}},
		"T_stop above the steps":        {func(_ *bench, r *Request) { r.Stop = 26 }, []string{"26", "1 to 25"}},
		"negative steps":                {func(_ *bench, r *Request) { r.Steps = -3 }, []string{"-3", "1 to 1000"}},
		"more steps than trained":       {func(_ *bench, r *Request) { r.Steps = 1001 }, []string{"1001", "1 to 1000"}},
		"ω below 1":                     {func(_ *bench, r *Request) { r.CFG = .5 }, []string{"ω", "0.5"}},
		"ω is not a number":             {func(_ *bench, r *Request) { r.CFG = math.NaN() }, []string{"ω", "NaN"}},
		"ω without end":                 {func(_ *bench, r *Request) { r.CFG = math.Inf(1) }, []string{"ω", "50"}},
		"a size between multiples":      {func(_ *bench, r *Request) { r.Width = 18 }, []string{"width", "18", "multiple of 4", "20"}},
		"too small":                     {func(_ *bench, r *Request) { r.Height = 4 }, []string{"height", "4", "8 to 64"}},
		"too large":                     {func(_ *bench, r *Request) { r.Height = 1 << 40 }, []string{"height", "8 to 64"}},
		"negative size":                 {func(_ *bench, r *Request) { r.Width, r.Height = -16, -16 }, []string{"width of -16", "height of -16"}},
		"an unknown sampler":            {func(_ *bench, r *Request) { r.Sampler = "ddim-karras" }, []string{"DDIM", "spacing of its own"}},
		"more steps than a sampler has": {func(_ *bench, r *Request) { r.Sampler, r.Steps = "lcm", 60 }, []string{"50 steps at most"}},
		"another unknown sampler":       {func(_ *bench, r *Request) { r.Sampler = "euler-b" }, []string{"euler-b", "ddim", "dpm++"}},
		"no text":                       {func(_ *bench, r *Request) { r.Prompt = "a dog in a caf\xe9" }, []string{`caf\xe9`, "UTF-8"}},
		"an unknown preset":             {func(_ *bench, r *Request) { r.Preset = "best" }, []string{"best", "paper", "release"}},
		"an unknown mask norm":          {func(_ *bench, r *Request) { r.MaskNorm = "mean" }, []string{"mean", "min_max_per_channel"}},
		"two mask norms":                {func(_ *bench, r *Request) { r.MaskNorm, r.RawMask = "min_max_per_channel", true }, []string{"min_max_per_channel", "choose one"}},
		"an unknown mask source":        {func(_ *bench, r *Request) { r.MaskSource = "self" }, []string{"self", "all_cross", "low_cross_high_self"}},
		"a subject without picture":     {func(_ *bench, r *Request) { r.Subjects[0].References = nil }, []string{`"dog"`, "no picture"}},
		"no picture at all":             {func(_ *bench, r *Request) { r.Subjects[0].References[0].Data = nil }, []string{"dog0.png"}},
		"not a picture":                 {func(_ *bench, r *Request) { r.Subjects[0].References[0].Data = []byte("a text file") }, []string{"dog0.png", `"dog"`}},
		"a truncated picture": {func(_ *bench, r *Request) {
			d := r.Subjects[0].References[0].Data
			r.Subjects[0].References[0].Data = d[:len(d)/3]
		}, []string{"dog0.png"}},
		"a square outside": {func(_ *bench, r *Request) { r.Subjects[0].References[0].Square.Crop.Left = 2 }, []string{"dog0.png", "crop"}},
		"everything at once": {func(b *bench, r *Request) {
			*r = Request{Prompt: "a dog", Settings: Settings{Preset: "x", Width: 17, Height: 7, Sampler: "y", MaskSource: "z", CFG: -1, Stop: 99}, Subjects: []Subject{{Word: Word{Text: "cat"}, Scope: 2}}}
		}, []string{`"x"`, "17", "7", `"y"`, `"z"`, "-1", "99", `"cat"`, "γ = 2", "no picture"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			r := b.dog()
			c.change(b, &r)
			_, err := b.engine.Resolve(r)
			if err == nil {
				t.Fatal("the request is accepted")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("the message does not tell %q:\n%v", w, err)
				}
			}
			if _, err := b.engine.Start(t.Context(), r); err == nil {
				t.Error("the engine starts it")
			}
			if len(b.runtime.opened) > 0 {
				t.Error("something ran")
			}
			t.Log(err)
		})
	}
}

func TestStatesThatDoNotFit(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Steps, r.Stop = 4, 2
	steps := of[StepDone](b.run(r))
	for name, c := range map[string]struct {
		kept   int
		change func(*Request)
		want   string
	}{
		"the last step":    {3, func(*Request) {}, "earlier"},
		"another size":     {1, func(r *Request) { r.Width = 32 }, "32 × 16"},
		"other steps":      {1, func(r *Request) { r.Steps = 5 }, "5 steps"},
		"another sampler":  {1, func(r *Request) { r.Sampler = "dpm++" }, "dpm++"},
		"another seed":     {1, func(r *Request) { r.Seeds = []uint64{8} }, "seed 7"},
		"two seeds":        {1, func(r *Request) { r.Seeds = []uint64{7, 7} }, "seed 7"},
		"a subject more":   {2, func(r *Request) { r.Subjects = append(r.Subjects, b.subject("beach", blue)) }, "T_stop above 3"},
		"another model":    {1, func(r *Request) { r.From.Model = "sdxl" }, "sdxl"},
		"damaged scores":   {2, func(r *Request) { r.From.Scores = [][]float32{{1, 2}} }, "16 positions"},
		"a damaged latent": {1, func(r *Request) { r.From.Latent = r.From.Latent[1:] }, "191 values"},
		"a negative step":  {1, func(r *Request) { r.From.Step = -1 }, "earlier"},
	} {
		t.Run(name, func(t *testing.T) {
			bad, state := r, steps[c.kept].State
			bad.Subjects = slices.Clone(r.Subjects)
			bad.From = &state
			c.change(&bad)
			if _, err := b.engine.Resolve(bad); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want something about %q", err, c.want)
			}
		})
	}
	// A subject more is fine where new masks are made, and a branch takes over the seed.
	r.From, r.Stop, r.Seeds = &steps[2].State, 4, nil
	r.Subjects = append(r.Subjects, b.subject("beach", color.White))
	if r, err := b.engine.Resolve(r); err != nil || r.Seeds[0] != 7 {
		t.Errorf("%v, seeds %v", err, r.Seeds)
	}
}

// TestPictureNotes wants a damaged picture to be used, with a word about it, and Resolve to end with its context.
func TestPictureNotes(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	d := r.Subjects[0].References[0].Data
	r.Subjects[0].References[0].Data = d[:len(d)-12] // without its end
	if notes := b.engine.Notes(r); len(notes) > 0 {
		t.Errorf("before it was read: %q", notes)
	}
	if _, err := b.engine.Resolve(r); err != nil {
		t.Fatal(err)
	}
	if notes := b.engine.Notes(r); len(notes) != 1 || !strings.Contains(notes[0].Error(), `the picture "dog0.png": The file is damaged: its end is missing`) {
		t.Errorf("%q", notes)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r.Subjects[0].References[0].Data = d
	if _, err := b.engine.ResolveContext(ctx, r); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestNegativePromptThatNobodyReads is told where the user wrote it, and not where a preset brought it along.
func TestNegativePromptThatNobodyReads(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		change func(*Request)
		told   bool
	}{
		{func(r *Request) { r.Negative, r.CFG = "rain", 1 }, true},
		{func(r *Request) { r.Negative, r.Preset = "rain", "lightning" }, true},
		{func(r *Request) { r.Negative, r.CFG = "rain", 2 }, false},
		{func(r *Request) { r.Negative, r.CFG = " ", 1 }, false},
		{func(r *Request) { r.Preset, r.CFG = "release", 1 }, false},
		{func(r *Request) { r.Preset = "lightning" }, false},
	} {
		r := b.dog()
		c.change(&r)
		notes := b.engine.Notes(r)
		if told := len(notes) == 1 && strings.Contains(notes[0].Error(), "nobody reads the negative prompt"); told != c.told || len(notes) > 1 {
			t.Errorf("%+v: %q", r.Settings, notes)
		}
	}
}
