package inference

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"realword/inference/graph"
	"realword/inference/guidance"
	"realword/inference/random"
	"realword/inference/tensor"
)

// Measurement is what Measure found: the cost of one customized picture in parts. All times are seconds.
type Measurement struct {
	Load   []Timing // every graph, opened once
	Stages []Timing // every graph outside of the loop, and "to picture"
	Passes []Timing // the U-Net passes Pass…, each measured as often as asked, in turns
	Loops  []Timing // whole loops, LoopPlain and LoopOurs in turns; empty unless asked for

	Steps, Stop int  // of the request
	CFG         bool // there is an unconditional pass in every step
}

// Timing is one thing and how long it took, run after run.
type Timing struct {
	Name    string
	Seconds []float64
}

// The passes of a Measurement. Those of the naive way compute text and visual keys and values in the pass, attend to the
// pictures everywhere, and write the maps out; they are there when the bundle has the naive graphs.
const (
	PassPlain           = "text-to-image"
	PassGeneration      = "generation branch"
	PassGuidance        = "guidance branch"
	PassUncond          = "unconditional" // where it sees the black picture (release); else it is PassPlain
	PassPlainGraph      = "text-to-image, a graph without roles"
	PassNaiveGeneration = "generation branch, naive"
	PassNaiveGuidance   = "guidance branch, naive"

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
	stages := func(names ...graph.Name) (sum float64) {
		for _, n := range names {
			for _, s := range Find(m.Stages, string(n)).Seconds {
				sum += s
			}
		}
		return sum
	}
	words, pictures := stages(graph.Text, graph.TextKV, graph.Decoder), stages(graph.Vision, graph.VisionKV)
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
		compose(&naive, PassNaiveGeneration, PassNaiveGuidance, stages(graph.Vision))
	}
	return ours, naive
}

// MeasureOptions say how much Measure does.
type MeasureOptions struct {
	Repeats int            // of every pass and loop, at least 1
	Clock   func() float64 // seconds since some moment, of passes and loops; nil is the time on the wall
	Naive   bool           // measure the naive way, too, and a graph without roles, where the bundle has such graphs
	// Loops is asked after the passes whether whole loops shall run, too; nil means no.
	Loops func(Measurement) bool
	Doing func(what string) // told what begins; may be nil
}

// Measure takes the times of one customized picture of a model: opening, encoding, every kind of U-Net pass, decoding. The
// request needs a subject. It runs on the calling goroutine. Errors are those of Resolve and of the graphs.
func Measure(ctx context.Context, rt Runtime, model Model, r Request, o MeasureOptions) (m Measurement, err error) {
	e := New(rt, model) // for its planner; its worker opens nothing
	defer e.Close()
	p, err := e.plan(e.ctx, r)
	if err != nil {
		return m, err
	}
	if len(p.request.Subjects) == 0 {
		return m, errors.New("nothing to compare: bind a picture to a word")
	}
	if o.Doing == nil {
		o.Doing = func(string) {}
	}
	if o.Clock == nil {
		began := time.Now()
		o.Clock = func() float64 { return time.Since(began).Seconds() }
	}
	w := &worker{engine: e, graphs: NewGraphs(rt, model), tokens: lru[look, *tensor.Tensor]{limit: keptTokens}}
	defer func() { err = errors.Join(err, w.graphs.Close()) }()
	m.Steps, m.Stop, m.CFG = p.request.Steps, p.request.Stop, p.request.CFG != 1

	w.graphs.watch = func(what string, name graph.Name, d time.Duration) {
		switch {
		case what == "open":
			m.Load = add(m.Load, string(name), d.Seconds())
		case name != graph.UNet:
			m.Stages = add(m.Stages, string(name), d.Seconds())
		}
	}
	l := newLoop(w.graphs, p.request)
	defer l.Close()
	passes, err := w.passes(ctx, l, p, o)
	if err != nil {
		return m, err
	}
	for i := range o.Repeats + 1 { // the first is not counted: it allocates
		o.Doing(fmt.Sprintf("passes, %d of %d", i+1, o.Repeats+1))
		for _, pass := range passes {
			start := o.Clock()
			if err := pass.run(); err != nil {
				return m, err
			}
			if i > 0 {
				m.Passes = add(m.Passes, pass.name, o.Clock()-start)
			}
		}
	}
	o.Doing("decoder")
	if _, err := w.decode(ctx, tensor.Zeros(l.shape()...)); err != nil {
		return m, err
	}
	w.graphs.watch = nil
	if o.Loops == nil || !o.Loops(m) {
		return m, nil
	}
	plain := *l
	plain.Subjects = nil
	for i := range o.Repeats {
		o.Doing(fmt.Sprintf("loops, %d of %d", i+1, o.Repeats))
		for name, loop := range map[string]*Loop{LoopPlain: &plain, LoopOurs: l} {
			start := o.Clock()
			if _, err := loop.Run(ctx, State{Latent: random.Normal(p.request.Seeds[0], tensor.Count(l.shape()))}); err != nil {
				return m, err
			}
			m.Loops = add(m.Loops, name, o.Clock()-start)
		}
	}
	return m, nil
}

// aPass is one kind of U-Net pass, ready to run.
type aPass struct {
	name string
	run  func() error
}

// passes prepares a loop and every kind of pass that it is made of, at its first step.
func (w *worker) passes(ctx context.Context, l *Loop, p plan, o MeasureOptions) ([]aPass, error) {
	o.Doing("load")
	if err := w.load(ctx, l); err != nil {
		return nil, err
	}
	o.Doing("text")
	if err := w.readText(ctx, l, p.request); err != nil {
		return nil, err
	}
	o.Doing("references")
	if err := w.see(ctx, l, p); err != nil {
		return nil, err
	}
	var err error
	if l.none, err = w.graphs.noVision(ctx); err != nil {
		return nil, err
	}
	solver, err := l.solver(State{Latent: random.Normal(p.request.Seeds[0], tensor.Count(l.shape()))})
	if err != nil {
		return nil, err
	}
	at := l.point(random.Normal(p.request.Seeds[0], tensor.Count(l.shape())), solver.Timesteps()[0])
	at.text = l.Text
	o.Doing("masks")
	_, scores, err := l.guide(ctx, at)
	if err != nil {
		return nil, err
	}
	masks, err := guidance.Masks(scores, l.Subjects, l.Norm)
	if err != nil {
		return nil, err
	}
	pass := func(vision Vision, masks [][]float32) func() error {
		return func() error {
			_, err := w.graphs.noise(ctx, at, vision, masks)
			return err
		}
	}
	list := []aPass{
		{PassPlain, pass(l.none, nil)},
		{PassGeneration, pass(l.Vision, masks)},
		{PassGuidance, func() error { _, _, err := l.guide(ctx, at); return err }},
	}
	if l.UncondVision != nil {
		list = append(list, aPass{PassUncond, pass(*l.UncondVision, masks)})
	}
	if !o.Naive || w.graphs.model.Graph(graph.Plain) == "" || w.graphs.model.Graph(graph.Naive) == "" || w.graphs.model.Graph(graph.NaiveGuidance) == "" {
		return list, nil
	}
	o.Doing("load the naive graphs")
	tokens := make([][]*tensor.Tensor, len(p.request.Subjects))
	for j, s := range p.request.Subjects {
		for _, ref := range s.References {
			t, _ := w.tokens.get(look{ref.SHA256, ref.Square}) // see has just looked at them
			tokens[j] = append(tokens[j], t)
		}
	}
	features, _, err := w.graphs.features(ctx, w.ids(p.request.Prompt))
	if err != nil {
		return nil, err
	}
	seen, _ := stack(tokens)
	return append(list,
		aPass{PassPlainGraph, func() error { _, err := w.graphs.plainNoise(ctx, at, features); return err }},
		aPass{PassNaiveGeneration, func() error { _, err := w.graphs.naiveNoise(ctx, at, features, seen, masks); return err }},
		aPass{PassNaiveGuidance, func() error { _, _, err := w.graphs.naiveGuide(ctx, at, features, l.Words); return err }},
	), nil
}

func add(list []Timing, name string, seconds float64) []Timing {
	i := slices.IndexFunc(list, func(t Timing) bool { return t.Name == name })
	if i < 0 {
		list, i = append(list, Timing{Name: name}), len(list)
	}
	list[i].Seconds = append(list[i].Seconds, seconds)
	return list
}
