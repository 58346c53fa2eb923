package inference

import (
	"context"
	"math"
	"slices"

	"realword/inference/bundle"
	"realword/inference/guidance"
	"realword/inference/random"
	"realword/inference/schedule"
	"realword/inference/tensor"
)

// Loop is the dual-branch loop of one picture over tensors alone (RealCustom++, arXiv 2408.09744, Section III): what the
// engine runs for every seed, and what a comparison with golden tensors runs from a given latent. It can run again and
// again and does not change its tensors. Like its Graphs it belongs to one goroutine.
type Loop struct {
	Graphs *Graphs
	Settings

	Text   Encoding  // of the prompt
	Uncond *Encoding // of the negative prompt; nil leaves out the unconditional pass, which is exact for ω = 1

	Subjects     []guidance.Subject     // R of them; none is plain text-to-image
	Words        *tensor.Tensor         // [R, ids of the prompt], 1 at the tokens of a subject's word; unused without subjects
	Vision       Vision                 // of the references, R of them; unused without subjects
	Tokens       [][]*tensor.Tensor     // what Vision was made of where the engine did: visual tokens [1, n, C] of every subject's pictures
	UncondVision *Vision                // of the black picture, R times (release); nil: the unconditional pass sees none (paper)
	Source       guidance.Source        // whose maps make the scores
	Norm         guidance.Normalization // of masks

	Begin int       // the first step of a run from the start: 0, or where a picture to begin with comes in
	Init  []float32 // the latent of that picture; nil: there is none
	Keep  []float32 // [h, w], through which share of the steps a cell stays as it is, 1 to the end; nil: there is no region

	of   string // see fingerprint
	none Vision // of passes without subjects
	memo *memo  // passes that other pictures of the job have had; nil: none

	OnPass func()           // called after every U-Net pass; may be nil
	OnStep func(Step) error // called after every step, an error ends the run; may be nil
}

// Close frees what the device keeps of the encodings.
func (l *Loop) Close() {
	l.Text.KV.Close()
	l.Vision.KV.Close()
	if l.Uncond != nil {
		l.Uncond.KV.Close()
	}
	if l.UncondVision != nil {
		l.UncondVision.KV.Close()
	}
}

// NewLoop is a Loop with everything that a resolved request says; the encodings are to be filled in.
func NewLoop(g *Graphs, r Request) *Loop {
	l := &Loop{Graphs: g, Settings: r.Settings}
	h, w := g.grid(r.Height, r.Width)
	l.Subjects, _ = Rule(r.Subjects, w, h)           // the regions of a resolved request can be read
	l.Source, _ = guidance.ParseSource(r.MaskSource) // a resolved request has a known one
	l.Norm = r.Normalization()
	l.Begin, l.of = r.Begin(), fingerprint(r)
	return l
}

// Step is what one step of a Loop leaves. It shares nothing with the loop.
type Step struct {
	Index    int         // 0-based
	Timestep int         // of training, the nearest
	Cross    [][]float32 // per subject on the guidance grid; nil when the guidance branch did not run
	Scores   [][]float32 // likewise (Eq. 12)
	Masks    [][]float32 // M̂ per subject (Eq. 13, 16), in use at this step
	Clean    []float32   // [C, h, w], x0 as predicted at this step
	State    State       // to go on from here; State.Latent is z after this step
}

// Run denoises from a state to the last step and returns the clean latent [1, C, h, w] to decode: the x0 prediction of the
// last step. The first state has noise as Latent and the seed that it came from, nothing else; the State of any Step goes on exactly
// as that run did. Samplers that take fresh noise get what the seed's generator gives after that first latent. Where a sampler asks the
// model twice in a step, both passes see the same masks.
// Errors come from the graphs, from ctx, from OnStep, and from scores that make no mask.
func (l *Loop) Run(ctx context.Context, from State) (*tensor.Tensor, error) {
	solver, fresh, err := l.solver(from)
	if err != nil {
		return nil, err
	}
	if l.none, err = l.Graphs.NoVision(ctx); err != nil {
		return nil, err
	}
	defer l.none.KV.Close()
	z, clean := from.Latent, []float32(nil)
	scores, masks := from.Scores, [][]float32(nil)
	if !l.scored(scores) { // of other subjects, which had none that came from scores
		scores = nil
	}
	var noise []float32
	if l.Keep != nil {
		noise = random.Normal(from.Seed, tensor.Count(l.Shape()))
	}
	pace := l.pace()
	trail := l.trail(pace, from)
	for i := from.Step; i < l.Steps; i++ {
		at := solver.Steps()[i]
		step := Step{Index: i, Timestep: at.Train}
		plan, before := pace.plan(i, trail, scores != nil), masks
		if plan.Guidance {
			if before == nil && pace.approx { // those of the state; of other regions there may be none
				before, _ = guidance.Masks(scores, l.Subjects, l.Norm)
			}
			if step.Cross, step.Scores, err = l.guide(ctx, i, l.At(z, at.Time)); err != nil {
				return nil, err
			}
			scores, masks = cloneAll(step.Scores), nil
		}
		if masks == nil {
			if masks, err = guidance.Masks(scores, l.Subjects, l.Norm); err != nil {
				return nil, err
			}
		}
		if pace.approx {
			trail = trail.after(i, plan)
			if plan.Guidance {
				trail = trail.moving(moved(before, masks), pace.settle)
			}
		}
		z, clean, err = solver.Step(i, z, schedule.Model{Noise: fresh, Predict: func(at schedule.Point, z []float32) ([]float32, error) {
			return l.noise(ctx, i, l.At(z, at.Time), masks, plan, &trail.Apart)
		}})
		if err != nil {
			return nil, err
		}
		if l.Keep != nil {
			clean = slices.Clone(clean) // the solver may remember its own
			l.keep(i+1, clean, l.Init)
			if i+1 < l.Steps {
				l.keep(i+1, z, solver.Steps()[i+1].Noised(l.Init, noise))
			}
		}
		step.Masks, step.Clean = cloneAll(masks), slices.Clone(clean)
		step.State = State{
			Step: i + 1, Seed: from.Seed, Model: l.Graphs.model.Manifest().Name,
			Width: l.Width, Height: l.Height, Steps: l.Steps, Sampler: l.Sampler,
			Latent: slices.Clone(z), Solver: solver.State(), Scores: cloneAll(scores),
			Trail: trail.clone(),
		}
		if l.OnStep != nil {
			if err := l.OnStep(step); err != nil {
				return nil, err
			}
		}
	}
	return tensor.Of(clean, l.Shape()...), nil
}

// guide runs the guidance branch: text alone, its attention reduced to one map per subject, of words that no picture is bound to also.
func (l *Loop) guide(ctx context.Context, step int, at Point) (cross, scores [][]float32, err error) {
	at.Text = l.Text
	key := passKey{text: l.Text.of, guided: true, source: l.Source, layers: l.Norm == guidance.ByLayer}
	out, err := l.memo.once(step, key, at, func() ([]*tensor.Tensor, error) {
		c, s, err := l.Graphs.Guide(ctx, l.Source, l.Norm, at, l.Words, l.none)
		return []*tensor.Tensor{c, s}, err
	})
	if err != nil {
		return nil, nil, err
	}
	l.passed()
	return rows(out[0])[:len(l.Subjects)], guidance.Contend(rows(out[1]), len(l.Subjects)), nil
}

// noise predicts the noise under classifier-free guidance: ε = u + ω·(c − u), where c is the generation branch with text
// and masked visual attention (Eq. 14, 17) and u the unconditional pass. A velocity mixes in the same way. Where the plan leaves out the
// unconditional pass, ε = c + (ω − 1)·d with the last difference d = c − u, of which less changes from step to step than of u.
func (l *Loop) noise(ctx context.Context, step int, at Point, masks [][]float32, plan Plan, apart *[]float32) ([]float32, error) {
	vision := l.Vision
	if len(l.Subjects) == 0 {
		vision = l.none
	}
	at.Text = l.Text
	cond, err := l.Graphs.Noise(ctx, at, vision, masks)
	if err != nil {
		return nil, err
	}
	l.passed()
	if !plan.Mixed {
		return cond.F32, nil
	}
	scale, eps := float32(l.CFG), make([]float32, len(cond.F32))
	if !plan.Uncond {
		for p, c := range cond.F32 {
			eps[p] = c + float32((scale-1)*(*apart)[p]) // the conversion keeps the compiler from fusing: the same bits everywhere
		}
		rescale(eps, cond.F32, l.Rescale)
		return eps, nil
	}
	uncond, err := l.uncond(ctx, step, at, masks)
	if err != nil {
		return nil, err
	}
	l.passed()
	for p, u := range uncond.F32 {
		eps[p] = u + float32(scale*(cond.F32[p]-u))
	}
	if plan.Keep {
		*apart = make([]float32, len(eps))
		for p, u := range uncond.F32 {
			(*apart)[p] = cond.F32[p] - u
		}
	}
	rescale(eps, cond.F32, l.Rescale)
	return eps, nil
}

// uncond is the unconditional pass. Masks act on it only where it sees a picture.
func (l *Loop) uncond(ctx context.Context, step int, at Point, masks [][]float32) (*tensor.Tensor, error) {
	at.Text, at.Perturbed = *l.Uncond, l.UncondAttention == PerturbedAttention && len(l.Subjects) == 0
	if l.UncondVision != nil && len(l.Subjects) > 0 {
		return l.Graphs.Noise(ctx, at, *l.UncondVision, masks)
	}
	out, err := l.memo.once(step, passKey{text: l.Uncond.of, perturbed: at.Perturbed}, at, func() ([]*tensor.Tensor, error) {
		t, err := l.Graphs.Noise(ctx, at, l.none, nil)
		return []*tensor.Tensor{t}, err
	})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// rescale brings the spread of a guided prediction back to that of the conditional one, as far as φ says: guidance raises it, which
// overexposes (arXiv 2305.08891, Eq. 15 and 16; diffusers' rescale_noise_cfg).
func rescale(guided, cond []float32, phi float64) {
	if phi <= 0 {
		return
	}
	spread := deviation(guided)
	if spread == 0 {
		return
	}
	factor := float32(phi*deviation(cond)/spread + (1 - phi))
	for i := range guided {
		guided[i] *= factor
	}
}

// deviation is the standard deviation.
func deviation(values []float32) float64 {
	var sum, squares float64
	for _, v := range values {
		sum += float64(v)
	}
	mean := sum / float64(len(values))
	for _, v := range values {
		squares += float64((float64(v) - mean) * (float64(v) - mean)) // not fused either
	}
	return math.Sqrt(squares / float64(len(values)))
}

// pace decides the passes of every step.
func (l *Loop) pace() pace {
	return paceOf(l.Graphs.model.Manifest(), l.Settings, l.Begin, guidance.Scored(l.Subjects), l.Uncond != nil)
}

// Passes counts the U-Net passes from a state to the last step. Of masks that change less and less there may be fewer.
func (l *Loop) Passes(from State) int { return l.Counts(from).All() }

// Counts is Passes by kinds.
func (l *Loop) Counts(from State) Counts {
	p := l.pace()
	return p.counts(from.Step, l.trail(p, from))
}

// scored tells whether scores are those of the subjects, on the grid of this size.
func (l *Loop) scored(scores [][]float32) bool {
	h, w := l.Graphs.grid(l.Height, l.Width)
	return len(scores) == len(l.Subjects) && !slices.ContainsFunc(scores, func(grid []float32) bool { return len(grid) != h*w })
}

// trail is what of a state's may be used.
func (l *Loop) trail(p pace, from State) Trail {
	if !p.approx {
		return Trail{}
	}
	t := from.Trail
	if t.Of != l.of {
		t = Trail{Of: l.of}
	}
	if !l.scored(from.Scores) {
		t.Masked, t.Calm = 0, 0
	}
	if len(t.Apart) != tensor.Count(l.Shape()) {
		t.Mixed, t.Apart = 0, nil
	}
	return t
}

// moved is how much masks change, that of the subject where it is most; 1 where there were none.
func moved(before, after [][]float32) (most float64) {
	if len(before) != len(after) {
		return 1
	}
	for j := range after {
		most = max(most, guidance.Change(before[j], after[j]))
	}
	return most
}

// solver checks that the loop can go on from a state and returns the solver that does, with the noise that it takes on its way.
func (l *Loop) solver(from State) (*schedule.Solver, func() []float32, error) {
	sampler, solver, err := solverOf(l.Graphs.model.Manifest(), l.Settings)
	if err != nil {
		return nil, nil, err
	}
	h, w := l.Graphs.grid(l.Height, l.Width)
	need, values := 0, tensor.Count(l.Shape())
	if guidance.Scored(l.Subjects) {
		need = len(l.Subjects)
	}
	if err := from.fits(l.Steps, max(l.Stop, l.Begin+1), need, values, h*w); err != nil {
		return nil, nil, err
	}
	solver.Restore(from.Solver)
	generator := random.New(from.Seed)
	fresh := func() []float32 { return generator.Normal(values) }
	if sampler.Draws > 0 {
		for range 1 + from.Step*sampler.Draws { // what the run has had of it
			generator.Skip(values)
		}
	}
	return solver, fresh, nil
}

// solverOf is the sampler of complete settings and its solver for a model.
func solverOf(m bundle.Manifest, s Settings) (schedule.Sampler, *schedule.Solver, error) {
	noise, err := schedule.NewNoise(m.Schedule.Config())
	if err != nil {
		return schedule.Sampler{}, nil, err
	}
	sampler, err := schedule.Find(s.Sampler)
	if err != nil {
		return sampler, nil, err
	}
	solver, err := sampler.New(noise, s.Steps)
	return sampler, solver, err
}

// Shape is that of the latent, [1, C, h, w].
func (l *Loop) Shape() []int {
	m := l.Graphs.model.Manifest().Latent
	return []int{1, m.Channels, l.Height / m.Factor, l.Width / m.Factor}
}

// At is a latent at a timestep of training, which may be a fraction, under no text yet. The time ids are the sizes as the released system
// sends them, width first, or as stock SDXL learned them, height first.
func (l *Loop) At(z []float32, timestep float32) Point {
	w, h := float32(l.Width), float32(l.Height)
	if l.Graphs.model.Manifest().Text.HeightFirst {
		w, h = h, w
	}
	return Point{
		Latent:   tensor.Of(z, l.Shape()...),
		Timestep: tensor.Of([]float32{timestep}, 1),
		TimeIDs:  tensor.Of([]float32{w, h, 0, 0, w, h}, 1, 6),
	}
}

func (l *Loop) passed() {
	if l.OnPass != nil {
		l.OnPass()
	}
}

// rows cuts a tensor [R, h, w] into R slices.
func rows(t *tensor.Tensor) [][]float32 {
	return slices.Collect(slices.Chunk(t.F32, len(t.F32)/t.Shape[0]))
}

func cloneAll(grids [][]float32) [][]float32 {
	out := make([][]float32, len(grids))
	for i, g := range grids {
		out[i] = slices.Clone(g)
	}
	return out
}
