package schedule

import (
	"fmt"
	"math"
	"slices"
)

// Solver walks a latent from noise to picture.
type Solver struct {
	noise   *Noise
	sampler Sampler
	points  []Point // of every step, and where the last one leads
	state   State
}

// State is the memory of a solver between two steps, as plain data. Samplers that look at one step alone have none.
type State struct {
	Next    int       // the step that follows; 0 means no history
	Z       []float32 // the latent that the last step began with
	X0      []float32 // its x0 prediction
	Earlier []float32 // that of the step before
}

// Clone is a copy that shares nothing.
func (s State) Clone() State {
	return State{s.Next, slices.Clone(s.Z), slices.Clone(s.X0), slices.Clone(s.Earlier)}
}

// Model is what a step asks for.
type Model struct {
	// Predict is the network: what it says (noise or velocity, as the training noise says) of a latent at a place.
	Predict func(at Point, z []float32) ([]float32, error)
	// Noise returns fresh standard normal numbers, as many as a latent has; Sampler.Draws times in every step but the last.
	Noise func() []float32
}

// Steps returns the place that every step begins at, the noisiest first. The slice is the solver's: do not write.
func (s *Solver) Steps() []Point { return s.points[:len(s.points)-1] }

// State returns what the solver remembers of earlier steps; it shares nothing with the solver.
func (s *Solver) State() State { return s.state.Clone() }

// Restore makes the solver go on as the one that State was taken from, bit for bit. The state is copied.
func (s *Solver) Restore(kept State) { s.state = kept.Clone() }

// before tells whether it is what a run of so many values has remembered before step i. A state may come from elsewhere: what it says of
// steps or sizes that cannot have been is no history.
func (s State) before(i, values int) bool {
	for k, list := range [][]float32{s.Z, s.X0, s.Earlier} {
		if list != nil && (len(list) != values || i < max(1, k)) { // Earlier takes two steps
			return false
		}
	}
	return s.Next == i
}

// Step takes step i, counted from 0: from z to the next latent and the x0 prediction. The picture to decode is the x0 of the last step.
// An index that does not follow the previous one, or a history of another length, starts a new one. Errors are those of the
// model. It panics when i is no step or a prediction has another length than z.
func (s *Solver) Step(i int, z []float32, m Model) (next, x0 []float32, err error) {
	if !s.state.before(i, len(z)) {
		s.state = State{}
	}
	eps, x0, err := s.ask(m, s.points[i], z)
	if err != nil {
		return nil, nil, err
	}
	return s.sampler.step(s, i, z, eps, x0, m)
}

// ask returns what the model says of the noised latent z: its noise ε and the clean latent x0.
func (s *Solver) ask(m Model, at Point, z []float32) (eps, x0 []float32, err error) {
	predicted, err := m.Predict(at, z)
	if err != nil {
		return nil, nil, err
	}
	if len(predicted) != len(z) {
		panic(fmt.Sprintf("schedule: a prediction of %d values for a latent of %d", len(predicted), len(z)))
	}
	if s.noise.velocity { // not by way of ε: where α is small, dividing by it would lose the last digits
		return mix(at.a, predicted, at.s, z), mix(at.a, z, -at.s, predicted), nil
	}
	x0 = make([]float32, len(z))
	for p := range z {
		x0[p] = (z[p] - float32(at.s*predicted[p])) / at.a
	}
	return predicted, x0, nil
}

// mix returns a·x + b·y.
func mix(a float32, x []float32, b float32, y []float32) []float32 {
	out := make([]float32, len(x))
	for p := range x {
		out[p] = float32(a*x[p]) + float32(b*y[p])
	}
	return out
}

// add adds b·y to x.
func add(x []float32, b float64, y []float32) {
	for p := range x {
		x[p] += float32(float32(b) * y[p])
	}
}

func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// k is the σ of those who write x = x0 + σ·ε.
func (p Point) k() float64 { return p.sigma / p.alpha }

func (p Point) lambda() float64 { return math.Log(p.alpha / p.sigma) }

// toward returns the factors of z and x0 on the way from r to t along a straight line of x: z' = (σ'/σ)·z − α'(e^{−h} − 1)·x0, where
// h = λ' − λ.
func toward(r, t Point) (z, x0 float32) {
	h := t.lambda() - r.lambda()
	return float32(t.sigma / r.sigma), float32(-t.alpha * math.Expm1(-h))
}

// A step is what a sampler does in step i once the model has been asked at its place. It may ask again, keeps its history in s.state,
// and may correct x0.
type step func(s *Solver, i int, z, eps, x0 []float32, m Model) (next, clean []float32, err error)

// ddim is Denoising Diffusion Implicit Models with η = 0 (arXiv 2010.02502, Eq. 12): z' = √ᾱ'·x0 + √(1−ᾱ')·ε.
func ddim(s *Solver, i int, _, eps, x0 []float32, _ Model) (next, clean []float32, err error) {
	to := s.points[i+1]
	return mix(to.a, x0, to.s, eps), x0, nil
}

// released is DPM-Solver++ (arXiv 2211.01095), data prediction, single-step, midpoint, orders 1, 1, 2, 1, 2, … by step index: the
// list of the released code, which is not that of diffusers. It ends at training step 0. With t' the next step and h = λ_{t'} − λ_r,
//
//	z' = (σ_{t'}/σ_r)·z_r − α_{t'}(e^{−h} − 1)·D
//
// where a first-order step has r = s and D = x0(s), and a second-order step starts again at the previous step r = s1 with
// D = x0(s1) + ½·(x0(s) − x0(s1))/ρ, ρ = (λ_s − λ_{s1})/h.
func released(s *Solver, i int, z, _, x0 []float32, _ Model) (next, clean []float32, err error) {
	at, to := s.points[i], s.points[i+1]
	if to == end {
		to = s.noise.trained(0)
	}
	if second := i > 0 && i%2 == 0; second && len(s.state.Z) == len(z) && len(s.state.X0) == len(z) {
		previous := s.points[i-1]
		zr, d := toward(previous, to)
		rho := (at.lambda() - previous.lambda()) / (to.lambda() - previous.lambda())
		half := 0.5 / rho
		direction := mix(float32(1-half), s.state.X0, float32(half), x0)
		next = mix(zr, s.state.Z, d, direction)
		s.state = State{Next: i + 1}
		return next, x0, nil
	}
	zr, d := toward(at, to)
	s.state = State{Next: i + 1, Z: slices.Clone(z), X0: slices.Clone(x0)}
	return mix(zr, z, d, x0), x0, nil
}

// euler is Euler's method (arXiv 2206.00364, Algorithm 1 without churn).
func euler(s *Solver, i int, z, _, x0 []float32, _ Model) (next, clean []float32, err error) {
	zr, d := toward(s.points[i], s.points[i+1])
	return mix(zr, z, d, x0), x0, nil
}

// heun is Heun's method (Algorithm 1 there): Euler's step, and half of what the noise at its end differs from that at its beginning.
func heun(s *Solver, i int, z, eps, x0 []float32, m Model) (next, clean []float32, err error) {
	at, to := s.points[i], s.points[i+1]
	zr, d := toward(at, to)
	next = mix(zr, z, d, x0)
	if to == end {
		return next, x0, nil
	}
	after, there, err := s.ask(m, to, next)
	if err != nil {
		return nil, nil, err
	}
	if at.k() > 1000 { // from pure noise, a straight line of x is too long for the mean of two slopes: the mean of the pictures
		return mix(zr, z, d, mix(0.5, x0, 0.5, there)), x0, nil
	}
	add(next, to.alpha*(to.k()-at.k())/2, mix(1, after, -1, eps))
	return next, x0, nil
}

// ancestral is Euler's method with as much fresh noise as the model's own step of this length would have.
func ancestral(s *Solver, i int, z, _, x0 []float32, m Model) (next, clean []float32, err error) {
	if s.points[i+1] == end {
		return slices.Clone(x0), x0, nil
	}
	return noisy(s.points[i], s.points[i+1], z, x0, m.Noise()), x0, nil
}

// noisy goes from a place to another by way of less noise than there, and adds what is missing.
func noisy(at, to Point, z, x0, noise []float32) []float32 {
	ratio := to.k() / at.k()
	up := to.k() * math.Sqrt(1-ratio*ratio)
	down := to.k() * ratio
	left := down / at.k()
	next := mix(float32(to.alpha*left/at.alpha), z, float32(to.alpha*(1-left)), x0)
	add(next, to.alpha*up, noise)
	return next
}

// straight is the x0 to which the last two predictions point, of which before may be nil: linear in λ, at the middle of the step
// (DPM-Solver++ 2M, Algorithm 2).
func (s *Solver) straight(i int, x0, before []float32) []float32 {
	if s.points[i+1] == end || before == nil {
		return x0
	}
	at := s.points[i].lambda()
	more := (s.points[i+1].lambda() - at) / (at - s.points[i-1].lambda()) / 2
	return mix(float32(1+more), x0, float32(-more), before)
}

// second is the step of multistep: from z, with the last two predictions.
func (s *Solver) second(i int, z, x0, before []float32) []float32 {
	zr, d := toward(s.points[i], s.points[i+1])
	return mix(zr, z, d, s.straight(i, x0, before))
}

// multistep is DPM-Solver++ 2M (arXiv 2211.01095, Algorithm 2).
func multistep(s *Solver, i int, z, _, x0 []float32, _ Model) (next, clean []float32, err error) {
	next = s.second(i, z, x0, s.state.X0)
	s.state = State{Next: i + 1, X0: slices.Clone(x0)}
	return next, x0, nil
}

// multistepSDE is the same of the stochastic equation.
func multistepSDE(s *Solver, i int, z, _, x0 []float32, m Model) (next, clean []float32, err error) {
	at, to := s.points[i], s.points[i+1]
	if to == end {
		return slices.Clone(x0), x0, nil
	}
	h := to.lambda() - at.lambda()
	gone := -math.Expm1(-2 * h)
	next = mix(float32(to.sigma/at.sigma*math.Exp(-h)), z, float32(to.alpha*gone), s.straight(i, x0, s.state.X0))
	add(next, to.sigma*math.Sqrt(gone), m.Noise())
	s.state = State{Next: i + 1, X0: slices.Clone(x0)}
	return next, x0, nil
}

// sde is DPM-Solver++ of order 2 for the stochastic equation, single-step, as k-diffusion has it: half a step in λ, and the whole
// step with what the model says there. The noise of both is that of one Brownian motion over σ/α.
func sde(s *Solver, i int, z, _, x0 []float32, m Model) (next, clean []float32, err error) {
	at, to := s.points[i], s.points[i+1]
	if to == end {
		return slices.Clone(x0), x0, nil
	}
	middle := s.noise.noised(math.Sqrt(at.k() * to.k()))
	first, second := m.Noise(), m.Noise()
	half := noisy(at, middle, z, x0, first)
	_, there, err := s.ask(m, middle, half)
	if err != nil {
		return nil, nil, err
	}
	share := (at.k() - middle.k()) / (at.k() - to.k())
	whole := mix(float32(math.Sqrt(share)), first, float32(math.Sqrt(1-share)), second)
	return noisy(at, to, z, there, whole), x0, nil
}

// unipc is UniPC of order 2 with B₂(h) = e^h − 1 (arXiv 2302.04867): the step of multistep, and at the next place, once the model has
// been asked there, the same step again with what it said. A value that is not where that step led has been put there since, as those of a
// picture that is kept are: there is nothing to correct.
func unipc(s *Solver, i int, z, _, x0 []float32, _ Model) (next, clean []float32, err error) {
	if s.state.X0 != nil && len(s.state.Z) == len(z) {
		led, right := s.second(i-1, s.state.Z, s.state.X0, s.state.Earlier), s.corrected(i, x0)
		for p := range z {
			if z[p] != led[p] {
				right[p] = z[p]
			}
		}
		z = right
	}
	next = s.second(i, z, x0, s.state.X0)
	s.state = State{Next: i + 1, Z: slices.Clone(z), X0: slices.Clone(x0), Earlier: s.state.X0}
	return next, x0, nil
}

// corrected takes the step that led to place i again, with the prediction there.
func (s *Solver) corrected(i int, x0 []float32) []float32 {
	from, at := s.points[i-1], s.points[i]
	zr, d := toward(from, at)
	h := at.lambda() - from.lambda()
	phi := math.Expm1(-h)/-h - 1
	one := phi / math.Expm1(-h) // the weights are those that make polynomials of x0 over λ come out right: of degree 1, and 2
	if s.state.Earlier == nil {
		return mix(zr, s.state.Z, d, mix(0.5, s.state.X0, 0.5, x0))
	}
	two := (phi/-h - 0.5) * 2 / math.Expm1(-h)
	r := (s.points[i-2].lambda() - from.lambda()) / h
	earlier := (one - two) / (1 - r) // the weight of the step before
	direction := mix(float32(1-(one-earlier)-earlier/r), s.state.X0, float32(one-earlier), x0)
	add(direction, earlier/r, s.state.Earlier)
	return mix(zr, s.state.Z, d, direction)
}

// lcm is the step of latent consistency models (arXiv 2310.04378): to the picture, and back to less noise. The boundary conditions are
// those of diffusers: σ_data = 0.5, times ten.
func lcm(s *Solver, i int, z, _, x0 []float32, m Model) (next, clean []float32, err error) {
	at, to := s.points[i], s.points[i+1]
	const data = 0.5
	t := float64(at.Train) * 10
	norm := t*t + data*data
	clean = mix(float32(t/math.Sqrt(norm)), x0, float32(data*data/norm), z)
	if to == end {
		return slices.Clone(clean), clean, nil
	}
	return mix(to.a, clean, to.s, m.Noise()), clean, nil
}
