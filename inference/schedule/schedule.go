// Package schedule holds the noise schedule of Stable Diffusion and SDXL and the two solvers that Realword offers.
//
// Contract: arithmetic over plain slices, nothing of Realword imported. Every float32 operation is rounded once, so the
// same input gives the same bits on every machine. A Solver belongs to one goroutine; what Step returns is new and
// belongs to the caller; what it is given is only read and not kept.
//
//	ᾱ_t = Π_{i≤t} (1 − β_i)      α_t = √ᾱ_t      σ_t = √(1 − ᾱ_t)      λ_t = ln α_t − ln σ_t
//	x0  = (z − σ_t·ε) / α_t
//	v   = α_t·ε − σ_t·x0, so ε = α_t·v + σ_t·z (arXiv 2202.00512, for networks that predict the velocity v)
package schedule

import (
	"fmt"
	"math"
	"slices"
)

// Config is what a checkpoint's scheduler_config.json says of the training noise. The JSON names are those of diffusers.
type Config struct {
	BetaStart      float64 `json:"beta_start"`
	BetaEnd        float64 `json:"beta_end"`
	BetaSchedule   string  `json:"beta_schedule"`
	TrainSteps     int     `json:"num_train_timesteps"`
	PredictionType string  `json:"prediction_type"`
}

// Default is the noise of SD 1.5 and SDXL.
func Default() Config {
	return Config{BetaStart: 0.00085, BetaEnd: 0.012, BetaSchedule: "scaled_linear", TrainSteps: 1000, PredictionType: Epsilon}
}

// maxTrainSteps bounds what a damaged configuration can make us allocate.
const maxTrainSteps = 1 << 16

// UnsupportedError names a configuration value that Realword does not compute.
type UnsupportedError struct{ Key, Value, Want string }

// Error names key, value and what is supported.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("the model's scheduler has %s %q, but Realword supports %s: use a model trained that way", e.Key, e.Value, e.Want)
}

// The prediction types by diffusers' names: what a network says of its noised input.
const (
	Epsilon  = "epsilon"      // its noise ε
	Velocity = "v_prediction" // its velocity v
)

// Noise is the training noise: ᾱ for every training step, and what the network predicts. It is read-only after NewNoise and
// safe to share.
type Noise struct {
	alphas   []float32
	velocity bool
}

// NewNoise computes ᾱ as PyTorch does: β linear in √β in float32, squared; the product in float64, each ᾱ_t rounded to
// float32. The error is an *UnsupportedError, or says which number is impossible.
func NewNoise(c Config) (*Noise, error) {
	if c.PredictionType != Epsilon && c.PredictionType != Velocity {
		return nil, &UnsupportedError{"prediction_type", c.PredictionType, fmt.Sprintf("%q and %q", Epsilon, Velocity)}
	}
	if c.BetaSchedule != "scaled_linear" {
		return nil, &UnsupportedError{"beta_schedule", c.BetaSchedule, `"scaled_linear"`}
	}
	if c.TrainSteps < 1 || c.TrainSteps > maxTrainSteps {
		return nil, fmt.Errorf("the model's scheduler has num_train_timesteps %d, which must be 1 to %d: the configuration is damaged",
			c.TrainSteps, maxTrainSteps)
	}
	if !(c.BetaStart > 0 && c.BetaStart <= c.BetaEnd && c.BetaEnd < 1) {
		return nil, fmt.Errorf("the model's scheduler has beta_start %g and beta_end %g, which must rise within (0, 1): the configuration is damaged", c.BetaStart, c.BetaEnd)
	}
	n := &Noise{alphas: make([]float32, c.TrainSteps), velocity: c.PredictionType == Velocity}
	product := 1.0
	for t, root := range linspace(float32(math.Sqrt(c.BetaStart)), float32(math.Sqrt(c.BetaEnd)), c.TrainSteps) {
		beta := float32(root * root)
		product *= float64(1 - beta)
		n.alphas[t] = float32(product)
	}
	if last := n.alphas[c.TrainSteps-1]; !(last > 0) || n.alphas[0] >= 1 {
		return nil, fmt.Errorf("the model's scheduler leaves ᾱ between %g and %g, which must stay within (0, 1): the configuration is damaged",
			last, n.alphas[0])
	}
	return n, nil
}

// linspace is torch.linspace in float32: the first half counts from the start, the second from the end. Each product and
// sum is fused, as in PyTorch's vector code.
func linspace(start, end float32, n int) []float32 {
	out := make([]float32, n)
	if n == 1 {
		out[0] = start
		return out
	}
	step := (end - start) / float32(n-1)
	for i := range out {
		// A product of two float32 is exact in float64; the sum is rounded there and again here.
		if i < n/2 {
			out[i] = float32(float64(start) + float64(step)*float64(i))
		} else {
			out[i] = float32(float64(end) - float64(step)*float64(n-1-i))
		}
	}
	return out
}

// Steps is the number of training steps.
func (n *Noise) Steps() int { return len(n.alphas) }

// AlphaBar returns ᾱ_t for a training step t in [0, Steps).
func (n *Noise) AlphaBar(t int) float32 { return n.alphas[t] }

// Trailing returns the training steps of a generation, the noisiest first: t_i = round(T−1 − i·T/n), halves to even.
// It needs 1 ≤ n ≤ T.
func (n *Noise) Trailing(steps int) ([]int, error) {
	train := len(n.alphas)
	if steps < 1 || steps > train {
		return nil, fmt.Errorf("%d steps are outside the range 1 to %d: 25 is usual", steps, train)
	}
	ts := make([]int, steps)
	for i := range ts {
		ts[i] = int(math.RoundToEven(float64(train-1) - float64(i*train)/float64(steps)))
	}
	return ts, nil
}

// The samplers by the names that recipes carry.
const (
	DDIM = "ddim"  // deterministic (η = 0): preset paper
	DPM  = "dpm++" // DPM-Solver++ single-step of order 2, with the order list of the released code: preset release
)

// Samplers lists the names that New takes.
func Samplers() []string { return []string{DDIM, DPM} }

// Solver walks a latent from noise to picture. Latents start as standard normal noise, unscaled.
type Solver interface {
	// Timesteps returns the training step of every step, the noisiest first. The slice is the solver's: do not write.
	Timesteps() []int
	// Step takes step i, counted from 0: from z and what the network predicts (noise or velocity, as the training noise
	// says) to the next latent and the x0 prediction. The picture to decode is the x0 of the last step. An index that does
	// not follow the previous one, or a latent of another length, starts a new history. It panics when i is no step or
	// predicted and z differ in length.
	Step(i int, predicted, z []float32) (next, x0 []float32)
	// State returns what the solver remembers of earlier steps; it shares nothing with the solver.
	State() State
	// Restore makes the solver go on as the one that State was taken from, bit for bit. The state is copied.
	Restore(State)
}

// State is the memory of a solver between two steps, as plain data. DDIM has none, so its State is zero.
type State struct {
	Next int       // the step that follows; 0 means no history
	Z    []float32 // the latent of the last first-order step
	X0   []float32 // its x0 prediction
}

func (s State) clone() State { return State{s.Next, slices.Clone(s.Z), slices.Clone(s.X0)} }

// New makes a solver by its name. Errors name the sampler or the number of steps and what is possible.
func New(sampler string, noise *Noise, steps int) (Solver, error) {
	if !slices.Contains(Samplers(), sampler) {
		return nil, fmt.Errorf("%q is not a sampler: choose one of %q", sampler, Samplers())
	}
	ts, err := noise.Trailing(steps)
	if err != nil {
		return nil, err
	}
	if sampler == DDIM {
		return &ddim{noise, ts}, nil
	}
	return &dpm{noise: noise, ts: ts}, nil
}

// read returns what a network's output at training step t says of the noised latent z: its noise ε and the clean latent x0.
func (n *Noise) read(t int, predicted, z []float32) (eps, x0 []float32) {
	if len(predicted) != len(z) {
		panic(fmt.Sprintf("schedule: a prediction of %d values for a latent of %d", len(predicted), len(z)))
	}
	alpha, sigma := sqrt(n.alphas[t]), sqrt(1-n.alphas[t])
	if n.velocity { // not by way of ε: where α is small, dividing by it would lose the last digits
		return mix(alpha, predicted, sigma, z), mix(alpha, z, -sigma, predicted)
	}
	x0 = make([]float32, len(z))
	for p := range z {
		x0[p] = (z[p] - float32(sigma*predicted[p])) / alpha
	}
	return predicted, x0
}

// mix returns a·x + b·y.
func mix(a float32, x []float32, b float32, y []float32) []float32 {
	out := make([]float32, len(x))
	for p := range x {
		out[p] = float32(a*x[p]) + float32(b*y[p])
	}
	return out
}

func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// ddim is Denoising Diffusion Implicit Models with η = 0 (arXiv 2010.02502, Eq. 12).
type ddim struct {
	noise *Noise
	ts    []int
}

func (s *ddim) Timesteps() []int { return s.ts }
func (s *ddim) State() State     { return State{} }
func (s *ddim) Restore(State)    {}

// Step computes z' = √ᾱ'·x0 + √(1−ᾱ')·ε with ᾱ' of the next step, 1 after the last.
func (s *ddim) Step(i int, predicted, z []float32) (next, x0 []float32) {
	eps, x0 := s.noise.read(s.ts[i], predicted, z)
	alphaBar := float32(1)
	if i+1 < len(s.ts) {
		alphaBar = s.noise.alphas[s.ts[i+1]]
	}
	return mix(sqrt(alphaBar), x0, sqrt(1-alphaBar), eps), x0
}

// dpm is DPM-Solver++ (arXiv 2211.01095), data prediction, single-step, midpoint, orders 1, 1, 2, 1, 2, … by step index:
// the list of the released code, which is not that of diffusers.
type dpm struct {
	noise *Noise
	ts    []int
	state State
}

func (s *dpm) Timesteps() []int   { return s.ts }
func (s *dpm) State() State       { return s.state.clone() }
func (s *dpm) Restore(kept State) { s.state = kept.clone() }

// Step computes, with t' the next step (training step 0 after the last) and h = λ_{t'} − λ_r,
//
//	z' = (σ_{t'}/σ_r)·z_r − α_{t'}(e^{−h} − 1)·D
//
// where a first-order step has r = s and D = x0(s), and a second-order step starts again at the previous step r = s1 with
// D = x0(s1) + ½·(x0(s) − x0(s1))/ρ, ρ = (λ_s − λ_{s1})/h.
func (s *dpm) Step(i int, predicted, z []float32) (next, x0 []float32) {
	t := s.ts[i]
	_, x0 = s.noise.read(t, predicted, z)
	after := 0
	if i+1 < len(s.ts) {
		after = s.ts[i+1]
	}
	if second := i > 0 && i%2 == 0; second && s.state.Next == i && len(s.state.Z) == len(z) && len(s.state.X0) == len(z) {
		previous := s.ts[i-1]
		zr, d := s.noise.toward(previous, after)
		rho := (s.noise.lambda(t) - s.noise.lambda(previous)) / (s.noise.lambda(after) - s.noise.lambda(previous))
		half := 0.5 / rho
		direction := mix(float32(1-half), s.state.X0, float32(half), x0)
		next = mix(zr, s.state.Z, d, direction)
		s.state = State{Next: i + 1}
		return next, x0
	}
	zr, d := s.noise.toward(t, after)
	s.state = State{Next: i + 1, Z: slices.Clone(z), X0: slices.Clone(x0)}
	return mix(zr, z, d, x0), x0
}

// toward returns the factors of z_r and D on the way from training step r to t.
func (n *Noise) toward(r, t int) (z, d float32) {
	h := n.lambda(t) - n.lambda(r)
	_, sigmaR := n.at(r)
	alphaT, sigmaT := n.at(t)
	return float32(sigmaT / sigmaR), float32(-alphaT * math.Expm1(-h))
}

func (n *Noise) at(t int) (alpha, sigma float64) {
	bar := float64(n.alphas[t])
	return math.Sqrt(bar), math.Sqrt(1 - bar)
}

func (n *Noise) lambda(t int) float64 {
	alpha, sigma := n.at(t)
	return math.Log(alpha / sigma)
}
