package inference

import (
	"strings"
	"testing"

	"realword/inference/guidance"
)

// A side that changes nothing, or has values that make the same pictures, is said before anything is made, with what helps.
func TestSidesThatChangeNothing(t *testing.T) {
	b := newBench(t)
	exact := Region{Kind: guidance.Exactly, Painted: Painted{SHA256: strings.Repeat("ab", 32)}}
	only := exact
	only.Kind = guidance.OnlyHere
	axis := func(key string, values ...string) Axis { return Axis{Key: key, Values: values} }
	gammas, stops := axis("scope", "0.1", "0.2", "0.3"), axis("stop", "5", "10", "15")
	one := Reference{Name: "one.png", SHA256: strings.Repeat("cd", 32)}
	copied, other := one, one
	copied.Name, other.SHA256 = "copied.png", strings.Repeat("ef", 32)
	for name, c := range map[string]struct {
		first, second Region // of the masks of two subjects
		change        func(*Request)
		grid          Grid
		want          string
	}{
		"γ by T_stop":                 {grid: Grid{Rows: gammas, Columns: stops}},
		"γ, one mask is painted":      {first: exact, grid: Grid{Rows: gammas, Columns: stops}},
		"T_stop, where it may be":     {first: only, second: only, grid: Grid{Rows: gammas, Columns: stops}},
		"γ of all, painted":           {first: exact, second: exact, grid: Grid{Rows: gammas, Columns: axis("seed", "1", "2")}, want: "the area γ changes nothing where masks are exactly what was painted, so all pictures would be the same: leave that side out"},
		"T_stop, all are painted":     {first: exact, second: exact, grid: Grid{Rows: axis("seed", "1", "2"), Columns: stops}, want: "T_stop changes nothing where masks are exactly what was painted"},
		"mask source, all painted":    {first: exact, second: exact, grid: Grid{Columns: axis("mask_source", "all_cross", "low_cross")}, want: "the mask source changes nothing where masks are exactly what was painted"},
		"γ of the painted one":        {first: exact, grid: Grid{Columns: Axis{Key: "scope", Subject: 1, Values: gammas.Values}}, want: "the area γ changes nothing where masks are exactly"},
		"γ of the other one":          {first: exact, grid: Grid{Columns: Axis{Key: "scope", Subject: 2, Values: gammas.Values}}},
		"T_stop without subjects":     {change: func(r *Request) { r.Subjects = nil }, grid: Grid{Columns: stops}, want: "T_stop acts on the masks of subjects, and there are none: bind a word to a picture"},
		"seeds":                       {first: exact, second: exact, grid: Grid{Columns: axis("seed", "1", "2")}},
		"seeds of 32 bits":            {grid: Grid{Columns: axis("seed", "1", "4294967297", "2")}, want: "the seed 1 and 4294967297 make the same pictures here: leave one out"},
		"rescale without a prompt":    {change: func(r *Request) { r.CFG = 1 }, grid: Grid{Columns: axis("guidance_rescale", "0.2", "0.7")}, want: "the guidance rescale changes nothing here"},
		"rescale":                     {grid: Grid{Columns: axis("guidance_rescale", "0.2", "0.7")}},
		"one value twice":             {grid: Grid{Columns: axis("scope", "0.2", "0.20")}, want: "the area γ 0.2 and 0.20 make the same pictures here: leave one out"},
		"one sampler by two names":    {grid: Grid{Columns: axis("sampler", "ddim", "DDIM", "euler")}, want: "the sampler ddim and DDIM make the same pictures here: leave one out"},
		"a copy of a picture":         {grid: Grid{Columns: Axis{Key: AxisReference, References: []Reference{one, copied}}}, want: "the reference changes nothing here"},
		"a copy among others":         {grid: Grid{Columns: Axis{Key: AxisReference, References: []Reference{one, other, copied}}}, want: "the reference one.png and copied.png make the same pictures here"},
		"presets":                     {grid: Grid{Columns: axis("preset", "paper", "release")}},
		"T_stop before it begins":     {change: func(r *Request) { r.Init = &Init{Strength: 0.2} }, grid: Grid{Columns: stops}, want: "T_stop changes nothing here"},
		"T_stop, some before it":      {change: func(r *Request) { r.Init = &Init{Strength: 0.5} }, grid: Grid{Columns: axis("stop", "5", "10", "15", "20")}, want: "T_stop 5 and 10 make the same pictures here: leave one out"},
		"exact and swift":             {grid: Grid{Columns: axis(AxisSwift, AxisExact, AxisApprox)}},
		"swift of few steps":          {change: func(r *Request) { r.Steps, r.Stop = 4, 2 }, grid: Grid{Columns: axis(AxisSwift, AxisExact, AxisApprox)}, want: "swift changes nothing here"},
		"swift with every part off":   {change: func(r *Request) { r.Swift, r.Rest, r.Settle, r.Interval, r.Every = true, NoShare, NoShare, "0", 1 }, grid: Grid{Columns: axis(AxisSwift, AxisExact, AxisApprox)}, want: "swift changes nothing here"},
		"swift by steps":              {grid: Grid{Rows: axis("steps", "4", "25"), Columns: axis(AxisSwift, AxisExact, AxisApprox)}},
		"one value":                   {first: exact, second: exact, grid: Grid{Rows: axis("seed", "1", "2"), Columns: axis("stop", "5")}},
		"a side that cannot be is no": {grid: Grid{Columns: axis("seed", "x", "1")}},
	} {
		r := b.dog()
		r.Subjects = append(r.Subjects, b.subject("beach", blue))
		r.Steps = 25
		r.Subjects[0].Region, r.Subjects[1].Region = c.first, c.second
		if c.change != nil {
			c.change(&r)
		}
		r.Grid = &c.grid
		got := ""
		if err := r.CheckSides(b.model.manifest); err != nil {
			got = err.Error()
		}
		if (got == "") != (c.want == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	r := b.dog()
	r.Grid, r.CFG = &Grid{Columns: axis("guidance_rescale", "0.2", "0.7")}, 1
	if _, err := b.engine.Resolve(r); err == nil || !strings.Contains(err.Error(), "the guidance rescale changes nothing here") {
		t.Errorf("the engine says %v", err)
	}
}

// Where there is no unconditional pass, or there are subjects, it does not matter what that pass would attend to.
func TestAttentionThatDoesNotAct(t *testing.T) {
	b := newBench(t)
	for name, c := range map[string]struct {
		cfg      float64
		subjects []Subject
		same     bool
	}{
		"text alone":             {cfg: 7},
		"subjects":               {cfg: 7, subjects: b.dog().Subjects, same: true},
		"no unconditional pass":  {cfg: 1, same: true},
		"neither of them at all": {cfg: 1, subjects: b.dog().Subjects, same: true},
	} {
		r := b.dog()
		r.CFG, r.Subjects, r.UncondAttention = c.cfg, c.subjects, PlainAttention
		other := r
		other.UncondAttention = PerturbedAttention
		if m := b.model.Manifest(); (r.effective(m) == other.effective(m)) != c.same {
			t.Errorf("%s: the same is not %v", name, c.same)
		}
		if same := fingerprint(r) == fingerprint(other); same != (len(c.subjects) > 0) {
			t.Errorf("%s: what is taken again is the same: %v", name, same)
		}
	}
}
