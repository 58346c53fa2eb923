package schedule

import (
	"math"
	"slices"

	"realword/inference/message"
)

// Point is a place on the way from noise to picture, where z = α·x0 + σ·ε.
type Point struct {
	Time  float32 // what the network is told of it: the training step, a fraction where it lies between two
	Train int     // the nearest training step, for people

	alpha, sigma float64
	a, s         float32 // the same, as a network's output is read with them
}

// The spacings: how the places of a generation are spread over those of training. Each begins at the noisiest, but for Leading.
const (
	Trailing    = "trailing"    // t = round(T−1 − i·T/n), halves to even: the last step is as long as the others
	Leading     = "leading"     // t = (n−1−i)·⌊T/n⌋ + 1: the first is not the noisiest
	Linspace    = "linspace"    // from T−1 to 0 in n − 1 equal steps, fractions allowed, and on to no noise
	Karras      = "karras"      // equal steps of (σ/α)^⅐ (arXiv 2206.00364, Eq. 5)
	Exponential = "exponential" // equal steps of ln(σ/α)
	consistency = "consistency" // every so many of the 50 steps that latent consistency models are distilled on
)

// distilled is on how many steps latent consistency models learn.
const distilled = 50

// floor is the least ᾱ of places that are thought of as σ/α: with zero terminal SNR that would be infinite. diffusers has the same.
const floor = 1.0 / (1 << 24)

// Level is the noise level σ/α: 0 is the picture itself, and noise alone is infinite.
func (p Point) Level() float64 { return p.sigma / p.alpha }

// Noised returns the latent at a place whose clean one is x0 under that noise: α·x0 + σ·ε. Both have the same length.
func (p Point) Noised(x0, noise []float32) []float32 { return mix(p.a, x0, p.s, noise) }

// end is the picture itself.
var end = Point{alpha: 1, a: 1}

// trained is the place of a training step, exactly.
func (n *Noise) trained(t int) Point {
	if n.edm {
		return n.place(float64(t), n.ratios[t])
	}
	bar := n.alphas[t]
	return Point{float32(t), t, math.Sqrt(float64(bar)), math.Sqrt(1 - float64(bar)), sqrt(bar), sqrt(1 - bar)}
}

// between is the place of a training step that may be a fraction. Between two, σ/α is read off a straight line, as diffusers does,
// but where training knew no steps its logarithm is.
func (n *Noise) between(t float64) Point {
	low := min(int(t), len(n.ratios)-1)
	k, part := n.ratios[low], t-float64(low)
	if part > 0 {
		if next := n.ratios[low+1]; n.edm {
			k = math.Exp((1-part)*math.Log(k) + part*math.Log(next))
		} else {
			k = (1-part)*k + part*next
		}
	}
	return n.place(t, k)
}

// noised is the place of a σ/α: its training step is read off a straight line over the logarithms.
func (n *Noise) noised(k float64) Point {
	if len(n.ratios) == 1 {
		return n.place(0, k)
	}
	low, _ := slices.BinarySearch(n.ratios, k)
	low = max(0, min(low-1, len(n.ratios)-2))
	from, to := math.Log(n.ratios[low]), math.Log(n.ratios[low+1])
	part := max(0, min((math.Log(k)-from)/(to-from), 1))
	return n.place(float64(low)+part, k)
}

func (n *Noise) place(t, k float64) Point {
	alpha := 1 / math.Sqrt(1+k*k)
	sigma := k * alpha
	told := t
	if n.edm { // c_noise of arXiv 2206.00364
		told = math.Log(k) / 4
	}
	return Point{float32(told), int(math.Round(t)), alpha, sigma, float32(alpha), float32(sigma)}
}

// Check tells whether a number of steps is possible with a number of training steps.
func (s Sampler) Check(steps, train int) error {
	switch {
	case steps < 1 || steps > train:
		return message.Errorf("%d steps are outside the range 1 to %d: 25 is usual", steps, train)
	case s.Spacing == Leading && steps == 1:
		return message.Errorf("one step with %s spacing would begin where hardly any noise is left: take 2 steps or more, or %s spacing", Leading, Trailing)
	case s.Spacing == consistency && steps > min(distilled, train):
		return message.Errorf("%s has %d steps at most, not %d: 4 to 8 are usual", s.Label, min(distilled, train), steps)
	}
	return nil
}

// walk returns the places of a generation and the one that it ends at; those of fixed samplers are training steps exactly. Check has
// nothing against the number of steps.
func (s Sampler) walk(n *Noise, steps int) []Point {
	train := len(n.alphas)
	points := make([]Point, steps, steps+1)
	top, bottom := n.ratios[train-1], n.ratios[0]
	for i := range points {
		share := float64(i) / float64(max(steps-1, 1))
		t := 0.0
		switch s.Spacing {
		case Trailing:
			t = math.RoundToEven(float64(train-1) - float64(i*train)/float64(steps))
		case Leading:
			stride := train / steps
			t = float64((steps-1-i)*stride + min(1, train-1-(steps-1)*stride))
		case Linspace:
			t = float64(train-1) * (1 - share)
		case consistency:
			origin := min(distilled, train)
			t = float64((origin-i*origin/steps)*(train/origin) - 1)
		case Karras:
			const rho = 7
			a, b := math.Pow(top, 1.0/rho), math.Pow(bottom, 1.0/rho)
			points[i] = n.noised(math.Pow(a+share*(b-a), rho))
			continue
		case Exponential:
			points[i] = n.noised(math.Exp((1-share)*math.Log(top) + share*math.Log(bottom)))
			continue
		}
		if s.Fixed {
			points[i] = n.trained(int(t))
		} else {
			points[i] = n.between(t)
		}
	}
	return append(points, end)
}
