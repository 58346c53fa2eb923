// Package bench measures the parts of making one customized picture, and works out from them what it costs in units of plain
// text-to-image. It can also measure the method exactly as the paper writes it; those graphs it builds over the model's own weights.
//
// Contract: it measures the engine's own loop and graphs, on the calling goroutine. All times are seconds.
package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"realword/inference"
	"realword/inference/graph"
	"realword/inference/guidance"
	"realword/inference/lora"
	"realword/inference/random"
	"realword/inference/tensor"
)

// Measurement is what Measure found.
type Measurement struct {
	Load   []Timing // every graph, opened once
	Stages []Timing // every graph outside of the loop
	Passes []Timing // the U-Net passes Pass…, each measured as often as asked, in turns
	Loops  []Timing // whole loops, LoopPlain and LoopOurs in turns; empty unless asked for

	Ways []Way // of making the picture

	Steps, Stop int  // of the request
	CFG         bool // there is an unconditional pass in every step
}

// Timing is one thing and how long it took, run after run.
type Timing struct {
	Name    string
	Seconds []float64
}

// The passes of a Measurement. Those of the naive way compute text and visual keys and values in the pass, attend to the
// pictures everywhere, and write the maps out; they are there when Options.Naive asks for them.
const (
	PassPlain           = "text-to-image"
	PassGeneration      = "generation branch"
	PassGuidance        = "guidance branch"
	PassUncond          = "unconditional" // where it sees the black picture (release); else it is PassPlain
	PassPlainGraph      = "text-to-image, a graph without roles"
	PassNaiveGeneration = "generation branch, naive"
	PassNaiveGuidance   = "guidance branch, naive"

	PassLoRA = "with LoRA, " // begins the names of the passes with the LoRAs of Options

	LoopPlain = "loop, text-to-image"
	LoopOurs  = "loop, customized"
)

// Min returns the shortest time, 0 when there is none.
func (t Timing) Min() float64 {
	if len(t.Seconds) == 0 {
		return 0
	}
	return slices.Min(t.Seconds)
}

// Find returns the timing of a name; it is empty when there is none.
func Find(list []Timing, name string) Timing {
	i := slices.IndexFunc(list, func(t Timing) bool { return t.Name == name })
	if i < 0 {
		return Timing{Name: name}
	}
	return list[i]
}

// Ratios are the costs of a customized picture in units of plain text-to-image of the same size and number of steps: of the
// fastest passes of every kind, and one for every repetition, where passes that ran side by side are compared.
type Ratios struct {
	Loop, Whole         float64 // of the fastest passes; Whole is with encoders and decoder
	LoopEach, WholeEach []float64
}

// Ratios composes the loops from their passes: 2 passes a step for text-to-image, a third before T_stop for the customized
// picture. The second result is that of the naive way, empty where it was not measured.
func (m Measurement) Ratios() (ours, naive Ratios) {
	words, encoded, keyed := m.stages()
	pictures := encoded + keyed
	at := func(name string, i int) (float64, bool) { // the fastest for i < 0
		t := Find(m.Passes, name)
		switch {
		case i >= len(t.Seconds):
			return 0, false
		case i < 0:
			return t.Min(), len(t.Seconds) > 0
		}
		return t.Seconds[i], true
	}
	steps, stop := float64(m.Steps), float64(m.Stop)
	for i := -1; i < len(Find(m.Passes, PassPlain).Seconds); i++ {
		plain, _ := at(PassPlain, i)
		compose := func(r *Ratios, generation, guided string, before float64) {
			g, ok := at(generation, i)
			d, also := at(guided, i)
			if !ok || !also {
				return
			}
			base, cost := steps*plain, steps*g+stop*d
			if m.CFG {
				uncond, seen := at(PassUncond, i)
				switch {
				case !seen:
					uncond = plain
				case generation == PassNaiveGeneration:
					uncond = g
				}
				base, cost = base+steps*plain, cost+steps*uncond
			}
			loop, whole := cost/base, (cost+words+before)/(base+words)
			if i < 0 {
				r.Loop, r.Whole = loop, whole
				return
			}
			r.LoopEach, r.WholeEach = append(r.LoopEach, loop), append(r.WholeEach, whole)
		}
		compose(&ours, PassGeneration, PassGuidance, pictures)
		compose(&naive, PassNaiveGeneration, PassNaiveGuidance, encoded)
	}
	return ours, naive
}

// stages are what encoding the texts and decoding took, what encoding the pictures, and what making keys and values of these.
func (m Measurement) stages() (words, encoded, keyed float64) {
	sum := func(names ...graph.Name) (sum float64) {
		for _, n := range names {
			for _, s := range Find(m.Stages, string(n)).Seconds {
				sum += s
			}
		}
		return sum
	}
	return sum(graph.Text, graph.TextKV, graph.Decoder), sum(graph.Vision), sum(graph.VisionKV)
}

// Options say how much Measure does.
type Options struct {
	Repeats int            // of every pass and loop, at least 1
	Clock   func() float64 // seconds since some moment, of passes and loops; nil is the time on the wall
	Naive   bool           // measure the naive way, too, and a graph without roles, where the runtime tells where weights lie
	// LoRAs, where there are any, are measured in passes of their own, on graphs of their own. The model takes its memory twice then.
	LoRAs   string
	Library *lora.Library // where they are
	// Loops is asked after the passes whether whole loops shall run, too; nil means no.
	Loops func(Measurement) bool
	Doing func(what string) // told what begins; may be nil
}

// Measure takes the times of one customized picture of a model: opening, encoding, every kind of U-Net pass, decoding. The
// request needs a subject. Errors are those of Engine.Resolve and of the graphs.
func Measure(ctx context.Context, rt inference.Runtime, model inference.Model, r inference.Request, o Options) (m Measurement, err error) {
	if len(r.Subjects) == 0 {
		return m, errors.New("nothing to compare: bind a picture to a word")
	}
	if o.Doing == nil {
		o.Doing = func(string) {}
	}
	if o.Clock == nil {
		began := time.Now()
		o.Clock = func() float64 { return time.Since(began).Seconds() }
	}
	e, graphs := inference.New(rt, model), inference.NewGraphs(rt, model) // the engine prepares; its worker opens nothing
	defer func() { err = errors.Join(err, graphs.Close(), e.Close()) }()
	watch := func(what string, name graph.Name, d time.Duration) {
		switch {
		case what == "open":
			m.Load = add(m.Load, string(name), d.Seconds())
		case name != graph.UNet:
			m.Stages = add(m.Stages, string(name), d.Seconds())
		}
	}
	graphs.Watch = watch
	l, r, err := e.Prepare(ctx, graphs, r, func(s inference.Stage) {
		if s == inference.StageVision {
			s = "references"
		}
		o.Doing(string(s))
	})
	if err != nil {
		return m, err
	}
	defer l.Close()
	m.Steps, m.Stop, m.CFG = r.Steps, r.Stop, r.CFG != 1
	if m.Ways, err = waysOf(ctx, e, l, r); err != nil {
		return m, err
	}
	p := passes{loop: l, noise: random.Normal(r.Seeds[0], tensor.Count(l.Shape()))}
	defer p.close()
	o.Doing("masks")
	if err := p.prepare(ctx, float32(model.Manifest().Schedule.TrainSteps-1)); err != nil {
		return m, err
	}
	if o.Naive {
		o.Doing("load the naive graphs")
		graphs.Watch = nil
		if err := p.addNaive(ctx, rt, model, r.Prompt); err != nil {
			return m, err
		}
		graphs.Watch = watch
		m.Load = append(m.Load, p.plain.opened...)
	}
	if o.LoRAs != "" {
		o.Doing("load with LoRA")
		closeLoRA, err := p.addLoRAs(ctx, rt, model, e, r, o)
		if err != nil {
			return m, err
		}
		defer func() { err = errors.Join(err, closeLoRA()) }()
		m.Ways = append(m.Ways, Way{WayLoRA, m.Ways[0].Counts, true})
	}
	for i := range o.Repeats + 1 { // the first is not counted: it allocates
		o.Doing(fmt.Sprintf("passes, %d of %d", i+1, o.Repeats+1))
		for _, pass := range p.list {
			start := o.Clock()
			if _, err := pass.run(); err != nil {
				return m, err
			}
			if i > 0 {
				m.Passes = add(m.Passes, pass.name, o.Clock()-start)
			}
		}
	}
	o.Doing("decoder")
	if _, err := graphs.Decode(ctx, tensor.Zeros(l.Shape()...)); err != nil {
		return m, err
	}
	graphs.Watch = nil
	if o.Loops == nil || !o.Loops(m) {
		return m, nil
	}
	plain := *l
	plain.Subjects = nil
	for i := range o.Repeats {
		o.Doing(fmt.Sprintf("loops, %d of %d", i+1, o.Repeats))
		for name, loop := range map[string]*inference.Loop{LoopPlain: &plain, LoopOurs: l} {
			start := o.Clock()
			if _, err := loop.Run(ctx, inference.State{Latent: p.noise}); err != nil {
				return m, err
			}
			m.Loops = add(m.Loops, name, o.Clock()-start)
		}
	}
	return m, nil
}

// passes are all kinds of U-Net pass that a loop is made of, at its first step and ready to run.
type passes struct {
	loop  *inference.Loop
	noise []float32
	at    inference.Point
	none  inference.Vision
	masks [][]float32 // where they are nil, prepare takes those of the guidance branch
	list  []pass
	plain *naive // nil unless asked for
}

type pass struct {
	name string
	run  func() (*tensor.Tensor, error)
}

func (p *passes) close() {
	p.none.KV.Close()
	p.plain.close()
}

func (p *passes) prepare(ctx context.Context, timestep float32) (err error) {
	l := p.loop
	if p.none, err = l.Graphs.NoVision(ctx); err != nil {
		return err
	}
	p.at = l.At(p.noise, timestep)
	p.at.Text = l.Text
	guide := func() (scores *tensor.Tensor, err error) {
		_, scores, err = l.Graphs.Guide(ctx, l.Source, l.Norm, p.at, l.Words, p.none)
		return scores, err
	}
	if p.masks == nil {
		scores, err := guide()
		if err != nil {
			return err
		}
		rows := slices.Collect(slices.Chunk(scores.F32, len(scores.F32)/len(l.Subjects)))
		if p.masks, err = guidance.Masks(rows, l.Subjects, l.Norm); err != nil {
			return err
		}
	}
	noise := func(vision inference.Vision, masks [][]float32) func() (*tensor.Tensor, error) {
		return func() (*tensor.Tensor, error) { return l.Graphs.Noise(ctx, p.at, vision, masks) }
	}
	p.list = []pass{
		{PassPlain, noise(p.none, nil)},
		{PassGeneration, noise(l.Vision, p.masks)},
		{PassGuidance, guide},
	}
	if l.UncondVision != nil {
		p.list = append(p.list, pass{PassUncond, noise(*l.UncondVision, p.masks)})
	}
	return nil
}

// addLoRAs adds the passes with LoRAs, until close.
func (p *passes) addLoRAs(ctx context.Context, rt inference.Runtime, model inference.Model, e *inference.Engine, r inference.Request,
	o Options,
) (func() error, error) {
	e.UseLoRAs(o.Library)
	graphs := inference.NewGraphs(rt, model)
	r.LoRAs = o.LoRAs
	l, _, err := e.Prepare(ctx, graphs, r, func(inference.Stage) {})
	if err != nil {
		return nil, errors.Join(err, graphs.Close())
	}
	with := passes{loop: l, noise: p.noise, masks: p.masks}
	if err := with.prepare(ctx, p.at.Timestep.F32[0]); err != nil {
		with.none.KV.Close()
		l.Close()
		return nil, errors.Join(err, graphs.Close())
	}
	for _, one := range with.list {
		p.list = append(p.list, pass{PassLoRA + one.name, one.run})
	}
	return func() error {
		with.none.KV.Close()
		l.Close()
		return graphs.Close()
	}, nil
}

// addNaive adds the passes of the naive way.
func (p *passes) addNaive(ctx context.Context, rt inference.Runtime, model inference.Model, text string) (err error) {
	if p.plain, err = openNaive(rt, model); err != nil {
		return err
	}
	ids := make([][]int64, model.Manifest().Text.Encoders)
	for i := range ids {
		ids[i] = model.Tokenizer(i).Encode(text).IDs
	}
	features, _, err := p.loop.Graphs.Features(ctx, ids)
	if err != nil {
		return err
	}
	seen, _ := inference.Stack(p.loop.Tokens)
	p.list = append(p.list,
		pass{PassPlainGraph, func() (*tensor.Tensor, error) { return p.plain.textToImage(ctx, p.at, features) }},
		pass{PassNaiveGeneration, func() (*tensor.Tensor, error) { return p.plain.generation(ctx, p.at, features, seen, p.masks) }},
		pass{PassNaiveGuidance, func() (*tensor.Tensor, error) {
			_, scores, err := p.plain.guidance(ctx, p.at, features, p.loop.Words)
			return scores, err
		}},
	)
	return nil
}

func add(list []Timing, name string, seconds float64) []Timing {
	i := slices.IndexFunc(list, func(t Timing) bool { return t.Name == name })
	if i < 0 {
		list, i = append(list, Timing{Name: name}), len(list)
	}
	list[i].Seconds = append(list[i].Seconds, seconds)
	return list
}
