package inference

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"realword/inference/bundle"
	"realword/inference/checkpoint"
	"realword/inference/picture"
	"realword/inference/tensor"
)

// What VerifyLoop accepts: masks that pick other cells in at most one of a thousand positions of a step, and latents within
// this relative L2 distance. Rounding grows over the steps, so it is wider than bundle.Tolerance.
const (
	LoopTolerance = 1e-3
	maskTolerance = 1e-3
)

// VerifyLoop runs a whole generation of a model from a golden file (design §4: loop.in.*, loop.out.*, the request as metadata)
// and compares masks, latents and picture. It returns nothing when the file holds no loop. An error means that the comparison
// could not be made. It runs on the calling goroutine.
func VerifyLoop(ctx context.Context, rt Runtime, m Model, golden string) (checks []bundle.Check, err error) {
	f, err := checkpoint.Open(golden)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, ok := f.Lookup("loop.in.latent"); !ok {
		return nil, nil
	}
	var r Request
	if err := json.Unmarshal([]byte(f.Metadata()["request"]), &r); err != nil {
		return nil, fmt.Errorf("verify against %s: its metadata holds no request: %w", golden, err)
	}
	w := &worker{graphs: NewGraphs(rt, m)}
	defer func() { err = errors.Join(err, w.graphs.Close()) }()
	g := loopGolden{file: f, golden: golden}
	l, err := g.loop(ctx, w, r)
	if err != nil {
		return nil, fmt.Errorf("verify against %s: %w", golden, err)
	}
	l.OnStep = func(s Step) error {
		g.step(l, s)
		return nil
	}
	clean, err := l.Run(ctx, State{Latent: g.read("loop.in.latent").F32})
	if err != nil {
		return nil, fmt.Errorf("verify against %s: %w", golden, err)
	}
	pixels, err := w.graphs.Decode(ctx, clean)
	if err != nil {
		return nil, fmt.Errorf("verify against %s: %w", golden, err)
	}
	g.compare("loop.out.x0", clean)
	g.compare("loop.out.picture", pixels)
	return g.checks, g.err
}

// loopGolden reads a golden loop and collects comparisons; the first read error sticks.
type loopGolden struct {
	file   *checkpoint.File
	golden string
	checks []bundle.Check
	err    error
}

func (g *loopGolden) read(name string) *tensor.Tensor {
	t, err := g.file.Read(name)
	if err != nil {
		g.err = errors.Join(g.err, err)
		return tensor.Zeros(0)
	}
	return t
}

// loop puts the golden's own token ids, references and words into a Loop.
func (g *loopGolden) loop(ctx context.Context, w *worker, r Request) (*Loop, error) {
	l := newLoop(w.graphs, r)
	manifest := w.graphs.model.Manifest()
	ids := [][]int64{g.read("loop.in.tokens").I64}
	if manifest.Text.Encoders > 1 {
		ids = append(ids, g.read("loop.in.tokens_2").I64)
	}
	l.Words = g.read("loop.in.token_weights")
	owners := g.read("loop.in.subject").I64
	if g.err != nil {
		return nil, g.err
	}
	half := func(i int) [][]int64 {
		out := make([][]int64, len(ids))
		for e, both := range ids {
			n := len(both) / 2
			out[e] = both[i*n : (i+1)*n]
		}
		return out
	}
	var err error
	if l.Text, err = w.graphs.Text(ctx, half(0)); err != nil {
		return nil, err
	}
	uncond, err := w.graphs.Text(ctx, half(1))
	if err != nil {
		return nil, err
	}
	l.Uncond = &uncond

	tokens := make([][]*tensor.Tensor, len(r.Subjects))
	for i, j := range owners {
		if j < 0 || int(j) >= len(tokens) {
			return nil, fmt.Errorf("loop.in.subject[%d] is %d, the request has %d subjects", i, j, len(tokens))
		}
		views, err := picture.Views(g.read(fmt.Sprintf("loop.in.reference.%d", i)))
		if err != nil {
			return nil, errors.Join(g.err, err)
		}
		t, err := w.graphs.Vision(ctx, views)
		if err != nil {
			return nil, err
		}
		tokens[j] = append(tokens[j], t)
	}
	l.Vision = Stack(tokens)
	if manifest.Presets[r.Preset].UncondVision {
		black, err := w.graphs.Vision(ctx, blackViews(manifest))
		if err != nil {
			return nil, err
		}
		l.UncondVision = blackVision(black, len(tokens))
	}
	return l, nil
}

func (g *loopGolden) step(l *Loop, s Step) {
	if name := fmt.Sprintf("loop.out.mask.%d", s.Index); s.Scores != nil {
		g.compareMasks(name, s.Masks)
	}
	g.compare(fmt.Sprintf("loop.out.latent.%d", s.Index), tensor.Of(s.State.Latent, l.shape()...))
}

func (g *loopGolden) compare(name string, got *tensor.Tensor) {
	g.add(bundle.Compare(name, got, g.read(name), LoopTolerance))
}

func (g *loopGolden) add(c bundle.Check) {
	c.File = g.golden
	g.checks = append(g.checks, c)
}

// compareMasks counts the positions that one mask has and the other has not; RelL2 then is their share.
func (g *loopGolden) compareMasks(name string, masks [][]float32) {
	want := g.read(name)
	got := slices.Concat(masks...)
	c := bundle.Check{Tensor: name, Tolerance: maskTolerance}
	if len(got) != len(want.F32) {
		c.Problem = fmt.Sprintf("%d positions, wanted shape %v", len(got), want.Shape)
		g.add(c)
		return
	}
	other := 0
	for i, v := range want.F32 {
		if (v != 0) != (got[i] != 0) {
			other++
		}
		c.MaxAbs = max(c.MaxAbs, math.Abs(float64(v-got[i])))
	}
	c.RelL2 = float64(other) / float64(len(got))
	g.add(c)
}
