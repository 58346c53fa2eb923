package bench

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/ort"
	"realword/inference/ort/orttest"
	"realword/inference/session"
	"realword/inference/tensor"
)

// TestRatios composes loops from known passes: 25 steps, the third pass in 12 of them.
func TestRatios(t *testing.T) {
	m := Measurement{
		Steps: 25, Stop: 12, CFG: true,
		Passes: []Timing{
			{PassPlain, []float64{2, 1}},
			{PassGeneration, []float64{3, 1.1}},
			{PassGuidance, []float64{2, 0.9}},
			{PassNaiveGeneration, []float64{4, 1.5}},
			{PassNaiveGuidance, []float64{4, 1.2}},
		},
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
	if got, want := m.LoopOf(inference.Counts{Generation: 25, Guidance: 7, Uncond: 11}), (25*1.1+7*0.9+11)/50; math.Abs(got-want) > 1e-12 {
		t.Errorf("swift: %g, wanted %g", got, want)
	}
	m.Passes = append(m.Passes, Timing{PassUncond, []float64{3, 1.1}})
	if ours, naive = m.Ratios(); math.Abs(ours.Loop-(50*1.1+12*0.9)/50) > 1e-12 || math.Abs(naive.Loop-(50*1.5+12*1.2)/50) > 1e-12 {
		t.Errorf("with the black picture: %g and %g", ours.Loop, naive.Loop)
	}
}

// counting counts the runs of graphs, the guidance branch apart from the other roles.
type counting struct {
	*ort.Runtime
	runs map[string]int
}

func (c counting) Open(path string, o session.Options) (session.Session, error) {
	s, err := c.Runtime.Open(path, o)
	return counted{s, filepath.Base(path), c.runs}, err
}

type counted struct {
	session.Session
	name string
	runs map[string]int
}

func (c counted) Run(ctx context.Context, in map[string]*tensor.Tensor, outputs ...string) (map[string]*tensor.Tensor, error) {
	if want := in["want_noise"]; want != nil && want.I64[0] == 0 {
		c.name = "guidance"
	}
	c.runs[c.name]++
	return c.Session.Run(ctx, in, outputs...)
}

// TestMeasure runs every pass as often as asked, the naive ones too, and whole loops beside them.
func TestMeasure(t *testing.T) {
	rt := orttest.CPU(t)
	b, err := bundle.Import(t.Context(), "../../assets/golden/data/tiny", filepath.Join(t.TempDir(), "tiny"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var dog bytes.Buffer
	if err := png.Encode(&dog, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	r := inference.Request{
		Prompt: "a dog on the beach", Settings: inference.Settings{Preset: "release", Steps: 3, Stop: 1}, Seeds: []uint64{7},
		Subjects: []inference.Subject{{Word: inference.Word{Text: "dog"}, References: []inference.Reference{{Name: "dog.png", Data: dog.Bytes()}}}},
	}
	c := counting{rt, map[string]int{}}
	var said []string
	m, err := Measure(t.Context(), c, b, r, Options{
		Repeats: 2, Naive: true, Loops: func(m Measurement) bool { return len(m.Passes) > 0 },
		Doing: func(what string) { said = append(said, what) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{PassPlain, PassGeneration, PassGuidance, PassUncond, PassPlainGraph, PassNaiveGeneration, PassNaiveGuidance} {
		if n := len(Find(m.Passes, name).Seconds); n != 2 {
			t.Errorf("%s was measured %d times", name, n)
		}
	}
	// Masks, three rounds of passes, two plain and two customized loops of three steps.
	if n := c.runs["guidance"]; n != 1+3+2 {
		t.Errorf("%d runs of the guidance branch", n)
	}
	if n := c.runs["unet.onnx"]; n != 3*3+2*6+2*6 {
		t.Errorf("%d runs of the others", n)
	}
	if n := c.runs["naive-cpu.onnx"]; n != 3 {
		t.Errorf("%d runs of the naive generation branch", n)
	}
	if len(Find(m.Loops, LoopPlain).Seconds) != 2 || len(Find(m.Loops, LoopOurs).Seconds) != 2 || len(Find(m.Load, "unet").Seconds) != 1 || len(Find(m.Load, "naive_guidance").Seconds) != 1 || len(Find(m.Stages, "text").Seconds) != 2 {
		t.Errorf("loops %v, load %v, stages %v", m.Loops, m.Load, m.Stages)
	}
	if m.Swift != (inference.Counts{Guidance: 1, Generation: 3, Uncond: 3}) { // too few steps to leave anything out
		t.Errorf("swift has %+v", m.Swift)
	}
	if want := []string{"load", "text", "references", "masks", "load the naive graphs", "passes, 1 of 3"}; !slices.Equal(said[:6], want) {
		t.Errorf("it said %q", said)
	}
	r.Subjects = nil
	if _, err := Measure(t.Context(), c, b, r, Options{Repeats: 1}); err == nil {
		t.Error("there is nothing to compare without a subject")
	}
}
