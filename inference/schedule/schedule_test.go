package schedule

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

// goldens is the output of diffusers and of a Python transcription of the released solver, made by the scripts beside it.
const goldens = "../../assets/golden/data/schedule.json"

func noise(t testing.TB) *Noise {
	n, err := NewNoise(Default())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func solver(t testing.TB, sampler string, steps int) Solver {
	s, err := New(sampler, noise(t), steps)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// near allows for float32 against the float64 of the goldens.
func near(got []float32, want []float64) bool {
	return slices.EqualFunc(got, want, func(a float32, b float64) bool {
		return math.Abs(float64(a)-b) <= 1e-6*max(1, math.Abs(b))
	})
}

func TestDiffusers(t *testing.T) {
	data, err := os.ReadFile(goldens)
	if err != nil {
		t.Fatal(err)
	}
	type step struct {
		T          int
		Latent, X0 []float64
	}
	var want struct {
		Alphas    []float32 `json:"alphas_cumprod"`
		Start     []float32
		Timesteps map[int][]int
		DDIM      map[int][]step
		DPM       map[int][]step `json:"dpm++"`
		VDDIM     map[int][]step `json:"ddim_velocity"`
		VDPM      map[int][]step `json:"dpm++_velocity"`
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	n := noise(t)
	if n.Steps() != len(want.Alphas) {
		t.Fatalf("%d training steps, want %d", n.Steps(), len(want.Alphas))
	}
	for i, a := range want.Alphas {
		if got := n.AlphaBar(i); got != a {
			t.Fatalf("ᾱ_%d = %b, diffusers has %b", i, got, a)
		}
	}
	for steps, ts := range want.Timesteps {
		if got, err := n.Trailing(steps); err != nil || !slices.Equal(got, ts) {
			t.Errorf("%d steps: %v %v, want %v", steps, got, err, ts)
		}
	}
	velocity := Default()
	velocity.BetaEnd, velocity.PredictionType = 0.016, Velocity
	for _, c := range []struct {
		name, sampler string
		config        Config
		traces        map[int][]step
	}{
		{"ddim", DDIM, Default(), want.DDIM},
		{"dpm++", DPM, Default(), want.DPM},
		{"ddim, velocity", DDIM, velocity, want.VDDIM},
		{"dpm++, velocity", DPM, velocity, want.VDPM},
	} {
		if len(c.traces) < 3 {
			t.Fatalf("%s: only %d traces", c.name, len(c.traces))
		}
		n, err := NewNoise(c.config)
		if err != nil {
			t.Fatal(err)
		}
		for steps, trace := range c.traces {
			s, err := New(c.sampler, n, steps)
			if err != nil {
				t.Fatal(err)
			}
			z := want.Start
			for i, w := range trace {
				eps := make([]float32, len(z))
				for p := range eps {
					eps[p] = 0.1*z[p] + 0.5*float32(w.T)/1000
				}
				var x0 []float32
				if z, x0 = s.Step(i, eps, z); !near(z, w.Latent) || !near(x0, w.X0) {
					t.Fatalf("%s, %d steps, step %d:\n z %v\nwant %v\nx0 %v\nwant %v", c.name, steps, i, z, w.Latent, x0, w.X0)
				}
			}
		}
	}
}

// trace walks a scalar with ε = 0.1·z + 0.5·t/1000 from z = 1 and returns z' and x0 of every step.
func trace(s Solver) (zs, x0s []float32) {
	z := []float32{1}
	for i, t := range s.Timesteps() {
		var x0 []float32
		z, x0 = s.Step(i, []float32{0.1*z[0] + 0.5*float32(t)/1000}, z)
		zs, x0s = append(zs, z[0]), append(x0s, x0[0])
	}
	return zs, x0s
}

// The numbers are those of the released solvers, run on the same made-up network.
func TestReleasedTraces(t *testing.T) {
	type row struct {
		t     int
		z, x0 float64
	}
	for sampler, rows := range map[string][]row{
		DPM: {
			{999, 1.105405, 5.887338},
			{959, 1.231998, 5.996525},
			{919, 1.381952, 6.064334},
			{879, 1.553083, 6.112103},
			{839, 1.746694, 6.129821},
			{519, 3.843263, 6.031107},
			{79, 6.000533, 5.991011},
			{39, 6.013052, 5.993435},
		},
		DDIM: {{999, 1.105405, 5.887338}, {959, 1.231998, 5.996527}, {919, 1.380587, 6.064336}, {519, 3.840463, 6.024907}, {79, 5.997349, 5.987827}, {39, 5.990252, 5.990252}},
	} {
		s := solver(t, sampler, 25)
		zs, x0s := trace(s)
		for _, r := range rows {
			i := slices.Index(s.Timesteps(), r.t)
			if i < 0 || math.Abs(float64(zs[i])-r.z) > 1e-5 || math.Abs(float64(x0s[i])-r.x0) > 2e-5 {
				t.Errorf("%s at %d: z %.6f, want %.6f; x0 %.6f, want %.6f", sampler, r.t, zs[i], r.z, x0s[i], r.x0)
			}
		}
	}
}

func TestReferenceConstants(t *testing.T) {
	n := noise(t)
	for step, want := range map[int]float64{0: .99914998, 39: .96289492, 79: .91947103, 499: .27766946, 959: .00744959, 999: .00466010} {
		if got := float64(n.AlphaBar(step)); math.Abs(got-want) > 4e-8 {
			t.Errorf("ᾱ_%d = %.8f, want %.8f", step, got, want)
		}
	}
	for step, want := range map[int]float64{999: -2.682024, 39: 1.628095, 0: 3.534699} {
		// ᾱ₀ is so near 1 that the float32 rounding of 1 − ᾱ shows in the released value.
		if got := n.lambda(step); math.Abs(got-want) > 2e-5 {
			t.Errorf("λ_%d = %.6f, want %.6f", step, got, want)
		}
	}
}

func TestTrailing(t *testing.T) {
	n := noise(t)
	for steps := 1; steps <= 1000; steps++ {
		ts, err := n.Trailing(steps)
		if err != nil || len(ts) != steps || ts[0] != 999 || ts[steps-1] < 0 {
			t.Fatalf("%d steps: %v %v", steps, ts, err)
		}
		for i := 1; i < steps; i++ {
			if ts[i] >= ts[i-1] {
				t.Fatalf("%d steps: %d after %d", steps, ts[i], ts[i-1])
			}
		}
	}
	ts, _ := n.Trailing(30)
	if !slices.Equal(ts[:4], []int{999, 966, 932, 899}) || !slices.Equal(ts[28:], []int{66, 32}) {
		t.Errorf("30 steps: %v", ts)
	}
	ts, _ = n.Trailing(16) // 936.5 and 874 … : halves go to the even neighbour
	if ts[1] != 936 || ts[3] != 812 {
		t.Errorf("16 steps: %v", ts)
	}
	for _, steps := range []int{0, -1, 1001} {
		if _, err := n.Trailing(steps); err == nil {
			t.Errorf("%d steps accepted", steps)
		}
	}
}

// A deterministic made-up network over a few values.
func predict(z []float32, t int) []float32 {
	eps := make([]float32, len(z))
	for p := range z {
		eps[p] = float32(math.Sin(float64(z[p]))) + float32(t)/3000
	}
	return eps
}

func run(s Solver, z []float32, from, to int) ([]float32, []float32) {
	var x0 []float32
	for i := from; i < to; i++ {
		z, x0 = s.Step(i, predict(z, s.Timesteps()[i]), z)
	}
	return z, x0
}

func TestContinuingIsBitEqual(t *testing.T) {
	start := []float32{0.5, -1.25, 2, 0, 0.1}
	for _, sampler := range Samplers() {
		for _, steps := range []int{1, 2, 7, 24, 25} {
			whole, wholeX0 := run(solver(t, sampler, steps), start, 0, steps)
			for cut := 1; cut < steps; cut++ {
				first := solver(t, sampler, steps)
				z, _ := run(first, start, 0, cut)
				kept := first.State()
				run(first, z, cut, steps) // the kept state must not follow the solver
				data, err := json.Marshal(kept)
				if err != nil {
					t.Fatal(err)
				}
				var state State
				if err := json.Unmarshal(data, &state); err != nil {
					t.Fatal(err)
				}
				second := solver(t, sampler, steps)
				second.Restore(state)
				for p := range state.Z {
					state.Z[p], state.X0[p] = 99, 99 // nor the solver the state
				}
				got, gotX0 := run(second, z, cut, steps)
				if !slices.Equal(got, whole) || !slices.Equal(gotX0, wholeX0) {
					t.Fatalf("%s, %d steps, cut at %d: %v, whole %v", sampler, steps, cut, got, whole)
				}
			}
		}
	}
}

// Without the step before it, a second-order step must be the first-order one, which for DPM-Solver++ is DDIM.
func TestJumpsResetTheHistory(t *testing.T) {
	z, eps := []float32{0.5, -1}, []float32{0.2, 0.3}
	other := []float32{7, 7}
	wantNext, wantX0 := solver(t, DDIM, 25).Step(4, eps, z)
	for name, before := range map[string]func(Solver){
		"nothing":       func(Solver) {},
		"another index": func(s Solver) { s.Step(1, eps, other) },
		"a later index": func(s Solver) { s.Step(5, eps, other) },
		"another size":  func(s Solver) { s.Step(3, []float32{1}, []float32{1}) },
	} {
		s := solver(t, DPM, 25)
		before(s)
		next, x0 := s.Step(4, eps, z)
		for p := range next {
			if math.Abs(float64(next[p]-wantNext[p])) > 1e-6 || x0[p] != wantX0[p] {
				t.Errorf("after %s: %v %v, want %v %v", name, next, x0, wantNext, wantX0)
			}
		}
	}
	s := solver(t, DPM, 25)
	s.Step(3, eps, other)
	if next, _ := s.Step(4, eps, z); math.Abs(float64(next[0]-wantNext[0])) < 1e-3 {
		t.Error("a step that follows does not use its history")
	}
}

func TestStepLeavesItsInputAlone(t *testing.T) {
	for _, sampler := range Samplers() {
		s := solver(t, sampler, 5)
		z, eps := []float32{1, 2}, []float32{3, 4}
		s.Step(0, eps, z)
		kept := s.State()
		z[0] = 50
		if !slices.Equal(s.State().Z, kept.Z) || eps[0] != 3 {
			t.Errorf("%s keeps the caller's slice", sampler)
		}
	}
}

func TestRefusals(t *testing.T) {
	var unsupported *UnsupportedError
	for name, change := range map[string]func(*Config){
		"prediction": func(c *Config) { c.PredictionType = "sample" },
		"betas":      func(c *Config) { c.BetaSchedule = "linear" },
	} {
		c := Default()
		change(&c)
		if _, err := NewNoise(c); !errors.As(err, &unsupported) || !strings.Contains(err.Error(), unsupported.Value) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*Config){
		"no steps":       func(c *Config) { c.TrainSteps = 0 },
		"too many steps": func(c *Config) { c.TrainSteps = 1 << 40 },
		"falling":        func(c *Config) { c.BetaStart = 0.5 },
		"zero":           func(c *Config) { c.BetaStart = 0 },
		"not a number":   func(c *Config) { c.BetaEnd = math.NaN() },
		"no signal left": func(c *Config) { c.BetaEnd = 0.9999 },
		"no noise":       func(c *Config) { c.BetaStart, c.BetaEnd = 1e-12, 1e-11 },
	} {
		c := Default()
		change(&c)
		if _, err := NewNoise(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := New("euler", noise(t), 25); err == nil || !strings.Contains(err.Error(), "ddim") {
		t.Errorf("an unknown sampler: %v", err)
	}
	if _, err := New(DPM, noise(t), 0); err == nil {
		t.Error("no steps accepted")
	}
}
