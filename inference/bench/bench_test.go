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
	"realword/inference/lora"
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
	loras := lora.NewLibrary(t.TempDir())
	m, err := Measure(t.Context(), c, b, r, Options{
		Repeats: 2, Naive: true, LoRAs: "<lora:" + loras.Name("../../assets/golden/data/loras/tiny-kohya.safetensors") + ":1>", Library: loras, Loops: func(m Measurement) bool { return len(m.Passes) > 0 },
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
	// Masks, three rounds of passes without and with LoRA, two plain and two customized loops of three steps.
	if n := c.runs["guidance"]; n != 1+2*3+2 {
		t.Errorf("%d runs of the guidance branch", n)
	}
	if n := c.runs["unet.onnx"]; n != 2*3*3+2*6+2*6 {
		t.Errorf("%d runs of the others", n)
	}
	if n := c.runs["naive-cpu.onnx"]; n != 3 {
		t.Errorf("%d runs of the naive generation branch", n)
	}
	if len(Find(m.Loops, LoopPlain).Seconds) != 2 || len(Find(m.Loops, LoopOurs).Seconds) != 2 || len(Find(m.Load, "unet").Seconds) != 1 || len(Find(m.Load, "naive_guidance").Seconds) != 1 || len(Find(m.Stages, "text").Seconds) != 2 {
		t.Errorf("loops %v, load %v, stages %v", m.Loops, m.Load, m.Stages)
	}
	if want := []string{"load", "text", "references", "masks", "load the naive graphs", "load with LoRA", "passes, 1 of 3"}; !slices.Equal(said[:7], want) {
		t.Errorf("it said %q", said)
	}
	var names []string
	for _, w := range m.Ways {
		names = append(names, w.Name)
		if c, ok := m.Costs(w); !ok || c.Loop <= 0 || c.Whole <= c.Known || c.Known <= 0 {
			t.Errorf("%s costs %+v, %v", w.Name, c, ok)
		}
	}
	if want := []string{WayExact, WaySwift, "8 steps (lcm)", "4 steps (lightning)", WayLoRA}; !slices.Equal(names, want) {
		t.Errorf("ways %q, wanted %q", names, want)
	}
	if n := m.Ways[2].Counts; n != (inference.Counts{Guidance: 4, Generation: 8}) {
		t.Errorf("8 steps have the passes %+v", n)
	}
	if c, _ := m.Costs(m.Ways[0]); math.Abs(c.Loop-ours(m)) > 1e-9 {
		t.Errorf("exact costs %g in one table and %g in the other", c.Loop, ours(m))
	}
	r.Subjects = nil
	if _, err := Measure(t.Context(), c, b, r, Options{Repeats: 1}); err == nil {
		t.Error("there is nothing to compare without a subject")
	}
}

func ours(m Measurement) float64 {
	r, _ := m.Ratios()
	return r.Loop
}

// TestCost: a way costs its passes, those with a LoRA where it has one; what was not measured costs nothing that can be said.
func TestCost(t *testing.T) {
	m := Measurement{
		Steps: 25, CFG: true,
		Passes: []Timing{
			{PassPlain, []float64{2, 1}},
			{PassGeneration, []float64{1.1}},
			{PassGuidance, []float64{0.9}},
			{PassLoRA + PassPlain, []float64{1.05}},
			{PassLoRA + PassGeneration, []float64{1.2}},
			{PassLoRA + PassGuidance, []float64{1}},
		},
		Stages: []Timing{{"text", []float64{2, 3}}, {"vision", []float64{10}}, {"vision_kv", []float64{1}}, {"decoder", []float64{5}}},
	}
	for _, c := range []struct {
		way  Way
		want Costs
	}{
		{Way{Counts: inference.Counts{Guidance: 12, Generation: 25, Uncond: 25}}, Costs{63.3 / 50, (63.3 + 21) / 60, (63.3 + 11) / 60}},
		{Way{Counts: inference.Counts{Guidance: 7, Generation: 25, Uncond: 11}}, Costs{44.8 / 50, (44.8 + 21) / 60, (44.8 + 11) / 60}},
		{Way{Counts: inference.Counts{Guidance: 4, Generation: 8}}, Costs{12.4 / 50, (12.4 + 21) / 60, (12.4 + 11) / 60}},
		{Way{Counts: inference.Counts{Guidance: 12, Generation: 25, Uncond: 25}, LoRA: true}, Costs{68.25 / 50, (68.25 + 21) / 60, (68.25 + 11) / 60}},
	} {
		got, ok := m.Costs(c.way)
		if d := max(math.Abs(got.Loop-c.want.Loop), math.Abs(got.Whole-c.want.Whole), math.Abs(got.Known-c.want.Known)); !ok || d > 1e-12 {
			t.Errorf("%+v costs %+v, wanted %+v", c.way, got, c.want)
		}
	}
	m.Passes = m.Passes[:2]
	if _, ok := m.Costs(Way{Counts: inference.Counts{Guidance: 1, Generation: 1}}); ok {
		t.Error("a pass that was not measured has a cost")
	}
}
