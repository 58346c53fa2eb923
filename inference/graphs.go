package inference

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/graph"
	"realword/inference/guidance"
	"realword/inference/keep"
	"realword/inference/message"
	"realword/inference/network"
	"realword/inference/prompt"
	"realword/inference/session"
	"realword/inference/tensor"
)

// Model is an opened bundle as far as the loop needs it. Its methods may be called from any goroutine.
type Model interface {
	Manifest() bundle.Manifest
	// Graph returns the path of a graph file, "" for a graph that the bundle does not have.
	Graph(name graph.Name) string
	// Tokenizer returns the tokenizer of text encoder i, 0 or 1.
	Tokenizer(i int) *prompt.Tokenizer
}

// Graphs runs the networks of one model over tensors: no queue, no pictures, no files. It opens a graph at its first use
// and keeps it until Close. A Graphs belongs to one goroutine.
type Graphs struct {
	runtime Runtime
	model   Model
	open    map[graph.Name]session.Session
	adapted *Adapted     // nil: the model as it is
	store   *keep.Folder // of what the image encoders have said; nil: none

	compiles func() bool // tells whether the runtime compiles the U-Net for the processor, which runs the autoencoder itself

	Watch func(what string, name graph.Name, took time.Duration) // told of every "open" and "run"; may be nil
}

// NewGraphs returns the networks of a model on a runtime. Nothing is opened yet.
func NewGraphs(rt Runtime, m Model) *Graphs {
	g := &Graphs{runtime: rt, model: m, open: map[graph.Name]session.Session{}}
	g.compiles = sync.OnceValue(func() bool { // once, because the runtime reads the graph for the answer
		_, ok := g.compiled(true)[graph.UNet]
		return ok
	})
	return g
}

// Close closes every graph that was opened. Using g afterwards opens them again.
func (g *Graphs) Close() error {
	var errs []error
	for _, s := range g.open {
		errs = append(errs, s.Close())
	}
	clear(g.open)
	return errors.Join(errs...)
}

// tensors are graph inputs or outputs by name.
type tensors = map[string]*tensor.Tensor

// KV are keys and values of every cross-attention layer: <of>_k_<i>, <of>_v_<i>. They are computed once and read in every pass,
// so they stay with the device where the runtime can keep them: at SDXL size the visual ones are a gigabyte per subject.
type KV struct {
	tensors tensors // where the runtime cannot
	kept    map[string]session.Value
}

// Close frees what the device keeps. Closing twice is harmless.
func (kv KV) Close() { session.CloseAll(kv.kept) }

// Encoding is a prompt as the U-Net reads it. What depends on it alone is computed once, not in every pass. Its KV must be
// closed.
type Encoding struct {
	KV     KV             // of text
	Tokens int            // n: 77 for every chunk
	Pooled *tensor.Tensor // [1, P]; nil where the U-Net has no text_time input

	of string // the text, where the engine encoded it
}

// Vision is the visual condition of R subjects, likewise.
type Vision struct {
	KV   KV             // of vision
	Bias *tensor.Tensor // [R, n], added to the attention logits: 0 for a token, -1e9 for padding
}

// Point is where a U-Net pass happens: a latent at a timestep, under a text.
type Point struct {
	Latent   *tensor.Tensor // [1, C, h, w]
	Timestep *tensor.Tensor // [1]
	TimeIDs  *tensor.Tensor // [1, 6]; sent where Text has Pooled
	Text     Encoding

	Perturbed bool // self-attention of the model's perturbed blocks looks nowhere; see network.UNetGraph
}

func (p Point) inputs() tensors {
	in := tensors{"sample": p.Latent, "timestep": p.Timestep}
	maps.Copy(in, p.Text.KV.tensors)
	if p.Text.Pooled != nil {
		in["text_embeds"], in["time_ids"] = p.Text.Pooled, p.TimeIDs
	}
	return in
}

// Text encodes token ids, one list of 77 per text encoder.
func (g *Graphs) Text(ctx context.Context, ids [][]int64) (Encoding, error) {
	features, pooled, err := g.Features(ctx, ids)
	if err != nil {
		return Encoding{}, err
	}
	return g.TextKV(ctx, features, pooled)
}

// Features runs the text encoders: [1, 77, C] and, where the model has it, the pooled text [1, P].
func (g *Graphs) Features(ctx context.Context, ids [][]int64) (features, pooled *tensor.Tensor, err error) {
	in := tensors{}
	for i, name := range g.textInputs() {
		in[name] = tensor.OfInts(ids[i], 1, len(ids[i]))
	}
	out, err := g.run(ctx, graph.Text, in, g.textOutputs()...)
	return out["encoder_hidden_states"], out["pooled"], err
}

// TextKV computes the keys and values of text features [1, n, C]; n is 77, or for models that can 77 for every chunk.
func (g *Graphs) TextKV(ctx context.Context, features, pooled *tensor.Tensor) (Encoding, error) {
	var want []session.Port
	n := features.Shape[1]
	for _, name := range g.layers("text") {
		want = append(want, port(name, 1, n, -1))
	}
	kv, err := g.keep(ctx, graph.TextKV, tensors{"encoder_hidden_states": features}, want...)
	return Encoding{KV: kv, Tokens: n, Pooled: pooled}, err
}

// Condition makes the condition of R subjects from the visual tokens [1, n, C] of each one's pictures.
func (g *Graphs) Condition(ctx context.Context, subjects [][]*tensor.Tensor) (Vision, error) {
	tokens, bias := Stack(subjects)
	return g.VisionKV(ctx, tokens, bias)
}

// VisionKV computes the visual keys and values of tokens [R, n, C]; bias is as in Vision.
func (g *Graphs) VisionKV(ctx context.Context, tokens, bias *tensor.Tensor) (Vision, error) {
	var want []session.Port
	for _, name := range g.layers("vision") {
		want = append(want, port(name, tokens.Shape[0], -1, -1, -1))
	}
	kv, err := g.keep(ctx, graph.VisionKV, tensors{"vision_tokens": tokens}, want...)
	return Vision{kv, bias}, err
}

// layers names the keys and values of all cross-attention layers of text or vision.
func (g *Graphs) layers(of string) []string {
	var names []string
	for i := range g.model.Manifest().Layers {
		names = append(names, fmt.Sprintf("%s_k_%d", of, i), fmt.Sprintf("%s_v_%d", of, i))
	}
	return names
}

// Vision encodes the views of one reference [5, 3, V, V] into visual tokens [1, n, C].
func (g *Graphs) Vision(ctx context.Context, views *tensor.Tensor) (*tensor.Tensor, error) {
	out, err := g.run(ctx, graph.Vision, tensors{"views": views}, port("tokens", 1, -1, g.model.Manifest().Vision.Width))
	return out["tokens"], err
}

// kept is what an encoder says of views: what the store has of it, or what run computes. What it is kept under names everything that
// decides it: what the encoder sees, its weights, the runtime, the processor.
func (g *Graphs) kept(name graph.Name, views *tensor.Tensor, run func() (*tensor.Tensor, error)) (*tensor.Tensor, error) {
	if g.store == nil || len(g.adapted.of(name)) > 0 {
		return run()
	}
	seen := make([]byte, 4*len(views.F32))
	if err := tensor.EncodeFloats(seen, views.F32, tensor.F32); err != nil {
		return nil, err
	}
	m, sum := g.model.Manifest(), files.Sum(seen)
	key := func() string {
		return fmt.Sprintln(name, sum, views.Shape, m.VisionSum(name), g.runtime.Describe(), keep.Machine())
	}
	if t := g.store.Get(key()); t != nil {
		return t, nil
	}
	t, err := run()
	if err == nil {
		_ = g.store.Put(key(), t) // of the runtime as it is now; without room it is computed again another time
	}
	return t, err
}

// Class is the class token [D] of one view [1, 3, V, V] of a picture: what the encoder says of it as a whole. A model without it is an
// error that says what to do.
func (g *Graphs) Class(ctx context.Context, view *tensor.Tensor) ([]float32, error) {
	out, err := g.run(ctx, graph.Class, tensors{"view": view}, port("class", 1, -1))
	if err != nil {
		return nil, err
	}
	return out["class"].F32, nil
}

// Decode turns a clean latent [1, C, h, w] into a picture [1, 3, H, W] in -1..1, unclipped.
func (g *Graphs) Decode(ctx context.Context, latent *tensor.Tensor) (*tensor.Tensor, error) {
	f := g.model.Manifest().Latent.Factor
	name, in := g.decoder(latent.Shape[2], latent.Shape[3]), tensors{"latent": latent}
	if name == graph.TiledDecoder {
		in["strips"] = strips(latent.Shape[2], latent.Shape[3])
	}
	out, err := g.run(ctx, name, in, port("picture", 1, 3, latent.Shape[2]*f, latent.Shape[3]*f))
	return out["picture"], err
}

// Encode turns a picture [1, 3, H, W] in -1..1 into its latent [1, C, h, w], as the loop has it: the mean of what the encoder says. Both
// sides are multiples of the latent's factor. A model without an encoder is an error that says what to do.
func (g *Graphs) Encode(ctx context.Context, picture *tensor.Tensor) (*tensor.Tensor, error) {
	if err := canEncode(g.model); err != nil {
		return nil, err
	}
	m := g.model.Manifest().Latent
	h, w := picture.Shape[2]/m.Factor, picture.Shape[3]/m.Factor
	name, in := g.encoder(h, w), tensors{"picture": picture}
	if name == graph.TiledEncoder {
		in["strips"] = strips(h, w)
	}
	out, err := g.run(ctx, name, in, port("latent", 1, m.Channels, h, w))
	return out["latent"], err
}

// canEncode says why a model cannot read a picture.
func canEncode(m Model) error {
	if m.Graph(graph.Encoder) == "" {
		return message.Errorf("the model %s has no encoder, so no picture can begin with another one: import the model again", m.Manifest().Name)
	}
	return nil
}

// strips is the input of tiled graphs.
func strips(h, w int) *tensor.Tensor {
	return tensor.OfInts([]int64{int64(network.Strips(h, w))}, 1)
}

// decoder says which graph decodes a latent of h × w cells.
func (g *Graphs) decoder(h, w int) graph.Name {
	return g.tiled(graph.Decoder, graph.TiledDecoder, h, w)
}

// encoder says which graph makes such a latent.
func (g *Graphs) encoder(h, w int) graph.Name {
	return g.tiled(graph.Encoder, graph.TiledEncoder, h, w)
}

// onCard tells whether the runtime computes on anything but the processor now.
func (g *Graphs) onCard() bool {
	p, ok := g.runtime.(session.Placed)
	if !ok {
		return false
	}
	name, _ := p.Provider()
	return name != "CPU"
}

func (g *Graphs) tiled(whole, tiled graph.Name, h, w int) graph.Name {
	if g.onCard() && !g.compiles() {
		return whole // strips wait for each other, which a graphics card does not like
	}
	if g.model.Graph(tiled) == "" || !network.Tiled(h, w) {
		return whole
	}
	return tiled
}

// Guide runs the guidance branch: text alone, reduced inside the graph to one map per subject, of maps that are normalised layer by
// layer where norm says so. words is [R, n] of the n tokens of the text; none is the condition without subjects.
func (g *Graphs) Guide(ctx context.Context, source guidance.Source, norm guidance.Normalization, p Point, words *tensor.Tensor,
	none Vision,
) (cross, scores *tensor.Tensor, err error) {
	grids := len(g.model.Manifest().Attention)
	cross01, self01 := source.Levels(grids)
	layers := int64(0)
	if norm == guidance.ByLayer {
		layers = 1
	}
	in, kept := g.passInputs(p, none, nil, tensors{
		"token_weights": words, "want_noise": tensor.OfInts([]int64{0}, 1), "cross_levels": tensor.OfInts(cross01, grids),
		"self_levels": tensor.OfInts(self01, grids),
		layerMaps:     tensor.OfInts([]int64{layers}, 1),
	})
	h, w := g.gridOf(p.Latent)
	shape := []int{words.Shape[0], h, w}
	out, err := g.runKept(ctx, graph.UNet, in, kept, port("cross", shape...), port("scores", shape...))
	return out["cross"], out["scores"], err
}

// Noise runs one denoising pass under a text and, where vision has subjects, under their masks on the guidance grid.
func (g *Graphs) Noise(ctx context.Context, p Point, vision Vision, masks [][]float32) (*tensor.Tensor, error) {
	grids := len(g.model.Manifest().Attention)
	none := tensor.OfInts(make([]int64, grids), grids)
	in, kept := g.passInputs(p, vision, masks, tensors{
		"token_weights": tensor.Zeros(0, p.Text.Tokens), "want_noise": tensor.OfInts([]int64{1}, 1), "cross_levels": none, "self_levels": none,
		layerMaps: tensor.OfInts([]int64{0}, 1),
	})
	out, err := g.runKept(ctx, graph.UNet, in, kept, port("noise", p.Latent.Shape...))
	return out["noise"], err
}

// layerMaps is the input that has the map of every layer normalised; manifests say whether there is one.
const layerMaps = "layer_maps"

// passInputs are the inputs of a U-Net pass: those that every role shares, and those that make the role.
func (g *Graphs) passInputs(p Point, vision Vision, masks [][]float32, role tensors) (tensors, map[string]session.Value) {
	in := p.inputs()
	maps.Copy(in, role)
	maps.Copy(in, vision.KV.tensors)
	kept := map[string]session.Value{}
	maps.Copy(kept, p.Text.KV.kept)
	maps.Copy(kept, vision.KV.kept)
	in["vision_bias"] = vision.Bias
	m := g.model.Manifest()
	if len(m.Networks.UNet.PerturbedBlocks) > 0 {
		perturbed := int64(0)
		if p.Perturbed {
			perturbed = 1
		}
		in["perturbed"] = tensor.OfInts([]int64{perturbed}, 1)
	}
	h, w := g.gridOf(p.Latent)
	for _, grid := range m.Attention {
		factor, multiple := grid/m.Grid, 1
		if g.onCard() {
			// The runtime plans its memory, and some cards' kernels, by shape, and masks change step by step: eight plans must do.
			multiple = max(1, (w/factor)*(h/factor)/8)
		}
		index, weight := guidance.Rows(masks, w, h, factor, multiple)
		r, t := len(masks), 1
		if r > 0 {
			t = len(weight) / r
		}
		in[fmt.Sprintf("rows_%d", grid)] = tensor.OfInts(index, r, t, 2)
		in[fmt.Sprintf("row_weights_%d", grid)] = tensor.Of(weight, r, t, 1)
	}
	return in, kept
}

// grid returns the size of the guidance grid of a picture.
func (g *Graphs) grid(height, width int) (h, w int) {
	m := g.model.Manifest()
	cell := m.Latent.Factor * m.Grid
	return height / cell, width / cell
}

// gridOf is grid for the picture of a latent [1, C, h, w].
func (g *Graphs) gridOf(latent *tensor.Tensor) (h, w int) {
	cells := g.model.Manifest().Grid
	return latent.Shape[2] / cells, latent.Shape[3] / cells
}

// NoVision is the condition of a pass without subjects.
func (g *Graphs) NoVision(ctx context.Context) (Vision, error) {
	return g.VisionKV(ctx, tensor.Zeros(0, 1, g.model.Manifest().Vision.Width), tensor.Zeros(0, 1))
}

func (g *Graphs) textOutputs() []session.Port {
	out := []session.Port{port("encoder_hidden_states", 1, prompt.Length, -1)}
	if g.model.Manifest().Text.Pooled {
		out = append(out, port("pooled", 1, -1))
	}
	return out
}

func (g *Graphs) textInputs() []string {
	return []string{"input_ids", "input_ids_2"}[:g.model.Manifest().Text.Encoders]
}

func port(name string, shape ...int) session.Port { return session.Port{Name: name, Shape: shape} }

// options are those that a graph is opened with, but for its LoRAs.
func (g *Graphs) options(name graph.Name) session.Options {
	return session.Options{
		Once:  name.Once(),
		Heavy: name.Heavy(),
		CUDA:  g.model.Graph(name.CUDA()),

		Outside: g.model.Manifest().Outside(),
		Moved:   g.model.Manifest().Moved(),
	}
}

// load opens a graph unless it is open.
func (g *Graphs) load(name graph.Name) (session.Session, error) {
	if s, ok := g.open[name]; ok {
		return s, nil
	}
	path := g.model.Graph(name)
	if path == "" {
		return nil, message.Errorf("the model %s has no %s graph: import the model again", g.model.Manifest().Name, name)
	}
	defer g.timed("open", name, time.Now())
	opts := g.options(name)
	opts.Changes = g.adapted.of(name)
	s, err := g.runtime.Open(path, opts)
	if err != nil {
		return nil, message.Errorf("open the %s graph: %w", name, err)
	}
	g.open[name] = s
	return s, nil
}

// ready loads a graph and checks that it has the inputs and outputs that it is about to be run with.
func (g *Graphs) ready(name graph.Name, in tensors, kept map[string]session.Value, want []session.Port) (session.Session, error) {
	s, err := g.load(name)
	if err != nil {
		return nil, err
	}
	inputs := slices.AppendSeq(slices.Sorted(maps.Keys(in)), maps.Keys(kept))
	path := g.model.Graph(name)
	return s, errors.Join(session.CheckPorts("the inputs of "+path, s.Inputs(), inputs...),
		session.CheckPorts("the outputs of "+path, s.Outputs(), portNames(want)...))
}

// release closes graphs; those that are not open stay so. Their next use opens them again.
func (g *Graphs) release(names ...graph.Name) error {
	var errs []error
	for _, name := range names {
		if s, ok := g.open[name]; ok {
			errs = append(errs, s.Close())
			delete(g.open, name)
		}
	}
	return errors.Join(errs...)
}

func (g *Graphs) timed(what string, name graph.Name, since time.Time) {
	if g.Watch != nil {
		g.Watch(what, name, time.Since(since))
	}
}

// run executes a graph and checks the shapes of what comes back, so that a damaged bundle is an error here and not a
// wrong index later. A -1 in a wanted shape fits any length.
func (g *Graphs) run(ctx context.Context, name graph.Name, in tensors, want ...session.Port) (tensors, error) {
	return g.runKept(ctx, name, in, nil, want...)
}

// runKept is run with some inputs kept by the device.
func (g *Graphs) runKept(ctx context.Context, name graph.Name, in tensors, kept map[string]session.Value,
	want ...session.Port,
) (tensors, error) {
	s, err := g.ready(name, in, kept, want)
	if err != nil {
		return nil, err
	}
	var out tensors
	start := time.Now()
	in = g.withAdapted(name, in)
	if k, ok := s.(session.Keeper); ok {
		out, err = k.RunKept(ctx, in, kept, portNames(want)...)
	} else {
		out, err = s.Run(ctx, in, portNames(want)...)
	}
	g.timed("run", name, start)
	if err != nil {
		return nil, message.Errorf("run the %s graph: %w", name, err)
	}
	for _, w := range want {
		if t := out[w.Name]; t == nil || !fits(t.Shape, w) || len(t.F32) != tensor.Count(t.Shape) {
			return nil, misshapen(name, w)
		}
		if w.Name != "scores" && tensor.NotFiniteFloat(out[w.Name].F32) >= 0 { // a black picture; of scores guidance.Masks says whose they are
			return nil, message.Errorf("the %s graph gave numbers that are not finite: the model overflowed, use another precision or device", name)
		}
	}
	return out, nil
}

// keep is run whose outputs stay with the device where the runtime can keep them.
func (g *Graphs) keep(ctx context.Context, name graph.Name, in tensors, want ...session.Port) (KV, error) {
	s, err := g.ready(name, in, nil, want)
	if err != nil {
		return KV{}, err
	}
	k, ok := s.(session.Keeper)
	if !ok {
		out, err := g.run(ctx, name, in, want...)
		return KV{tensors: out}, err
	}
	start := time.Now()
	kept, err := k.Keep(ctx, g.withAdapted(name, in), portNames(want)...)
	g.timed("run", name, start)
	if err != nil {
		return KV{}, message.Errorf("run the %s graph: %w", name, err)
	}
	for _, w := range want {
		if v := kept[w.Name]; v == nil || !fits(v.Shape(), w) {
			session.CloseAll(kept)
			return KV{}, misshapen(name, w)
		}
	}
	return KV{kept: kept}, nil
}

func portNames(ports []session.Port) []string {
	names := make([]string, len(ports))
	for i, p := range ports {
		names[i] = p.Name
	}
	return names
}

func fits(shape []int, want session.Port) bool {
	return slices.EqualFunc(shape, want.Shape, func(have, want int) bool { return want == -1 || have == want })
}

func misshapen(name graph.Name, want session.Port) error {
	return message.Errorf("the %s graph gave %s with another shape than %v: the model is damaged, import it again", name, want.Name, want.Shape)
}
