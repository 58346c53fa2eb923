package network

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"realword/inference/nn"
	"realword/inference/onnx"
	"realword/inference/ort"
	"realword/inference/ort/orttest"
	"realword/inference/random"
	"realword/inference/session"
	"realword/inference/tensor"
)

// drawn is a checkpoint of random weights that keep activations near 1, stored as dtype.
type drawn struct {
	shapes map[string][]int
	dtype  tensor.DType
}

// Shape says that every tensor that was asked for is there.
func (d drawn) Shape(name string) ([]int, tensor.DType, bool) {
	shape, ok := d.shapes[name]
	return shape, d.dtype, ok
}

func (d drawn) Read(name string) (*tensor.Tensor, error) {
	shape := d.shapes[name]
	seed := uint64(14695981039346656037)
	for _, c := range name {
		seed = (seed ^ uint64(c)) * 1099511628211
	}
	t := tensor.Zeros(shape...)
	for i := range t.F32 { // uniform with variance 1
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		t.F32[i] = (float32(seed>>40)/(1<<23) - 1) * math.Sqrt2 * 1.2247449
	}
	scale, shift := float32(0.1), float32(0)
	switch {
	case len(shape) > 1 && (strings.Contains(name, "to_q") || strings.Contains(name, "to_k")): // attention that looks somewhere
		scale = float32(1.2 / math.Sqrt(float64(shape[1])))
	case len(shape) > 1:
		scale = float32(0.8 / math.Sqrt(float64(tensor.Count(shape[1:]))))
	case strings.Contains(name, "norm") && strings.HasSuffix(name, "weight"):
		shift = 1
	}
	for i := range t.F32 {
		t.F32[i] = shift + scale*t.F32[i]
	}
	return t, nil
}

// draw makes the checkpoint that a graph wants, from the problems that it has with an empty one.
func draw(t *testing.T, dtype tensor.DType, graph func(*nn.Store) (*onnx.Model, error)) *nn.Store {
	t.Helper()
	_, err := graph(nn.NewStore(nothing{}, "w"))
	if err == nil {
		t.Fatal("built without weights")
	}
	d := drawn{map[string][]int{}, dtype}
	for _, m := range regexp.MustCompile(`(\S+): missing, wanted shape \[([0-9 ]+)\]`).FindAllStringSubmatch(err.Error(), -1) {
		var shape []int
		for _, f := range strings.Fields(m[2]) {
			size, _ := strconv.Atoi(f)
			shape = append(shape, size)
		}
		d.shapes[m[1]] = shape
	}
	return nn.NewStore(d, "weights.bin")
}

// bench runs models that share a store's weights.
type bench struct {
	rt  session.Runtime
	dir string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	return &bench{orttest.Open(t, ort.Options{Threads: 2, AsIs: true}), t.TempDir()}
}

func (b *bench) open(t *testing.T, name string, m *onnx.Model) session.Session {
	t.Helper()
	s, err := b.tryOpen(name, m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func (b *bench) tryOpen(name string, m *onnx.Model) (session.Session, error) {
	path := filepath.Join(b.dir, name+".onnx")
	if err := os.WriteFile(path, m.Marshal(), 0o644); err != nil {
		return nil, err
	}
	return b.rt.Open(path, session.Options{})
}

// cudaKernels are the operators for which ONNX Runtime's CUDA provider registers a kernel for opset 18 and our types, by its table
// of kernels. A kernel without last version serves the version named only.
var cudaKernels = strings.Fields("Add Cast Concat ConstantOfShape Conv Cos Div Expand EyeLike Gather Identity If InstanceNormalization LayerNormalization " +
	"MatMul Mul Pad Range ReduceMax ReduceMean ReduceSum Reshape Resize Scan ScatterND Shape Sin Slice Softmax Sqrt Squeeze Sub Transpose Unsqueeze " +
	"com.microsoft.BiasSplitGelu com.microsoft.FusedMatMul com.microsoft.Gelu com.microsoft.GroupNorm com.microsoft.MultiHeadAttention " +
	"com.microsoft.NhwcConv com.microsoft.QuickGelu")

// onHost finds the operators of a graph that CUDA does not have. ReduceProd works on shapes, which are on the host anyway.
func onHost(g *onnx.Graph) []string {
	var found []string
	for _, n := range g.Nodes {
		op := strings.TrimPrefix(n.Domain+"."+n.Op, ".")
		if !slices.Contains(cudaKernels, op) && op != "ReduceProd" && !slices.Contains(found, op) {
			found = append(found, op)
		}
		for _, a := range n.Attrs {
			if branch, ok := a.Value.(*onnx.Graph); ok {
				found = append(found, onHost(branch)...)
			}
		}
	}
	return found
}

// network is a graph in all its forms.
type network struct {
	name   string
	graph  func(nn.Target, *nn.Store) (*onnx.Model, error)
	stored tensor.DType
	runs   []map[string]int // values of open dimensions and of integer inputs, one per role
}

// sdLike are U-Nets in the manner of SD-1.5 and SDXL.
func sdLike(xl bool) UNetConfig {
	c := UNetConfig{
		InChannels: 4, OutChannels: 4, BlockOutChannels: []int{16, 24, 32}, LayersPerBlock: PerLevel{1}, NormNumGroups: 8, ActFn: "silu",
		DownBlockTypes: []string{crossDown, crossDown, "DownBlock2D"}, UpBlockTypes: []string{"UpBlock2D", crossUp, crossUp},
		CrossAttentionDim: PerLevel{24}, AttentionHeadDim: PerLevel{2}, FlipSinToCos: true,
	}
	if xl {
		c.DownBlockTypes, c.UpBlockTypes = []string{"DownBlock2D", crossDown, crossDown}, []string{crossUp, crossUp, "UpBlock2D"}
		c.TransformerLayers, c.AttentionHeadDim = PerLevel{1, 1, 2}, PerLevel{1, 3, 4}
		c.AdditionEmbedType, c.AdditionTimeDim, c.ProjectionInputDim = "text_time", 8, 64
	}
	return c
}

// TestCUDAEqualsCPU compares the CUDA graphs, with CUDA's operators lowered to plain ones, with the CPU graphs: the networks are
// one description, and the operators were asked for what they do. It cannot say what CUDA's kernels make of them.
func TestCUDAEqualsCPU(t *testing.T) {
	roles := func(u *UNetConfig) []map[string]int {
		var runs []map[string]int
		for subjects := range 4 {
			runs = append(runs, map[string]int{"subjects": subjects, "words": 0, "want_noise": 1}) // generation, or plain text-to-image
		}
		all := 1<<len(u.AttentionGrids()) - 1
		for words := 1; words <= 3; words++ { // guidance; self_levels says whose self maps count
			runs = append(runs, map[string]int{"subjects": 0, "words": words, "want_noise": 0, "cross_levels": all, "self_levels": (1 + 2*(words-1)) & all})
		}
		return append(runs, map[string]int{"subjects": 2, "words": 2, "want_noise": 1, "cross_levels": 1, "self_levels": 0})
	}
	unet := func(name string, c UNetConfig, stored tensor.DType) network {
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		return network{name, func(target nn.Target, s *nn.Store) (*onnx.Model, error) { return UNetGraphFor(target, c, s) }, stored, roles(&c)}
	}
	wide := sdLike(false) // the width at which CUDA has BiasSplitGelu
	wide.BlockOutChannels, wide.DownBlockTypes, wide.UpBlockTypes = []int{320}, []string{crossDown}, []string{crossUp}
	wide.NormNumGroups, wide.AttentionHeadDim = 32, PerLevel{8}
	odd := sdLike(true) // three channels per group: CUDA has no kernel for that
	odd.BlockOutChannels = []int{24, 24, 24}
	odd.AttentionHeadDim = PerLevel{1, 2, 4}
	vae := VAEConfig{LatentChannels: 4, BlockOutChannels: []int{8, 16}, LayersPerBlock: 1, NormNumGroups: 4}
	if err := vae.Validate(); err != nil {
		t.Fatal(err)
	}
	xl := sdLike(true)
	if err := xl.Validate(); err != nil {
		t.Fatal(err)
	}
	networks := []network{
		unet("SD-1.5", sdLike(false), tensor.F32), unet("SDXL", sdLike(true), tensor.F16),
		unet("320 channels", wide, tensor.F16), unet("odd groups", odd, tensor.F32),
		{"plain", func(target nn.Target, s *nn.Store) (*onnx.Model, error) { return PlainGraph(target, xl, s) }, tensor.F32, []map[string]int{nil}},
		{"naive", func(target nn.Target, s *nn.Store) (*onnx.Model, error) { return NaiveGraph(target, xl, s) }, tensor.F32, []map[string]int{{"subjects": 2}}},
		{"naive guidance", func(target nn.Target, s *nn.Store) (*onnx.Model, error) { return NaiveGuidanceGraph(target, xl, s) }, tensor.F32, []map[string]int{{"words": 2}}},
		{"decoder", func(target nn.Target, s *nn.Store) (*onnx.Model, error) { return DecoderGraphFor(target, vae, s) }, tensor.F32, []map[string]int{nil}},
	}
	for _, n := range networks {
		t.Run(n.name, func(t *testing.T) { n.compare(t) })
	}
}

// TestCUDAWaitsForNothing holds what a pass on a card must not do layer by layer: fetch a condition to the host, or copy rows with ScatterND,
// whose kernel gives every row to one thread.
func TestCUDAWaitsForNothing(t *testing.T) {
	c := sdLike(true)
	c.LayersPerBlock = PerLevel{2}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	store := draw(t, tensor.F16, func(s *nn.Store) (*onnx.Model, error) { return UNetGraph(c, s) })
	m, err := UNetGraphFor(nn.CUDA, c, store)
	if err != nil {
		t.Fatal(err)
	}
	scatters, branches := 0, 0
	var walk func(g *onnx.Graph, depth int)
	walk = func(g *onnx.Graph, depth int) {
		made := map[string]bool{}
		for _, n := range g.Nodes {
			made[n.Outputs[0]] = true
			switch n.Op {
			case "ScatterND":
				scatters++
			case "If":
				branches++
				if depth > 0 && made[n.Inputs[0]] {
					t.Errorf("%s makes its condition in the branch that it lies in", n.Name)
				}
			}
			for _, a := range n.Attrs {
				if inner, ok := a.Value.(*onnx.Graph); ok {
					walk(inner, depth+1)
				}
			}
		}
	}
	walk(&m.Graph, 0)
	if want := 2 * len(c.AttentionGrids()); scatters != want {
		t.Errorf("%d ScatterND in %d branches, wanted %d: two for every grid", scatters, branches, want)
	}
	t.Log(c.CrossAttentionLayers(), "layers,", branches, "branches")
}

var lacksKernel = regexp.MustCompile(`(find an implementation|find kernel) for (com\.microsoft\.)?(NhwcConv|GroupNorm|BiasSplitGelu)\(1\)`)

func (n network) compare(t *testing.T) {
	b := newBench(t)
	store := draw(t, n.stored, func(s *nn.Store) (*onnx.Model, error) { return n.graph(nn.CPU, s) })
	graphs := map[nn.Target]*onnx.Model{}
	var parameters []string
	for _, target := range []nn.Target{nn.CPU, nn.CUDA, nn.CUDAFloat32} {
		m, err := n.graph(target, store)
		if err != nil {
			t.Fatal(err)
		}
		graphs[target] = m
		if target == nn.CPU {
			parameters = store.Used()
		}
	}
	if !slices.Equal(parameters, store.Used()) {
		t.Fatal("the graphs ask for other parameters on CUDA than on the CPU")
	}
	if _, err := store.Write(context.Background(), filepath.Join(b.dir, "weights.bin"), nil); err != nil {
		t.Fatal(err)
	}
	cpu := b.open(t, "cpu", graphs[nn.CPU])
	for _, cuda := range []struct {
		target    nn.Target
		dtype     tensor.DType
		tolerance float64
	}{{nn.CUDAFloat32, tensor.F32, 1e-5}, {nn.CUDA, tensor.F16, 2e-3}} {
		// ONNX Runtime checks inputs, attributes and types before it looks for kernels: none must be all that is wrong.
		if _, err := b.tryOpen("raw", graphs[cuda.target]); err == nil || !lacksKernel.MatchString(err.Error()) {
			t.Errorf("%v: %v, wanted a graph that is right but has no kernels here", cuda.target, err)
		}
		if ops := onHost(&graphs[cuda.target].Graph); len(ops) > 0 {
			t.Errorf("%v: CUDA has no %v", cuda.target, ops)
		}
		plain, used := lowered(graphs[cuda.target], cuda.dtype)
		t.Log(cuda.target, "lowered", used)
		gpu := b.open(t, cuda.target.String(), plain)
		worst := map[string]float64{}
		for i, sizes := range n.runs {
			in := inputs(graphs[nn.CPU], sizes)
			want, err1 := cpu.Run(context.Background(), in)
			got, err2 := gpu.Run(context.Background(), in)
			if err := errors.Join(err1, err2); err != nil {
				t.Fatalf("run %d %v: %v", i, sizes, err)
			}
			for name, w := range want {
				if !slices.Equal(w.Shape, got[name].Shape) {
					t.Fatalf("%v %v: %s has shape %v, wanted %v", cuda.target, sizes, name, got[name].Shape, w.Shape)
				}
				if d := relative(got[name].F32, w.F32); !(d <= worst[name]) {
					worst[name] = d
				}
			}
		}
		for name, d := range worst {
			t.Logf("%v %s: relative L2 %.2g at most, %d runs", cuda.target, name, d, len(n.runs))
			if !(d <= cuda.tolerance) {
				t.Errorf("%v %s: relative L2 %g, wanted at most %g", cuda.target, name, d, cuda.tolerance)
			}
		}
	}
}

// inputs draws a graph's inputs. sizes holds what the role says of open dimensions, and of the integers.
func inputs(m *onnx.Model, sizes map[string]int) map[string]*tensor.Tensor {
	in := map[string]*tensor.Tensor{}
	for i, v := range m.Graph.Inputs {
		shape := slices.Clone(v.Shape)
		for d := range shape {
			if shape[d] >= 0 {
				continue
			}
			switch name := v.Dims[d]; name {
			case "subjects", "words":
				shape[d] = sizes[name]
			case "height", "width":
				shape[d] = map[string]int{"height": 8, "width": 12}[name]
			case "grid_height", "grid_width":
				shape[d] = map[string]int{"grid_height": 4, "grid_width": 6}[name]
			case "text_tokens": // of one chunk, or of two
				shape[d] = 77 * (1 + (sizes["subjects"]+sizes["words"])%2)
			default: // visual tokens, rows of a mask
				shape[d] = 5
			}
		}
		n := tensor.Count(shape)
		switch {
		case strings.HasPrefix(v.Name, "rows_"): // a mask's rows are distinct
			x := make([]int64, n)
			for k := range n / 2 {
				x[2*k], x[2*k+1] = int64(k/5), int64(k%5)
			}
			in[v.Name] = tensor.OfInts(x, shape...)
		case v.DType == tensor.I64:
			x := make([]int64, n)
			for k := range x {
				x[k] = int64(sizes[v.Name] >> k & 1)
			}
			in[v.Name] = tensor.OfInts(x, shape...)
		default:
			in[v.Name] = tensor.Of(random.Normal(uint64(i+1), n), shape...)
			switch v.Name {
			case "timestep":
				in[v.Name].F32[0] = 601
			case "vision_bias": // the last subject of several has fewer tokens
				clear(in[v.Name].F32)
				if shape[0] > 1 {
					in[v.Name].F32[n-1] = -1e9
				}
			case "token_weights": // a word has few tokens
				for k := range in[v.Name].F32 {
					in[v.Name].F32[k] = map[bool]float32{true: 0.5}[k%77 == 3 || k%77 == 5+k/77]
				}
			}
		}
	}
	return in
}

// relative is the relative L2 distance.
func relative(got, want []float32) float64 {
	var diff, norm float64
	for i, w := range want {
		d := float64(got[i]) - float64(w)
		diff += d * d
		norm += float64(w) * float64(w)
	}
	if norm == 0 {
		return diff
	}
	return math.Sqrt(diff / norm)
}
