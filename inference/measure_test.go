package inference

import (
	"context"
	"math"
	"testing"
)

// TestRatios composes loops from known passes: 25 steps, the third pass in 12 of them.
func TestRatios(t *testing.T) {
	m := Measurement{Steps: 25, Stop: 12, CFG: true,
		Passes: []Timing{{PassPlain, []float64{2, 1}}, {PassGeneration, []float64{3, 1.1}}, {PassGuidance, []float64{2, 0.9}},
			{PassNaiveGeneration, []float64{4, 1.5}}, {PassNaiveGuidance, []float64{4, 1.2}}},
		Stages: []Timing{{"text", []float64{1, 1}}, {"vision", []float64{5}}, {"decoder", []float64{3}}},
	}
	ours, naive := m.Ratios()
	for what, c := range map[string][2]float64{
		"ours, fastest":  {ours.Loop, (25*1.1 + 25 + 12*0.9) / 50},
		"ours, first":    {ours.LoopEach[0], (25*3 + 25*2 + 12*2) / 100.},
		"ours, whole":    {ours.Whole, (25*1.1 + 25 + 12*0.9 + 10) / (50 + 5)},
		"naive, fastest": {naive.Loop, (25*1.5 + 25 + 12*1.2) / 50},
	} {
		if math.Abs(c[0]-c[1]) > 1e-12 {
			t.Errorf("%s: %g, wanted %g", what, c[0], c[1])
		}
	}
	m.Passes = append(m.Passes, Timing{PassUncond, []float64{3, 1.1}})
	if ours, naive = m.Ratios(); math.Abs(ours.Loop-(50*1.1+12*0.9)/50) > 1e-12 || math.Abs(naive.Loop-(50*1.5+12*1.2)/50) > 1e-12 {
		t.Errorf("with the black picture: %g and %g", ours.Loop, naive.Loop)
	}
}

// TestMeasure runs every pass as often as asked and whole loops beside them.
func TestMeasure(t *testing.T) {
	b := newBench(t)
	r := b.dog()
	r.Steps, r.Stop, r.Preset = 3, 1, "release"
	m, err := Measure(context.Background(), b.runtime, b.model, r, MeasureOptions{Repeats: 2, Naive: true, Loops: func(m Measurement) bool { return len(m.Passes) > 0 }})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{PassPlain, PassGeneration, PassGuidance, PassUncond} {
		if n := len(Find(m.Passes, name).Seconds); n != 2 {
			t.Errorf("%s was measured %d times", name, n)
		}
	}
	// Masks, three rounds of passes, two plain and two customized loops of three steps.
	if n := b.runtime.runs("guidance"); n != 1+3+2 {
		t.Errorf("%d runs of the guidance branch", n)
	}
	if n := b.runtime.runs("unet"); n != 3*3+2*6+2*6 {
		t.Errorf("%d runs of the others", n)
	}
	if len(Find(m.Loops, LoopPlain).Seconds) != 2 || len(Find(m.Loops, LoopOurs).Seconds) != 2 || len(Find(m.Load, "unet").Seconds) != 1 {
		t.Errorf("loops %v, load %v", m.Loops, m.Load)
	}
	r.Subjects = nil
	if _, err := Measure(context.Background(), b.runtime, b.model, r, MeasureOptions{Repeats: 1}); err == nil {
		t.Error("there is nothing to compare without a subject")
	}
}
