package bench

import (
	"context"
	"errors"
	"slices"
	"time"

	"realword/inference"
	"realword/inference/graph"
	"realword/inference/guidance"
	"realword/inference/random"
	"realword/inference/tensor"
)

// Rounds are the passes of one customized picture, each of which can be run whenever it is its turn, so that devices are measured side
// by side. On every device they compute from the same noise, with the same positions in the masks; what was encoded is the device's
// own. Close it. It belongs to one goroutine.
type Rounds struct {
	Opened []Timing // every graph that was opened
	Ways   []Way    // of making the picture
	Steps  int      // of the request
	CFG    bool     // plain text-to-image has two passes in every step
	passes passes
	engine *inference.Engine
	graphs *inference.Graphs
	decode func() (*tensor.Tensor, error)
}

// PassDecoder is the last of Rounds' passes.
const PassDecoder = "decoder"

// NewRounds encodes the words and pictures of a request. Errors are those of Measure.
func NewRounds(ctx context.Context, rt inference.Runtime, model inference.Model, r inference.Request) (*Rounds, error) {
	if len(r.Subjects) == 0 {
		return nil, errors.New("nothing to compare: bind a picture to a word")
	}
	m := &Rounds{engine: inference.New(rt, model), graphs: inference.NewGraphs(rt, model)}
	m.graphs.Watch = func(what string, name graph.Name, d time.Duration) {
		if what == "open" {
			m.Opened = add(m.Opened, string(name), d.Seconds())
		}
	}
	err := m.prepare(ctx, model, r)
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

func (m *Rounds) prepare(ctx context.Context, model inference.Model, r inference.Request) error {
	l, r, err := m.engine.Prepare(ctx, m.graphs, r, func(inference.Stage) {})
	if err != nil {
		return err
	}
	m.Steps, m.CFG = r.Steps, r.CFG != 1
	if m.Ways, err = waysOf(ctx, m.engine, l, r); err != nil {
		return err
	}
	m.passes = passes{loop: l, noise: random.Normal(r.Seeds[0], tensor.Count(l.Shape()))}
	shape := l.Shape()
	grid := model.Manifest().Grid
	cells := shape[2] / grid * (shape[3] / grid)
	// Masks of as many positions as the real ones, the same on every device, where a score that is nearly another's decides nothing.
	scores := make([][]float32, len(l.Subjects))
	for j := range scores {
		scores[j] = make([]float32, cells)
		for i := range scores[j] {
			scores[j][i] = float32((i + j*cells/len(scores)) % cells)
		}
	}
	if m.passes.masks, err = guidance.Masks(scores, l.Subjects, l.Norm); err != nil {
		return err
	}
	if err := m.passes.prepare(ctx, float32(model.Manifest().Schedule.TrainSteps-1)); err != nil {
		return err
	}
	latent := tensor.Of(m.passes.noise, shape...)
	m.decode = func() (*tensor.Tensor, error) { return m.graphs.Decode(ctx, latent) }
	return nil
}

// Close gives everything back.
func (m *Rounds) Close() error {
	if m.passes.loop != nil {
		m.passes.close()
		m.passes.loop.Close()
	}
	return errors.Join(m.graphs.Close(), m.engine.Close())
}

// Names are the passes in the order of a round.
func (m *Rounds) Names() (names []string) {
	for _, p := range m.passes.list {
		names = append(names, p.name)
	}
	return append(names, PassDecoder)
}

// Run runs the pass of a name and returns what it computed: noise, the scores of all subjects, or colours.
func (m *Rounds) Run(name string) ([]float32, error) {
	run := m.decode
	if i := slices.IndexFunc(m.passes.list, func(p pass) bool { return p.name == name }); i >= 0 {
		run = m.passes.list[i].run
	}
	out, err := run()
	if err != nil {
		return nil, err
	}
	return out.F32, nil
}
