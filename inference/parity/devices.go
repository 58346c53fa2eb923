package parity

import (
	"cmp"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"realword/inference"
	"realword/inference/files"
	"realword/inference/guidance"
	"realword/inference/onnx"
	"realword/inference/prompt"
	"realword/inference/random"
	"realword/inference/session"
	"realword/inference/tensor"
)

// DeviceTolerance is what CompareDevices accepts as relative L2 distance. Graphics cards multiply float32 with the precision of
// TF32 (10 bits of mantissa) and halves with as many; a kernel that is wrong is off by far more.
const DeviceTolerance = 2e-2

// WebGPUTolerance is the same for WebGPU, which multiplies float32 as it is: a driver that is right is within 1e-5.
const WebGPUTolerance = 1e-3

// ExactTolerance is the same for OpenVINO in float32, on the same processor: only the order of sums differs.
const ExactTolerance = 1e-4

// tolerance is what is accepted of a device.
func tolerance(device inference.Runtime) float64 {
	if p, ok := device.(session.Placed); ok {
		switch name, _ := p.Provider(); {
		case strings.HasPrefix(name, "WebGPU"):
			return WebGPUTolerance
		case name == "OpenVINO":
			return ExactTolerance
		}
	}
	return DeviceTolerance
}

// halfProducts tells whether a device multiplies in half precision (bf16). Of the small probabilities that scores are made of, it keeps a
// digit; what matters is which positions the masks are made of.
func halfProducts(device inference.Runtime) bool {
	p, ok := device.(session.Placed)
	if !ok {
		return false
	}
	name, _ := p.Provider()
	return strings.HasSuffix(name, "-bf16")
}

// StageComparison is one stage of a generation on a device beside the processor, from the same inputs. Its Tensor is the stage:
// operators, text, vision, guidance (its scores), guidance cross, text-to-image (a pass without subjects), generation or decoder;
// its Problem is why the device has no result.
type StageComparison struct {
	Check
	Device time.Duration // the fastest run, without loading
	CPU    time.Duration
}

// CompareDevices runs every stage of a model on a device and on the processor from the same inputs, repeats times at width ×
// height, and compares results and times. A stage that the device cannot run does not keep the others from running. An
// error means that the processor could not do it. The stage "operators" is a small graph of which the device must run
// every operator itself.
func CompareDevices(ctx context.Context, cpu, device inference.Runtime, m inference.Model, width, height,
	repeats int,
) (list []StageComparison, err error) {
	first, err := compareOperators(ctx, cpu, device)
	if err != nil {
		return nil, err
	}
	list = append(list, first)
	c := &comparison{
		masks: halfProducts(device),
		ctx:   ctx, model: m, cpu: inference.NewGraphs(cpu, m), device: inference.NewGraphs(device, m), repeats: repeats,
		tolerance: tolerance(device),
	}
	defer func() { err = errors.Join(err, c.cpu.Close(), c.device.Close()) }()
	c.stages(width, height)
	return append(list, c.list...), c.err
}

// stages compares every stage at a size in pixels.
func (c *comparison) stages(width, height int) {
	m := c.model
	ids := make([][]int64, m.Manifest().Text.Encoders)
	for i := range ids {
		ids[i] = m.Tokenizer(i).Encode("a dog on the beach").IDs
	}
	views := tensor.Of(random.Normal(1, 5*3*m.Manifest().Vision.View*m.Manifest().Vision.View), 5, 3, m.Manifest().Vision.View,
		m.Manifest().Vision.View)
	for i, v := range views.F32 {
		views.F32[i] = min(max(0.5+0.2*v, 0), 1) // colours
	}
	factor := m.Manifest().Latent.Factor
	latent := tensor.Of(random.Normal(2, m.Manifest().Latent.Channels*height/factor*width/factor), 1, m.Manifest().Latent.Channels,
		height/factor, width/factor)
	cell := factor * m.Manifest().Grid
	mask := make([]float32, (height/cell)*(width/cell))
	for i := range len(mask) / 2 { // the upper half
		mask[i] = 1
	}
	words := tensor.Zeros(1, prompt.Length)
	words.F32[2] = 1

	tokens := c.stage("vision", func(g *inference.Graphs) (*tensor.Tensor, error) { return g.Vision(c.ctx, views) })
	c.stage("text", func(g *inference.Graphs) (*tensor.Tensor, error) {
		features, _, err := g.Features(c.ctx, ids)
		return features, err
	})
	if c.err == nil {
		c.passes(ids, tokens, latent, words, mask)
	}
	c.stage("decoder", func(g *inference.Graphs) (*tensor.Tensor, error) { return g.Decode(c.ctx, latent) })
}

// comparison collects stages. The first error of the processor sticks.
type comparison struct {
	ctx         context.Context
	model       inference.Model
	cpu, device *inference.Graphs
	repeats     int
	tolerance   float64
	masks       bool // of guidance, masks are compared in place of scores
	list        []StageComparison
	err         error
}

// stage runs one stage on both sides and returns what the processor made.
func (c *comparison) stage(name string, run func(g *inference.Graphs) (*tensor.Tensor, error)) *tensor.Tensor {
	if c.err != nil {
		return nil
	}
	s := StageComparison{Check: Check{Tensor: name, Tolerance: c.tolerance}}
	var want, got *tensor.Tensor
	if want, s.CPU, c.err = timed(c.repeats, func() (*tensor.Tensor, error) { return run(c.cpu) }); c.err != nil {
		return nil
	}
	var err error
	if got, s.Device, err = timed(c.repeats, func() (*tensor.Tensor, error) { return run(c.device) }); err != nil {
		if c.err = c.ctx.Err(); c.err != nil {
			return nil
		}
		s.Problem = err.Error()
	} else if s.measure(got.F32, want.F32); c.masks && strings.HasPrefix(name, "guidance") && s.Problem == "" {
		s.RelL2 = differing(got.F32, want.F32)
	}
	c.list = append(c.list, s)
	return want
}

// differing is the share of positions that only one of two masks has, of which each is the highest fifth of its scores.
func differing(got, want []float32) float64 {
	top := func(scores []float32) map[int]bool {
		order := make([]int, len(scores))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
		mask := map[int]bool{}
		for _, i := range order[:len(order)/5] {
			mask[i] = true
		}
		return mask
	}
	a, b := top(got), top(want)
	n := 0
	for i := range want {
		if a[i] != b[i] {
			n++
		}
	}
	return float64(n) / float64(max(1, len(want)))
}

// LargeProducts times what a large model does most, products with constant matrices of SDXL's size, on a device and on the processor.
func LargeProducts(ctx context.Context, cpu, device inference.Runtime) (StageComparison, error) {
	const rows, width, deep = 1024, 640, 2560
	weights := func(name string, in, out int, seed uint64) onnx.Initializer {
		t := tensor.Of(random.Normal(seed, in*out), in, out)
		for i := range t.F32 {
			t.F32[i] /= float32(math.Sqrt(float64(in)))
		}
		return onnx.Initializer{Name: name, DType: tensor.F32, Shape: t.Shape, Data: t}
	}
	m := &onnx.Model{Producer: "realword", Graph: onnx.Graph{
		Name:         "products",
		Initializers: []onnx.Initializer{weights("a", width, deep, 5), weights("b", deep, width, 6)},
		Nodes: []onnx.Node{
			{Op: "MatMul", Inputs: []string{"x", "a"}, Outputs: []string{"h"}},
			{Op: "MatMul", Inputs: []string{"h", "b"}, Outputs: []string{"y"}},
		},
		Inputs:  []onnx.ValueInfo{{Name: "x", DType: tensor.F32, Shape: []int{rows, width}}},
		Outputs: []onnx.ValueInfo{{Name: "y", DType: tensor.F32, Shape: []int{rows, width}}},
	}}
	in := map[string]*tensor.Tensor{"x": tensor.Of(random.Normal(7, rows*width), rows, width)}
	return compareGraph(ctx, cpu, device, "products", m, in, 5)
}

// passes compares a guidance pass and a generation pass with one subject in the upper half of the picture.
func (c *comparison) passes(ids [][]int64, tokens, latent, words *tensor.Tensor, mask []float32) {
	type side struct {
		point  inference.Point
		vision inference.Vision
		none   inference.Vision
		err    error
	}
	sides := map[*inference.Graphs]*side{}
	defer func() {
		for _, s := range sides {
			s.point.Text.KV.Close()
			s.vision.KV.Close()
			s.none.KV.Close()
		}
	}()
	for _, g := range []*inference.Graphs{c.cpu, c.device} {
		s := &side{}
		sides[g] = s
		var err1, err2, err3 error
		l := inference.Loop{Graphs: g}
		l.Width, l.Height = latent.Shape[3]*c.model.Manifest().Latent.Factor, latent.Shape[2]*c.model.Manifest().Latent.Factor
		s.point = l.At(latent.F32, float32(c.model.Manifest().Schedule.TrainSteps/2))
		s.point.Text, err1 = g.Text(c.ctx, ids)
		s.vision, err2 = g.Condition(c.ctx, [][]*tensor.Tensor{{tokens}})
		s.none, err3 = g.NoVision(c.ctx)
		s.err = errors.Join(err1, err2, err3)
	}
	if c.err = sides[c.cpu].err; c.err != nil {
		return
	}
	stage := func(name string, run func(*inference.Graphs, *side) (*tensor.Tensor, error)) {
		c.stage(name, func(g *inference.Graphs) (*tensor.Tensor, error) {
			if err := sides[g].err; err != nil {
				return nil, err
			}
			return run(g, sides[g])
		})
	}
	guide := func(g *inference.Graphs, s *side) (cross, scores *tensor.Tensor, err error) {
		return g.Guide(c.ctx, guidance.LowCrossHighSelf, guidance.ByMax, s.point, words, s.none)
	}
	stage("guidance", func(g *inference.Graphs, s *side) (*tensor.Tensor, error) {
		_, scores, err := guide(g, s)
		return scores, err
	})
	stage("guidance cross", func(g *inference.Graphs, s *side) (*tensor.Tensor, error) {
		cross, _, err := guide(g, s)
		return cross, err
	})
	stage("text-to-image", func(g *inference.Graphs, s *side) (*tensor.Tensor, error) {
		return g.Noise(c.ctx, s.point, s.none, nil)
	})
	stage("generation", func(g *inference.Graphs, s *side) (*tensor.Tensor, error) {
		return g.Noise(c.ctx, s.point, s.vision, [][]float32{mask})
	})
}

// timed runs f and returns its last result with the time of the fastest run. A first run, which may load, plan and choose
// kernels, does not count.
func timed[T any](repeats int, f func() (T, error)) (out T, best time.Duration, err error) {
	if out, err = f(); err != nil {
		return out, 0, err
	}
	best = math.MaxInt64
	for range max(1, repeats) {
		start := time.Now()
		if out, err = f(); err != nil {
			return out, 0, err
		}
		best = min(best, time.Since(start))
	}
	return out, best, nil
}

// compareOperators runs convolution, activation, attention and products in a graph of fixed shapes, of which no operator may
// be left to the processor.
func compareOperators(ctx context.Context, cpu, device inference.Runtime) (StageComparison, error) {
	in := map[string]*tensor.Tensor{
		"x": tensor.Of(random.Normal(3, 64*16*16), 1, 64, 16, 16),
		"w": tensor.Of(random.Normal(4, 64*64*9), 64, 64, 3, 3),
	}
	for i := range in["w"].F32 {
		in["w"].F32[i] /= 24 // the root of what is summed, so that the result is of the size of x
	}
	return compareGraph(ctx, cpu, device, "operators", operators(), in, 3)
}

// compareGraph runs a graph with one output y, of which no operator may be left to the processor.
func compareGraph(ctx context.Context, cpu, device inference.Runtime, name string, m *onnx.Model, in map[string]*tensor.Tensor,
	repeats int,
) (StageComparison, error) {
	s := StageComparison{Check: Check{Tensor: name, Tolerance: tolerance(device)}}
	dir, remove, err := files.Scratch("device")
	if err != nil {
		return s, err
	}
	defer remove()
	path := filepath.Join(dir, name+".onnx")
	if err := os.WriteFile(path, m.Marshal(), 0o600); err != nil {
		return s, err
	}
	run := func(rt inference.Runtime, strict bool) (out *tensor.Tensor, took time.Duration, err error) {
		g, err := rt.Open(path, session.Options{Once: true, Strict: strict})
		if err != nil {
			return nil, 0, err
		}
		defer func() { err = errors.Join(err, g.Close()) }()
		return timed(repeats, func() (*tensor.Tensor, error) {
			all, err := g.Run(ctx, in)
			return all["y"], err
		})
	}
	want, took, err := run(cpu, false)
	if err != nil {
		return s, err
	}
	s.CPU = took
	got, took, err := run(device, true)
	s.Device = took
	switch {
	case ctx.Err() != nil:
		return s, ctx.Err()
	case err != nil:
		s.Problem = err.Error()
	default:
		s.measure(got.F32, want.F32)
	}
	return s, nil
}

// operators is y = softmax(h·hᵀ/16)·h with h = SiLU(w ∗ x) read as 64 rows of 256.
func operators() *onnx.Model {
	ints := func(name string, values ...int64) onnx.Initializer {
		return onnx.Initializer{Name: name, DType: tensor.I64, Shape: []int{len(values)}, Data: tensor.OfInts(values, len(values))}
	}
	return &onnx.Model{Producer: "realword", Graph: onnx.Graph{
		Name: "operators",
		Initializers: []onnx.Initializer{
			ints("rows", 1, 64, 256),
			{Name: "scale", DType: tensor.F32, Shape: []int{1}, Data: tensor.Of([]float32{1. / 16}, 1)},
		},
		Nodes: []onnx.Node{
			{Op: "Conv", Inputs: []string{"x", "w"}, Outputs: []string{"c"}, Attrs: []onnx.Attr{{Name: "pads", Value: []int{1, 1, 1, 1}}}},
			{Op: "Sigmoid", Inputs: []string{"c"}, Outputs: []string{"s"}},
			{Op: "Mul", Inputs: []string{"c", "s"}, Outputs: []string{"a"}},
			{Op: "Reshape", Inputs: []string{"a", "rows"}, Outputs: []string{"h"}},
			{Op: "Transpose", Inputs: []string{"h"}, Outputs: []string{"t"}, Attrs: []onnx.Attr{{Name: "perm", Value: []int{0, 2, 1}}}},
			{Op: "MatMul", Inputs: []string{"h", "t"}, Outputs: []string{"l"}},
			{Op: "Mul", Inputs: []string{"l", "scale"}, Outputs: []string{"m"}},
			{Op: "Softmax", Inputs: []string{"m"}, Outputs: []string{"p"}, Attrs: []onnx.Attr{{Name: "axis", Value: -1}}},
			{Op: "MatMul", Inputs: []string{"p", "h"}, Outputs: []string{"y"}},
		},
		Inputs: []onnx.ValueInfo{
			{Name: "x", DType: tensor.F32, Shape: []int{1, 64, 16, 16}},
			{Name: "w", DType: tensor.F32, Shape: []int{64, 64, 3, 3}},
		},
		Outputs: []onnx.ValueInfo{{Name: "y", DType: tensor.F32, Shape: []int{1, 64, 256}}},
	}}
}
