// Package schedule holds the noise that Stable Diffusion and SDXL were trained with and the samplers that walk from noise to a picture:
// one table of samplers (sampler.go), the places that they step on (walk.go), and the steps themselves (step.go).
//
// Contract: arithmetic over plain slices, only package message imported. Every float32 operation is rounded once, so the
// same input gives the same bits on every machine. A Solver belongs to one goroutine; what Step returns is new and
// belongs to the caller; what it is given is only read and not kept. Latents have the variance 1 of training throughout
// (z = α·x0 + σ·ε, α² + σ² = 1), whatever a sampler's authors divided them by: where they write x = x0 + σ·ε, their x is z/α and their σ
// is σ/α. They start as standard normal noise, unscaled.
//
//	ᾱ_t = Π_{i≤t} (1 − β_i)      α_t = √ᾱ_t      σ_t = √(1 − ᾱ_t)      λ_t = ln α_t − ln σ_t
//	x0  = (z − σ_t·ε) / α_t
//	v   = α_t·ε − σ_t·x0, so ε = α_t·v + σ_t·z (arXiv 2202.00512, for networks that predict the velocity v)
package schedule

import (
	"fmt"
	"math"
)

// Config is what a checkpoint's scheduler_config.json says of the training noise. The JSON names are those of diffusers.
type Config struct {
	BetaStart      float64 `json:"beta_start"`
	BetaEnd        float64 `json:"beta_end"`
	BetaSchedule   string  `json:"beta_schedule"`
	TrainSteps     int     `json:"num_train_timesteps"`
	PredictionType string  `json:"prediction_type"`
	// ZeroSNR says that training went all the way to noise: ᾱ is rescaled so that the last is 0 (arXiv 2305.08891, Algorithm 1).
	ZeroSNR bool `json:"rescale_betas_zero_snr"`
	// SigmaMin and SigmaMax, where they are set, bound the σ/α of a model that was trained on all noise levels between them instead of on
	// steps (EDM, arXiv 2206.00364, with σ_data = 1). It predicts the velocity, and is told ¼·ln(σ/α).
	SigmaMin float64 `json:"-"`
	SigmaMax float64 `json:"-"`
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
	ratios   []float64 // σ/α, with zero terminal SNR no more than that of floor
	velocity bool
	edm      bool // training knew no steps; these are as many noise levels, a factor apart
}

// NewNoise computes ᾱ as PyTorch does: β linear in √β in float32, squared; the product in float64, each ᾱ_t rounded to
// float32. The error is an *UnsupportedError, or says which number is impossible.
func NewNoise(c Config) (*Noise, error) {
	if c.PredictionType != Epsilon && c.PredictionType != Velocity {
		return nil, &UnsupportedError{"prediction_type", c.PredictionType, fmt.Sprintf("%q and %q", Epsilon, Velocity)}
	}
	if c.BetaSchedule != "scaled_linear" && c.SigmaMax == 0 {
		return nil, &UnsupportedError{"beta_schedule", c.BetaSchedule, `"scaled_linear"`}
	}
	if c.TrainSteps < 1 || c.TrainSteps > maxTrainSteps {
		return nil, fmt.Errorf("the model's scheduler has num_train_timesteps %d, which must be 1 to %d: the configuration is damaged",
			c.TrainSteps, maxTrainSteps)
	}
	if !(c.BetaStart > 0 && c.BetaStart <= c.BetaEnd && c.BetaEnd < 1) {
		return nil, fmt.Errorf("the model's scheduler has beta_start %g and beta_end %g, which must rise within (0, 1): the configuration is damaged", c.BetaStart, c.BetaEnd)
	}
	n := &Noise{
		alphas: make([]float32, c.TrainSteps), ratios: make([]float64, c.TrainSteps),
		velocity: c.PredictionType == Velocity, edm: c.SigmaMin != 0 || c.SigmaMax != 0,
	}
	switch {
	case n.edm && !n.velocity:
		return nil, &UnsupportedError{"sigma_max", fmt.Sprint(c.SigmaMax), fmt.Sprintf("it with the prediction type %q only", Velocity)}
	case c.ZeroSNR && !n.velocity:
		return nil, &UnsupportedError{"rescale_betas_zero_snr", "true", fmt.Sprintf("it with the prediction type %q only, since pure noise says nothing of a picture", Velocity)}
	case n.edm:
		return n, n.levels(c.SigmaMin, c.SigmaMax)
	}
	product := 1.0
	for t, root := range linspace(float32(math.Sqrt(c.BetaStart)), float32(math.Sqrt(c.BetaEnd)), c.TrainSteps) {
		beta := float32(root * root)
		product *= float64(1 - beta)
		n.alphas[t] = float32(product)
	}
	if last := n.alphas[c.TrainSteps-1]; !(last > 0) || n.alphas[0] >= 1 || c.ZeroSNR && last == n.alphas[0] {
		return nil, fmt.Errorf("the model's scheduler leaves ᾱ between %g and %g, which must stay within (0, 1): the configuration is damaged",
			last, n.alphas[0])
	}
	if c.ZeroSNR {
		n.rescale()
	}
	for t, bar := range n.alphas {
		bar := max(float64(bar), floor)
		n.ratios[t] = math.Sqrt((1 - bar) / bar)
	}
	return n, nil
}

// rescale makes the last ᾱ zero and leaves the first: √ᾱ is shifted and stretched.
func (n *Noise) rescale() {
	first, last := math.Sqrt(float64(n.alphas[0])), math.Sqrt(float64(n.alphas[len(n.alphas)-1]))
	for t, bar := range n.alphas {
		root := (math.Sqrt(float64(bar)) - last) * first / (first - last)
		n.alphas[t] = float32(root * root)
	}
}

// levels are those of EDM.
func (n *Noise) levels(least, most float64) error {
	if !(least > 0 && least < most && most <= 1e6) || len(n.ratios) < 2 {
		return fmt.Errorf("the model's scheduler has sigma_min %g and sigma_max %g, which must rise and be above 0: the configuration is damaged", least, most)
	}
	for i := range n.ratios {
		share := float64(i) / float64(len(n.ratios)-1)
		k := math.Exp((1-share)*math.Log(least) + share*math.Log(most))
		n.ratios[i], n.alphas[i] = k, float32(1/(1+k*k))
	}
	return nil
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
