package schedule

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"
)

// TestTraces walks every sampler as diffusers did.
func TestTraces(t *testing.T) {
	data, err := os.ReadFile("../../assets/golden/data/samplers.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Start  []float32
		Noise  [][]float32
		Zero   []float64 `json:"zero_alphas_cumprod"`
		Traces []struct {
			Kind, Sampler string
			Steps         []struct {
				T          float64
				Latent, X0 []float64
			}
		}
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	zero := Default()
	zero.PredictionType, zero.ZeroSNR = Velocity, true
	rescaled, err := NewNoise(zero)
	if err != nil || len(want.Zero) != 1000 {
		t.Fatal(len(want.Zero), err)
	}
	if off := far(rescaled.alphas, want.Zero); off > 5e-7 || rescaled.alphas[999] != 0 {
		t.Errorf("with zero terminal SNR, ᾱ is off by %.1e and ends at %g", off, rescaled.alphas[999])
	}
	worst, covered := map[string]float64{}, map[string]bool{}
	for _, w := range want.Traces {
		config := Default()
		switch w.Kind {
		case "velocity":
			config.PredictionType = Velocity
		case "zero":
			config = zero
		case "edm":
			config.PredictionType, config.SigmaMin, config.SigmaMax = Velocity, 0.002, 120
		}
		n, err := NewNoise(config)
		if err != nil {
			t.Fatal(err)
		}
		s := solverOf(t, w.Sampler, n, len(w.Steps))
		z, drawn := want.Start, 0
		m := model(fake)
		if w.Kind == "edm" {
			m = model(func(z []float32, t float32) []float32 { return mix(0.1, z, 0.05, slices.Repeat([]float32{t}, len(z))) })
		}
		m.Noise = func() []float32 { drawn++; return want.Noise[drawn-1] }
		for i, step := range w.Steps {
			asked := 0
			counting := m
			counting.Predict = func(at Point, z []float32) ([]float32, error) { asked++; return m.Predict(at, z) }
			var x0 []float32
			z, x0 = take(s, i, z, counting)
			worst[w.Kind+" "+w.Sampler] = max(worst[w.Kind+" "+w.Sampler], far(z, step.Latent), far(x0, step.X0))
			if got := float64(s.Steps()[i].Time); math.Abs(got-step.T) > 1e-3 {
				t.Fatalf("%s %s in %d steps: step %d is at %g, want %g", w.Kind, w.Sampler, len(w.Steps), i, got, step.T)
			}
			if got := s.sampler.Evaluations(i, len(w.Steps)); got != asked {
				t.Errorf("%s: step %d asks %d times, and says %d", w.Sampler, i, asked, got)
			}
			if i < len(w.Steps)-1 && drawn != (i+1)*s.sampler.Draws {
				t.Errorf("%s: after step %d it has had %d latents of noise, and says %d each", w.Sampler, i, drawn, s.sampler.Draws)
			}
		}
		covered[s.sampler.Name] = true
	}
	for name, off := range worst {
		if t.Logf("%-30s %.1e", name, off); off > 1e-5 {
			t.Errorf("%s: off by %.1e", name, off)
		}
	}
	for _, name := range Samplers() {
		if s, err := Find(name); name != DDIM && name != DPM && (err != nil || !covered[s.Name]) {
			t.Errorf("no trace of %s: %v", name, err)
		}
	}
}

// far is the greatest difference, relative where values are greater than 1.
func far(got []float32, want []float64) (worst float64) {
	for p, w := range want {
		worst = max(worst, math.Abs(float64(got[p])-w)/max(1, math.Abs(w)))
	}
	return worst
}

// The names are those that the programs write: A1111's infotext, ComfyUI's nodes, diffusers' classes, InvokeAI, NovelAI, Fooocus.
func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"ddim": "ddim", "DDIM": "ddim", "DDIMScheduler": "ddim", "dpm++": "dpm++", "DPM++ 2S": "dpm++",
		"Euler": "euler", "euler": "euler", "k_euler": "euler", "EulerDiscreteScheduler": "euler", "Euler Karras": "euler-karras", "euler-linspace": "euler",
		"Euler a": "euler-a", "euler_ancestral": "euler-a", "k_euler_ancestral": "euler-a", "EulerAncestralDiscreteScheduler": "euler-a", "euler_a": "euler-a",
		"Heun": "heun", "heun": "heun", "k_heun": "heun",
		"DPM++ 2M": "dpm++2m", "dpmpp_2m": "dpm++2m", "DPM++ 2M Karras": "dpm++2m-karras", "dpmpp_2m_karras": "dpm++2m-karras", "dpmpp_2m_k": "dpm++2m-karras",
		"DPM++ 2M SDE": "dpm++2msde", "dpmpp_2m_sde_gpu": "dpm++2msde", "DPM++ 2M SDE Exponential": "dpm++2msde-exponential",
		"DPM++ SDE Karras": "dpm++sde-karras", "dpmpp_sde": "dpm++sde",
		"lcm-trailing": "lcm-trailing", "UniPC": "unipc", "uni_pc": "unipc", "uni_pc_bh2": "unipc", "LCM": "lcm", "lcm": "lcm", "Euler SGM Uniform": "euler-trailing", "euler-trailing": "euler-trailing",
	} {
		s, err := Find(name)
		if err != nil || s.Name != want {
			t.Errorf("%q is %q, want %q: %v", name, s.Name, want, err)
			continue
		}
		for _, again := range []string{s.Name, s.A1111, s.Label} {
			if same, err := Find(again); err != nil || same.Name != want {
				t.Errorf("%q of %s leads to %q: %v", again, want, same.Name, err)
			}
		}
	}
	for _, c := range [][3]string{
		{"DPM++ 2M", "Automatic", "dpm++2m-karras"},
		{"Euler a", "Automatic", "euler-a"},
		{"DPM++ 2M", "Karras", "dpm++2m-karras"},
		{"dpmpp_2m", "sgm_uniform", "dpm++2m-trailing"},
		{"Euler", "normal", "euler"},
		{"DDIM", "Automatic", "ddim"},
		{"Euler", "", "euler"},
		{"Euler a Karras", "SGM Uniform", "euler-a-trailing"},
		{"Euler a Karras", "Uniform", "euler-a"},
		{"Euler a Karras", "Automatic", "euler-a-karras"},
		{"DPM++ 2M Karras", "karras", "dpm++2m-karras"},
	} {
		s, _ := Find(c[0])
		if got, err := s.On(c[1]); err != nil || got.Name != c[2] {
			t.Errorf("%s on %s is %q, want %q: %v", c[0], c[1], got.Name, c[2], err)
		}
	}
	seen := map[string]bool{}
	for _, name := range Samplers() {
		s, err := Find(name)
		if err != nil || s.Name != name || seen[s.Label] {
			t.Errorf("%s is offered, and is %+v: %v", name, s, err)
		}
		seen[s.Label] = true
	}
}

// Any number of steps that is not refused makes a picture of numbers.
func TestEveryNumberOfSteps(t *testing.T) {
	velocity, zero, edm := Default(), Default(), Default()
	velocity.PredictionType = Velocity
	zero.PredictionType, zero.ZeroSNR = Velocity, true
	edm.PredictionType, edm.SigmaMin, edm.SigmaMax = Velocity, 0.002, 120
	for _, kind := range []Config{Default(), velocity, zero, edm} {
		n, err := NewNoise(kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range every() {
			for _, steps := range []int{1, 2, 3, 4, 49, 50, 333, 999, 1000} {
				found, _ := Find(name)
				s, err := found.New(n, steps)
				if err != nil {
					continue // TestRefusals
				}
				z, x0 := run(s, []float32{0.5, -1.25, 2}, 0, steps)
				if name != DPM && !slices.Equal(z, x0) {
					t.Errorf("%s in %d steps ends at %v, with the picture at %v", name, steps, z, x0)
				}
				for _, v := range x0 {
					if math.IsNaN(float64(v)) || math.Abs(float64(v)) > 1e3 {
						t.Fatalf("%s in %d steps: %v", name, steps, x0)
					}
				}
				for i, p := range s.Steps()[1:] {
					if before := s.Steps()[i]; p.k() >= before.k() || p.Time > before.Time {
						t.Fatalf("%s in %d steps: step %d at %+v follows %+v", name, steps, i+1, p, before)
					}
				}
			}
		}
	}
}
