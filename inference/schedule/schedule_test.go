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

func solver(t testing.TB, sampler string, steps int) *Solver {
	return solverOf(t, sampler, noise(t), steps)
}

func solverOf(t testing.TB, sampler string, noise *Noise, steps int) *Solver {
	t.Helper()
	found, err := Find(sampler)
	if err != nil {
		t.Fatal(err)
	}
	s, err := found.New(noise, steps)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// model is a network that is a function, without noise of its own.
func model(predict func(z []float32, t float32) []float32) Model {
	return Model{Predict: func(at Point, z []float32) ([]float32, error) { return predict(z, at.Time), nil }}
}

// fixed says the same everywhere.
func fixed(predicted ...float32) Model {
	return model(func([]float32, float32) []float32 { return predicted })
}

// take is a step of a model that does not fail.
func take(s *Solver, i int, z []float32, m Model) (next, x0 []float32) {
	next, x0, err := s.Step(i, z, m)
	if err != nil {
		panic(err)
	}
	return next, x0
}

func trains(s *Solver) (out []int) {
	for _, p := range s.Steps() {
		out = append(out, p.Train)
	}
	return out
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
		if got := trains(solverOf(t, DDIM, n, steps)); !slices.Equal(got, ts) {
			t.Errorf("%d steps: %v, want %v", steps, got, ts)
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
			s, z := solverOf(t, c.sampler, n, steps), want.Start
			for i, w := range trace {
				var x0 []float32
				if z, x0 = take(s, i, z, model(fake)); !near(z, w.Latent) || !near(x0, w.X0) {
					t.Fatalf("%s, %d steps, step %d:\n z %v\nwant %v\nx0 %v\nwant %v", c.name, steps, i, z, w.Latent, x0, w.X0)
				}
			}
		}
	}
}

// fake is the network of the goldens.
func fake(z []float32, t float32) []float32 {
	out := make([]float32, len(z))
	for p := range z {
		out[p] = 0.1*z[p] + 0.5*t/1000
	}
	return out
}

// trace walks a scalar from z = 1 and returns z' and x0 of every step.
func trace(s *Solver) (zs, x0s []float32) {
	z := []float32{1}
	for i := range s.Steps() {
		var x0 []float32
		z, x0 = take(s, i, z, model(fake))
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
			i := slices.Index(trains(s), r.t)
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
		if got := n.trained(step).lambda(); math.Abs(got-want) > 2e-5 {
			t.Errorf("λ_%d = %.6f, want %.6f", step, got, want)
		}
	}
}

func TestTrailing(t *testing.T) {
	n := noise(t)
	for steps := 1; steps <= 1000; steps++ {
		ts := trains(solverOf(t, DDIM, n, steps))
		if len(ts) != steps || ts[0] != 999 || ts[steps-1] < 0 {
			t.Fatalf("%d steps: %v", steps, ts)
		}
		for i := 1; i < steps; i++ {
			if ts[i] >= ts[i-1] {
				t.Fatalf("%d steps: %d after %d", steps, ts[i], ts[i-1])
			}
		}
	}
	ts := trains(solverOf(t, DDIM, n, 30))
	if !slices.Equal(ts[:4], []int{999, 966, 932, 899}) || !slices.Equal(ts[28:], []int{66, 32}) {
		t.Errorf("30 steps: %v", ts)
	}
	ts = trains(solverOf(t, DDIM, n, 16)) // 936.5 and 874 … : halves go to the even neighbour
	if ts[1] != 936 || ts[3] != 812 {
		t.Errorf("16 steps: %v", ts)
	}
}

// A deterministic made-up network over a few values.
func predict(z []float32, t float32) []float32 {
	eps := make([]float32, len(z))
	for p := range z {
		eps[p] = float32(math.Sin(float64(z[p]))) + t/3000
	}
	return eps
}

// run walks from a step to another, with fresh noise that follows the step alone.
func run(s *Solver, z []float32, from, to int) (next, x0 []float32) {
	for i := from; i < to; i++ {
		m, n := model(predict), 0
		m.Noise = func() []float32 {
			n++
			out := make([]float32, len(z))
			for p := range out {
				out[p] = float32(math.Sin(float64(100*i + 10*n + p)))
			}
			return out
		}
		z, x0 = take(s, i, z, m)
	}
	return z, x0
}

// every is all that Find knows by a name of its own.
func every() (names []string) {
	for _, s := range samplers {
		for _, p := range spacings {
			if found, err := s.On(p.name); err == nil {
				names = append(names, found.Name)
			}
		}
		if s.Fixed {
			names = append(names, s.Name)
		}
	}
	return names
}

func TestContinuingIsBitEqual(t *testing.T) {
	start := []float32{0.5, -1.25, 2, 0, 0.1}
	for _, sampler := range every() {
		for _, steps := range []int{2, 7, 24, 25} {
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
				for _, list := range [][]float32{state.Z, state.X0, state.Earlier} {
					for p := range list {
						list[p] = 99 // nor the solver the state
					}
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
	m := fixed(eps...)
	for _, sampler := range []string{DPM, "dpm++2m-trailing", "unipc-trailing"} {
		wantNext, wantX0 := take(solver(t, DDIM, 25), 4, z, m)
		for name, before := range map[string]func(*Solver){
			"nothing":       func(*Solver) {},
			"another index": func(s *Solver) { take(s, 1, other, m) },
			"a later index": func(s *Solver) { take(s, 5, other, m) },
			"another size":  func(s *Solver) { take(s, 3, []float32{1}, fixed(1)) },
		} {
			s := solver(t, sampler, 25)
			before(s)
			next, x0 := take(s, 4, z, m)
			for p := range next {
				if math.Abs(float64(next[p]-wantNext[p])) > 1e-6 || math.Abs(float64(x0[p]-wantX0[p])) > 1e-6 {
					t.Errorf("%s after %s: %v %v, want %v %v", sampler, name, next, x0, wantNext, wantX0)
				}
			}
		}
		s := solver(t, sampler, 25)
		take(s, 3, other, m)
		if next, _ := take(s, 4, z, m); math.Abs(float64(next[0]-wantNext[0])) < 1e-3 {
			t.Errorf("%s: a step that follows does not use its history", sampler)
		}
	}
}

// TestAHistoryThatCannotBe is none: a state that another computer sends may say anything.
func TestAHistoryThatCannotBe(t *testing.T) {
	z, m := []float32{0.5, -1}, fixed(0.2, 0.3)
	m.Noise = func() []float32 { return []float32{0.1, 0.2} }
	short, right := []float32{7}, []float32{7, 7}
	for _, sampler := range every() {
		for i, lies := range [][]State{
			{{X0: right, Z: right}, {X0: right, Z: right, Earlier: right}},
			{{Next: 1, Z: right, X0: right, Earlier: right}},
			{{Next: 2, Z: right, X0: right, Earlier: short}, {Next: 2, Z: right, X0: short}, {Next: 2, Z: short, X0: right}, {Next: 2, X0: right, Earlier: short}},
		} {
			want, _ := take(solver(t, sampler, 5), i, z, m)
			for _, lie := range lies {
				s := solver(t, sampler, 5)
				s.Restore(lie)
				if next, _ := take(s, i, z, m); !slices.Equal(next, want) {
					t.Errorf("%s, step %d after %+v: %v, without a history %v", sampler, i, lie, next, want)
				}
			}
		}
	}
}

func TestStepLeavesItsInputAlone(t *testing.T) {
	for _, sampler := range every() {
		s := solver(t, sampler, 5)
		z, eps, fresh := []float32{1, 2}, []float32{3, 4}, []float32{5, 6}
		m := fixed(eps...)
		m.Noise = func() []float32 { return fresh }
		next, x0 := take(s, 0, z, m)
		kept := s.State()
		if !slices.Equal(z, []float32{1, 2}) || !slices.Equal(eps, []float32{3, 4}) || !slices.Equal(fresh, []float32{5, 6}) {
			t.Errorf("%s writes into what it is given", sampler)
		}
		z[0], eps[0], fresh[0], next[0], x0[0] = 50, 50, 50, 50, 50
		if got := s.State(); !slices.Equal(got.Z, kept.Z) || !slices.Equal(got.X0, kept.X0) {
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
	for name, says := range map[string]string{"euler-b": "ddim", "": "ddim", "karras": "ddim", "ddim-karras": "spacing of its own", "lcm exponential": "spacing of its own"} {
		if _, err := Find(name); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, c := range []struct {
		sampler string
		steps   int
		says    string
	}{
		{DPM, 0, "1 to 1000"},
		{DDIM, -1, "1 to 1000"},
		{"euler", 1001, "1 to 1000"},
		{"euler-leading", 1, "2 steps or more"},
		{"lcm", 51, "50 steps at most"},
	} {
		s, err := Find(c.sampler)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(c.steps, 1000); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s in %d steps: %v", c.sampler, c.steps, err)
		}
		if _, err := s.New(noise(t), c.steps); err == nil {
			t.Errorf("%s makes a solver of %d steps", c.sampler, c.steps)
		}
	}
}
