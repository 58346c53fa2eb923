package inference

import (
	"context"
	"fmt"
	"math"

	"realword/inference/files"
	"realword/inference/graph"
	"realword/inference/message"
	"realword/inference/picture"
)

// Init is a picture that a round begins with, in place of noise alone: what diffusers calls image-to-image. It is scaled until it covers
// the new picture and cut to its middle, encoded, and noised to the level of the step at which the loop begins.
type Init struct {
	Name     string  `json:"name"`             // file name, for people
	SHA256   string  `json:"sha256,omitempty"` // of Data, hex; see Reference
	Strength float64 `json:"strength"`         // the share of the steps that run, in (0, 1]; 0 means DefaultStrength
	Data     []byte  `json:"-"`                // a picture file
	Small    []byte  `json:"-"`                // the picture as a small PNG file, filled in by Engine.Resolve; see picture.Small
}

// DefaultStrength keeps what lies where in the picture and changes what it is.
const DefaultStrength = 0.6

// Begin is the step at which a run begins: 0, or where the strength of Init says, as diffusers counts it. The request is complete.
func (r Request) Begin() int {
	if r.Init == nil {
		return 0
	}
	return r.Steps - min(int(float64(r.Steps)*r.Init.Strength), r.Steps)
}

// withDefaults is a copy that is complete.
func (i *Init) withDefaults() *Init {
	if i == nil {
		return nil
	}
	c := *i
	if c.Strength == 0 {
		c.Strength = DefaultStrength
	}
	return &c
}

// checkInit reads the picture to begin with.
func (p *planner) checkInit() {
	i := p.request.Init
	if i == nil {
		return
	}
	if err := canEncode(p.engine.model); err != nil {
		p.problems = append(p.problems, err)
	}
	switch steps := float64(p.request.Steps); {
	case !(i.Strength > 0 && i.Strength <= 1): // also catches NaN
		p.problem(message.Errorf("the strength %g is outside the range above 0 to 1: 0.3 keeps most of a picture, 0.8 little", i.Strength))
	case p.request.Steps > 0 && p.request.Begin() >= p.request.Steps:
		p.problem(message.Errorf("a strength of %g leaves none of the %d steps: choose at least %g", i.Strength, p.request.Steps, math.Ceil(1e4/steps)/1e4))
	}
	if len(i.Data) == 0 {
		p.problem(message.Errorf("the picture %q to begin with is not here: give its file, or begin with noise", i.Name))
		return
	}
	if i.SHA256 == "" {
		i.SHA256 = files.Sum(i.Data)
	}
	img, _, err := picture.DecodeContext(p.ctx, i.Data, picture.Limits{})
	if err == nil {
		i.Small, err = picture.Small(img, picture.Square{})
	}
	if err != nil {
		p.problem(message.Errorf("the picture %q to begin with: %w", i.Name, err))
	}
}

// readInit brings the picture to begin with to the size of the new one and encodes it.
func (w *worker) readInit(ctx context.Context, l *Loop, r Request) error {
	img, _, err := picture.DecodeContext(ctx, r.Init.Data, picture.Limits{})
	if err != nil {
		return err
	}
	latent, err := w.graphs.Encode(ctx, picture.FromImage(picture.Fill(img, r.Width, r.Height)))
	if err != nil {
		return err
	}
	l.Init = latent.F32
	if !w.engine.large() {
		return nil
	}
	return w.graphs.release(graph.Encoder, graph.TiledEncoder)
}

// Start is the state that a picture begins with: the noise of a seed, or Init noised with it to the level of the step Begin.
func (l *Loop) Start(seed uint64, noise []float32) (State, error) {
	state := State{Step: l.Begin, Seed: seed, Latent: noise}
	if l.Init == nil {
		return state, nil
	}
	if len(l.Init) != len(noise) {
		return state, fmt.Errorf("the picture to begin with has a latent of %d values, the noise has %d: give it the same size", len(l.Init),
			len(noise))
	}
	_, solver, err := solverOf(l.Graphs.model.Manifest(), l.Settings)
	if err != nil {
		return state, err
	}
	state.Latent = solver.Steps()[l.Begin].Noised(l.Init, noise)
	return state, nil
}
