package inference

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"realword/inference/bundle"
	"realword/inference/graph"
	"realword/inference/prompt"
	"realword/inference/session"
	"realword/inference/tensor"
)

// fakeModel is a bundle of fakeRuntime's graphs: 16 × 16 pixels, latents of 3 × 8 × 8, a guidance grid of 4 × 4.
type fakeModel struct {
	manifest bundle.Manifest
	words    *prompt.Tokenizer
	second   *prompt.Tokenizer // of the second text encoder; nil: the same
}

func (m *fakeModel) Manifest() bundle.Manifest    { return m.manifest }
func (m *fakeModel) Graph(name graph.Name) string { return m.manifest.Graphs[name] }
func (m *fakeModel) Tokenizer(i int) *prompt.Tokenizer {
	if i == 1 && m.second != nil {
		return m.second
	}
	return m.words
}

func newFakeModel(t *testing.T) *fakeModel {
	t.Helper()
	return &fakeModel{words: fakeTokenizer(t), manifest: bundle.Manifest{
		Schema: bundle.SchemaVersion, Name: "fake", Family: "toybox",
		Latent: bundle.Latent{Channels: 3, Factor: 2, ScalingFactor: 1, RGB: [][3]float64{{.5, 0, 0}, {0, .5, 0}, {0, 0, .5}}, RGBBias: [3]float64{.5, .5, .5}},
		Size:   bundle.Size{Width: 16, Height: 16, Min: 8, Max: 64, Multiple: 4},
		Grid:   2, Attention: []int{2}, Layers: 1,
		Text:     bundle.Text{Tokens: 77, Encoders: 1},
		Vision:   bundle.Vision{Reference: 8, View: 4, Tokens: 2, Width: 5},
		Schedule: bundle.Schedule{TrainSteps: 1000, BetaStart: 0.00085, BetaEnd: 0.012, BetaSchedule: "scaled_linear", PredictionType: "epsilon"},
		Presets: map[string]bundle.Preset{
			"paper":   {Sampler: "ddim", Steps: 25, Stop: 12, CFG: 7.5, Scope: 0.2, MaskSource: "low_cross_high_self"},
			"release": {Sampler: "dpm++", Steps: 25, Stop: 12, CFG: 3.5, Scope: 0.25, MaskSource: "all_cross", Negative: "ugly", Fit: "stretch", UncondVision: true},
		},
		Graphs: map[graph.Name]string{graph.Text: "text", graph.Vision: "vision", graph.UNet: "unet", graph.TextKV: "text_kv", graph.VisionKV: "vision_kv", graph.Decoder: "decoder", graph.Encoder: "encoder"},
	}}
}

// call is one run of a graph. The tensors are those that were passed.
type call struct {
	graph string
	in    map[string]*tensor.Tensor
}

// fakeRuntime computes cheap functions that depend on every input, and keeps what it was asked.
type fakeRuntime struct {
	t     *testing.T
	model *fakeModel
	// before, if not nil, runs at the beginning of every graph run; an error ends the run.
	before func(ctx context.Context, graph string) error
	// spoil, if not nil, may change the outputs of a graph.
	spoil   func(graph string, out map[string]*tensor.Tensor)
	openErr error
	name    string

	running atomic.Bool // some session runs: nothing else may
	mu      sync.Mutex
	calls   []call
	opened  []string
	how     map[string]session.Options // of the graphs that were opened
	closed  []string
}

func (r *fakeRuntime) Describe() string { return "fake" + r.name }

func (r *fakeRuntime) Open(path string, opts session.Options) (session.Session, error) {
	if r.openErr != nil {
		return nil, r.openErr
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opened = append(r.opened, path)
	if r.how == nil {
		r.how = map[string]session.Options{}
	}
	r.how[path] = opts
	return &fakeSession{r, path}, nil
}

// runs counts the runs of graphs whose name begins so.
func (r *fakeRuntime) runs(prefix string) int { return len(r.callsOf(prefix)) }

func (r *fakeRuntime) callsOf(prefix string) []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	var of []call
	for _, c := range r.calls {
		if strings.HasPrefix(c.graph, prefix) {
			of = append(of, c)
		}
	}
	return of
}

func (r *fakeRuntime) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = nil
}

type fakeSession struct {
	runtime *fakeRuntime
	graph   string
}

func (s *fakeSession) Close() error {
	s.runtime.mu.Lock()
	defer s.runtime.mu.Unlock()
	s.runtime.closed = append(s.runtime.closed, s.graph)
	return nil
}

func (s *fakeSession) ports() (in, out []string) {
	return portsOf(&Graphs{model: s.runtime.model}, graph.Name(s.graph))
}

// portsOf returns the names of a graph's inputs and outputs.
func portsOf(g *Graphs, name graph.Name) (in, out []string) {
	m := g.model.Manifest()
	switch name {
	case graph.Text:
		out = []string{"encoder_hidden_states"}
		if m.Text.Pooled {
			out = append(out, "pooled")
		}
		return g.textInputs(), out
	case graph.Vision:
		return []string{"views"}, []string{"tokens"}
	case graph.Class:
		return []string{"view"}, []string{"class"}
	case graph.Decoder:
		return []string{"latent"}, []string{"picture"}
	case graph.TiledDecoder:
		return []string{"latent", "strips"}, []string{"picture"}
	case graph.Encoder:
		return []string{"picture"}, []string{"latent"}
	case graph.TiledEncoder:
		return []string{"picture", "strips"}, []string{"latent"}
	case graph.TextKV:
		return []string{"encoder_hidden_states"}, g.layers("text")
	case graph.VisionKV:
		return []string{"vision_tokens"}, g.layers("vision")
	case graph.UNet:
		step := slices.Concat([]string{"sample", "timestep", "vision_bias"}, g.layers("text"), g.layers("vision"))
		if m.Text.Pooled {
			step = append(step, "text_embeds", "time_ids")
		}
		for _, grid := range m.Attention {
			step = append(step, fmt.Sprintf("rows_%d", grid), fmt.Sprintf("row_weights_%d", grid))
		}
		if len(m.Networks.UNet.PerturbedBlocks) > 0 {
			step = append(step, "perturbed")
		}
		return append(step, layerMaps, "token_weights", "want_noise", "cross_levels", "self_levels"), []string{"noise", "cross", "scores"}
	default:
		panic("there is no graph called " + string(name))
	}
}

func (s *fakeSession) Inputs() []session.Port {
	in, _ := s.ports()
	return named(in)
}

func (s *fakeSession) Outputs() []session.Port {
	_, out := s.ports()
	return named(out)
}

func named(names []string) []session.Port {
	ports := make([]session.Port, len(names))
	for i, n := range names {
		ports[i].Name = n
	}
	return ports
}

func (s *fakeSession) Run(ctx context.Context, in map[string]*tensor.Tensor, outputs ...string) (map[string]*tensor.Tensor, error) {
	r := s.runtime
	if !r.running.CompareAndSwap(false, true) {
		r.t.Error("two sessions run at the same time")
	}
	defer r.running.Store(false)
	want, _ := s.ports()
	if have := slices.Sorted(maps.Keys(in)); !slices.Equal(have, slices.Sorted(slices.Values(want))) {
		r.t.Errorf("%s is run with %v, it has the inputs %v", s.graph, have, want)
	}
	role := s.graph
	if s.graph == "unet" && in["want_noise"].I64[0] == 0 {
		role = "guidance"
	}
	r.mu.Lock()
	r.calls = append(r.calls, call{role, in})
	r.mu.Unlock()
	if r.before != nil {
		if err := r.before(ctx, role); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := s.compute(role, in)
	if r.spoil != nil {
		r.spoil(role, out)
	}
	return out, nil
}

func (s *fakeSession) compute(role string, in map[string]*tensor.Tensor) map[string]*tensor.Tensor {
	m := s.runtime.model.manifest
	switch role {
	case "text":
		out := map[string]*tensor.Tensor{"encoder_hidden_states": tensor.Zeros(1, 77, 5)}
		for i := range out["encoder_hidden_states"].F32 {
			out["encoder_hidden_states"].F32[i] = float32(math.Sin(float64(in["input_ids"].I64[i/5]) + float64(i%5)))
		}
		if m.Text.Pooled {
			out["pooled"] = tensor.Of([]float32{sum(out["encoder_hidden_states"].F32)}, 1, 1)
		}
		return out
	case "text_kv":
		return map[string]*tensor.Tensor{"text_k_0": in["encoder_hidden_states"].Clone(), "text_v_0": in["encoder_hidden_states"].Clone()}
	case "vision_kv":
		t := in["vision_tokens"].Clone() // [R, n, 5] as one head of size 5
		t.Shape = slices.Insert(t.Shape, 1, 1)
		return map[string]*tensor.Tensor{"vision_k_0": t, "vision_v_0": t.Clone()}
	case "vision":
		tokens := tensor.Zeros(1, m.Vision.Tokens, m.Vision.Width)
		for i := range tokens.F32 {
			tokens.F32[i] = sum(in["views"].F32) * float32(i+1)
		}
		return map[string]*tensor.Tensor{"tokens": tokens}
	case "class": // the mean colour
		out, view := tensor.Zeros(1, 3), in["view"].F32
		for c := range 3 {
			out.F32[c] = sum(view[c*len(view)/3:][:len(view)/3]) / float32(len(view)/3)
		}
		return map[string]*tensor.Tensor{"class": out}
	case "decoder":
		z := in["latent"]
		h, w := z.Shape[2]*m.Latent.Factor, z.Shape[3]*m.Latent.Factor
		out := tensor.Zeros(1, 3, h, w)
		for i := range out.F32 {
			out.F32[i] = float32(math.Tanh(float64(z.F32[i%len(z.F32)])))
		}
		return map[string]*tensor.Tensor{"picture": out}
	case "encoder": // the middle of every cell
		x := in["picture"]
		h, w := x.Shape[2]/m.Latent.Factor, x.Shape[3]/m.Latent.Factor
		out := tensor.Zeros(1, 3, h, w)
		for i := range out.F32 {
			c, y, column := i/(h*w), i/w%h, i%w
			out.F32[i] = x.F32[(c*x.Shape[2]+y*m.Latent.Factor+1)*x.Shape[3]+column*m.Latent.Factor+1]
		}
		return map[string]*tensor.Tensor{"latent": out}
	case "unet":
		z := in["sample"]
		bias := 0.01*sum(in["text_k_0"].F32) + in["timestep"].F32[0]/1000
		for j, token := range in["vision_k_0"].F32 {
			bias += token * float32(math.Sin(float64(j))) * 1e-3
		}
		var masked []float32 // rows without weight only fill up
		for i, weight := range in["row_weights_2"].F32 {
			if weight != 0 {
				masked = append(masked, weight+0.01*float32(in["rows_2"].I64[2*i+1]))
			}
		}
		out := tensor.Zeros(z.Shape...)
		for i, v := range z.F32 {
			x := 0.9*float64(v) + 0.3*math.Sin(float64(bias))
			if n := len(masked); n > 0 {
				x += 0.01 * float64(masked[i%n]) * math.Cos(float64(bias))
			}
			out.F32[i] = float32(x)
		}
		return map[string]*tensor.Tensor{"noise": out}
	default:
		z, u := in["sample"], in["token_weights"]
		cell := m.Grid
		gh, gw := z.Shape[2]/cell, z.Shape[3]/cell
		cross, scores := tensor.Zeros(u.Shape[0], gh, gw), tensor.Zeros(u.Shape[0], gh, gw)
		for r := range u.Shape[0] {
			where := float64(0)
			n := u.Shape[1]
			for i, weight := range u.F32[r*n : (r+1)*n] {
				where += float64(weight) * float64(i)
			}
			for p := range gh * gw {
				cross.F32[r*gh*gw+p] = float32(1.5 + math.Sin(where+float64(p)+float64(z.F32[p])))
				scores.F32[r*gh*gw+p] = cross.F32[r*gh*gw+p] * 0.5
			}
		}
		return map[string]*tensor.Tensor{"cross": cross, "scores": scores}
	}
}

func sum(values []float32) float32 {
	total := float32(0)
	for _, v := range values {
		total += v
	}
	return total
}

// aPicture is a small PNG file of one colour.
func aPicture(t *testing.T, c color.Color) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 8, 8))
	for i := range 64 {
		img.Set(i%8, i/8, c)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fakeTokenizer has the 600 words of the golden models.
func fakeTokenizer(t *testing.T) *prompt.Tokenizer {
	t.Helper()
	words, err := prompt.Load(os.DirFS("../assets/golden/data/tiny/tokenizer"))
	if err != nil {
		t.Fatal(err)
	}
	return words
}
