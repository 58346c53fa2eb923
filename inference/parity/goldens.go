// Package parity compares what a model computes with what it should: golden tensors of PyTorch, and, for a device, the same stage
// on the CPU.
//
// Contract: comparisons are values, one per tensor or stage; an error means that one could not be made. It drives the engine's own
// graphs and loop, so nothing of them is written twice. It runs on the calling goroutine.
package parity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/checkpoint"
	"realword/inference/guidance"
	"realword/inference/picture"
	"realword/inference/prompt"
	"realword/inference/tensor"
)

// What Verify accepts as relative L2 distance: of one network, fp32 arithmetic in another order; of a whole loop, where rounding
// grows over the steps. Masks may pick other cells in at most one of a thousand positions of a step.
const (
	NetworkTolerance = 1e-4
	LoopTolerance    = 1e-3
	maskTolerance    = 1e-3
)

// Check is the comparison of one golden tensor.
type Check struct {
	File      string // golden file
	Tensor    string // "<network>.out.<name>"
	MaxAbs    float64
	RelL2     float64 // of masks: the share of positions that only one of the two has
	Tolerance float64
	Problem   string // why it could not be compared, or ""
}

// OK tells whether the tensor is within its tolerance.
func (c Check) OK() bool { return c.Problem == "" && c.RelL2 <= c.Tolerance }

// String prints the check as one line.
func (c Check) String() string {
	verdict := "ok"
	if !c.OK() {
		verdict = "FAILED"
	}
	if c.Problem != "" {
		return fmt.Sprintf("%-6s %s %s: %s", verdict, filepath.Base(c.File), c.Tensor, c.Problem)
	}
	return fmt.Sprintf("%-6s %s %s: max abs %.2g, relative L2 %.2g (limit %.0e)", verdict, filepath.Base(c.File), c.Tensor, c.MaxAbs, c.RelL2,
		c.Tolerance)
}

// Goldens lists the golden files of path: itself, or the safetensors files of a folder.
func Goldens(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("golden tensors: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	files, err := filepath.Glob(filepath.Join(path, "*.safetensors"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("golden tensors: %s holds no .safetensors files", path)
	}
	return files, nil
}

// Verify runs the networks and the loop of a model against golden files and compares every output tensor: networks
// text, vision, class, unet, guidance-<source>, decoder and encoder, and whole generations (loop, with the request as metadata).
// An error means that a comparison could not be made. It runs on the calling goroutine.
func Verify(ctx context.Context, rt inference.Runtime, m inference.Model, files ...string) (checks []Check, err error) {
	graphs := inference.NewGraphs(rt, m)
	defer func() { err = errors.Join(err, graphs.Close()) }()
	for _, name := range files {
		g := golden{graphs: graphs, tokens: m.Tokenizer, model: m.Manifest(), name: name}
		if err := g.verify(ctx); err != nil {
			return checks, fmt.Errorf("verify against %s: %w", name, err)
		}
		checks = append(checks, g.checks...)
	}
	return checks, nil
}

// golden is one file with the comparisons made of it. The first read error sticks.
type golden struct {
	graphs *inference.Graphs
	tokens func(encoder int) *prompt.Tokenizer
	model  bundle.Manifest
	name   string
	file   *checkpoint.File
	checks []Check
	err    error
}

func (g *golden) verify(ctx context.Context) (err error) {
	if g.file, err = checkpoint.Open(g.name); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.file.Close()) }()
	parts := []struct {
		marker string // the part is there when the file has this tensor
		run    func(context.Context) error
	}{
		{"text.in.input_ids", g.text},
		{"weights.in.input_ids", g.weights},
		{"vision.in.views", g.vision},
		{"class.in.view", g.class},
		{"unet.in.sample", g.unet},
		{"guidance.in.sample", g.guidance},
		{"decoder.in.latent", g.decoder},
		{"encoder.in.picture", g.encoder},
		{"loop.in.latent", g.loop},
	}
	for _, p := range parts {
		if !g.has(p.marker) {
			continue
		}
		if err := errors.Join(p.run(ctx), g.err); err != nil {
			return err
		}
	}
	return nil
}

func (g *golden) has(name string) bool {
	_, ok := g.file.Lookup(name)
	return ok
}

func (g *golden) read(name string) *tensor.Tensor {
	t, err := g.file.Read(name)
	if err != nil {
		g.err = errors.Join(g.err, err)
		return tensor.Zeros(0)
	}
	return t
}

// compare measures how far got is from the golden tensor.
func (g *golden) compare(name string, got *tensor.Tensor, tolerance float64) {
	want := g.read(name)
	c := Check{File: g.name, Tensor: name, Tolerance: tolerance}
	switch {
	case got == nil:
		c.Problem = "the model does not give it"
	case !slices.Equal(got.Shape, want.Shape):
		c.Problem = fmt.Sprintf("shape %v, wanted %v", got.Shape, want.Shape)
	default:
		c.measure(got.F32, want.F32)
	}
	g.checks = append(g.checks, c)
}

func (c *Check) measure(got, want []float32) {
	var diff, norm float64
	for i, w := range want {
		d := float64(got[i]) - float64(w)
		c.MaxAbs = max(c.MaxAbs, math.Abs(d))
		diff += d * d
		norm += float64(w) * float64(w)
	}
	switch {
	case math.IsNaN(diff):
		c.Problem = "the result is not a number"
	case diff > 0:
		c.RelL2 = math.Sqrt(diff / norm)
	}
}

// compareMasks counts the positions that one mask has and the other has not.
func (g *golden) compareMasks(name string, masks [][]float32) {
	want, got := g.read(name), slices.Concat(masks...)
	c := Check{File: g.name, Tensor: name, Tolerance: maskTolerance}
	if len(got) != len(want.F32) {
		c.Problem = fmt.Sprintf("%d positions, wanted shape %v", len(got), want.Shape)
	} else {
		other := 0
		for i, w := range want.F32 {
			if (w != 0) != (got[i] != 0) {
				other++
			}
			c.MaxAbs = max(c.MaxAbs, math.Abs(float64(w-got[i])))
		}
		c.RelL2 = float64(other) / float64(len(got))
	}
	g.checks = append(g.checks, c)
}

// ids returns the token ids [n, 77] of every text encoder.
func (g *golden) ids(name string) []*tensor.Tensor {
	out := []*tensor.Tensor{g.read(name)}
	if g.model.Text.Encoders > 1 {
		out = append(out, g.read(name+"_2"))
	}
	return out
}

func (g *golden) text(ctx context.Context) error {
	var ids [][]int64
	for _, t := range g.ids("text.in.input_ids") {
		ids = append(ids, t.I64)
	}
	features, pooled, err := g.graphs.Features(ctx, ids)
	if err != nil {
		return err
	}
	g.compare("text.out.encoder_hidden_states", features, NetworkTolerance)
	if g.has("text.out.pooled") {
		g.compare("text.out.pooled", pooled, NetworkTolerance)
	}
	return nil
}

// weights reads a prompt with its marks.
func (g *golden) weights(ctx context.Context) error {
	text := g.file.Metadata()["prompt"]
	var read []*prompt.Prompt
	for i, want := range g.ids("weights.in.input_ids") {
		p := g.tokens(i).Read(text, prompt.Reading{Chunks: true})
		if !slices.Equal(p.IDs, want.I64) {
			return fmt.Errorf("the prompt %q is read as %v, wanted %v", text, p.IDs, want.I64)
		}
		read = append(read, p)
	}
	weights := read[0].Weights
	if weights == nil {
		weights = slices.Repeat([]float32{1}, len(read[0].IDs))
	}
	g.compare("weights.in.weights", tensor.Of(weights, 1, len(weights)), NetworkTolerance)
	features, pooled, err := g.graphs.Read(ctx, read)
	if err != nil {
		return err
	}
	g.compare("weights.out.encoder_hidden_states", features, NetworkTolerance)
	if g.has("weights.out.pooled") {
		g.compare("weights.out.pooled", pooled, NetworkTolerance)
	}
	return nil
}

func (g *golden) vision(ctx context.Context) error {
	tokens, err := g.graphs.Vision(ctx, g.read("vision.in.views"))
	if err == nil {
		g.compare("vision.out.tokens", tokens, NetworkTolerance)
	}
	return err
}

func (g *golden) class(ctx context.Context) error {
	token, err := g.graphs.Class(ctx, g.read("class.in.view"))
	if err == nil {
		g.compare("class.out.class", tensor.Of(token, 1, len(token)), NetworkTolerance)
	}
	return err
}

// point reads where a pass happens; network is "unet" or "guidance".
func (g *golden) point(ctx context.Context, network string) (p inference.Point, err error) {
	in := network + ".in."
	p.Latent, p.Timestep = g.read(in+"sample"), g.read(in+"timestep")
	var pooled *tensor.Tensor
	if g.model.Text.Pooled {
		pooled, p.TimeIDs = g.read(in+"text_embeds"), g.read(in+"time_ids")
	}
	features := g.read(in + "encoder_hidden_states")
	if g.err != nil {
		return p, g.err
	}
	p.Text, err = g.graphs.TextKV(ctx, features, pooled)
	return p, err
}

func (g *golden) unet(ctx context.Context) error {
	p, err := g.point(ctx, "unet")
	if err != nil {
		return err
	}
	defer p.Text.KV.Close()
	tokens, bias, masks := g.read("unet.in.vision_tokens"), g.read("unet.in.vision_bias"), g.read("unet.in.masks")
	if g.err != nil {
		return g.err
	}
	vision, err := g.graphs.VisionKV(ctx, tokens, bias)
	if err != nil {
		return err
	}
	defer vision.KV.Close()
	var grids [][]float32
	if masks.Shape[0] > 0 {
		grids = slices.Collect(slices.Chunk(masks.F32, len(masks.F32)/masks.Shape[0]))
	}
	noise, err := g.graphs.Noise(ctx, p, vision, grids)
	if err == nil {
		g.compare("unet.out.noise", noise, NetworkTolerance)
	}
	return err
}

func (g *golden) guidance(ctx context.Context) error {
	p, err := g.point(ctx, "guidance")
	if err != nil {
		return err
	}
	defer p.Text.KV.Close()
	words := g.read("guidance.in.token_weights")
	if g.err != nil {
		return g.err
	}
	none, err := g.graphs.NoVision(ctx)
	if err != nil {
		return err
	}
	defer none.KV.Close()
	for _, source := range guidance.Sources() {
		for _, norm := range []guidance.Normalization{guidance.ByMax, guidance.ByLayer} {
			out := "guidance-" + source.String() + ".out."
			if norm == guidance.ByLayer {
				out = "guidance-" + source.String() + "-" + norm.String() + ".out."
			}
			if !g.has(out + "scores") {
				continue
			}
			cross, scores, err := g.graphs.Guide(ctx, source, norm, p, words, none)
			if err != nil {
				return err
			}
			g.compare(out+"cross", cross, NetworkTolerance)
			g.compare(out+"scores", scores, NetworkTolerance)
		}
	}
	return nil
}

func (g *golden) decoder(ctx context.Context) error {
	pixels, err := g.graphs.Decode(ctx, g.read("decoder.in.latent"))
	if err == nil {
		g.compare("decoder.out.picture", pixels, NetworkTolerance)
	}
	return err
}

func (g *golden) encoder(ctx context.Context) error {
	latent, err := g.graphs.Encode(ctx, g.read("encoder.in.picture"))
	if err == nil {
		g.compare("encoder.out.latent", latent, NetworkTolerance)
	}
	return err
}

// loop runs a whole generation with the golden's own latent, token ids, references and words.
func (g *golden) loop(ctx context.Context) error {
	var r inference.Request
	if err := json.Unmarshal([]byte(g.file.Metadata()["request"]), &r); err != nil {
		return fmt.Errorf("its metadata holds no request: %w", err)
	}
	l := inference.NewLoop(g.graphs, r)
	defer l.Close()
	if err := g.condition(ctx, l, r); err != nil {
		return err
	}
	l.OnStep = func(s inference.Step) error {
		if s.Scores != nil {
			g.compareMasks(fmt.Sprintf("loop.out.mask.%d", s.Index), s.Masks)
		}
		g.compare(fmt.Sprintf("loop.out.latent.%d", s.Index), tensor.Of(s.State.Latent, l.Shape()...), LoopTolerance)
		return nil
	}
	if r.Init != nil {
		latent, err := g.graphs.Encode(ctx, g.read("loop.in.picture"))
		if err != nil {
			return errors.Join(g.err, err)
		}
		l.Init = latent.F32
	}
	start, err := l.Start(0, g.read("loop.in.latent").F32)
	if err != nil {
		return errors.Join(g.err, err)
	}
	if r.Init != nil {
		g.compare("loop.out.start", tensor.Of(start.Latent, l.Shape()...), NetworkTolerance)
	}
	clean, err := l.Run(ctx, start)
	if err != nil {
		return err
	}
	pixels, err := g.graphs.Decode(ctx, clean)
	if err != nil {
		return err
	}
	g.compare("loop.out.x0", clean, LoopTolerance)
	g.compare("loop.out.picture", pixels, LoopTolerance)
	return nil
}

// condition encodes the golden's texts and references for its loop.
func (g *golden) condition(ctx context.Context, l *inference.Loop, r inference.Request) (err error) {
	ids := g.ids("loop.in.tokens")
	l.Words = g.read("loop.in.token_weights")
	owners := g.read("loop.in.subject").I64
	if g.err != nil {
		return g.err
	}
	encode := func(i int) (inference.Encoding, error) { // 0 is the prompt, 1 the negative prompt
		var of [][]int64
		for _, both := range ids {
			n := len(both.I64) / 2
			of = append(of, both.I64[i*n:(i+1)*n])
		}
		return g.graphs.Text(ctx, of)
	}
	if l.Text, err = encode(0); err != nil {
		return err
	}
	uncond, err := encode(1)
	if err != nil {
		return err
	}
	l.Uncond = &uncond

	tokens := make([][]*tensor.Tensor, len(r.Subjects))
	for i, j := range owners {
		if j < 0 || int(j) >= len(tokens) {
			return fmt.Errorf("loop.in.subject[%d] is %d, the request has %d subjects", i, j, len(tokens))
		}
		views, err := picture.Views(g.read(fmt.Sprintf("loop.in.reference.%d", i)))
		if err != nil {
			return errors.Join(g.err, err)
		}
		t, err := g.graphs.Vision(ctx, views)
		if err != nil {
			return err
		}
		tokens[j] = append(tokens[j], t)
	}
	if l.Vision, err = g.graphs.Condition(ctx, tokens); err != nil {
		return err
	}
	if !g.model.Presets[r.Preset].UncondVision {
		return nil
	}
	black, err := g.graphs.Vision(ctx, inference.BlackViews(g.model))
	if err != nil {
		return err
	}
	l.UncondVision, err = g.graphs.BlackVision(ctx, black, len(tokens))
	return err
}
