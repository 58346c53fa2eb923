package inference

import (
	"math"
	"slices"
	"testing"
)

// TestRescale against diffusers' formula, computed in Python:
//
//	def rescale_noise_cfg(noise_cfg, noise_pred_text, guidance_rescale):
//	    axes = tuple(range(1, noise_pred_text.ndim))
//	    std_text, std_cfg = (x.std(axis=axes, keepdims=True, ddof=1) for x in (noise_pred_text, noise_cfg))
//	    return float32(guidance_rescale) * (noise_cfg * (std_text / std_cfg)) + float32(1 - guidance_rescale) * noise_cfg
//
// over numpy.float32 of shape (1, 2, 2, 2), noise_cfg with a guidance scale of 7.5.
func TestRescale(t *testing.T) {
	text := []float32{0.5, -1.25, 2, 0.75, -0.5, 1.5, -2.25, 0.125}
	guided := []float32{2.125, -2.875, 5.25, -0.875, 1.125, 8, -7.125, -0.6875}
	for phi, want := range map[float64][]float32{
		0:   guided,
		0.7: {1.0828908681869507, -1.465087652206421, 2.675377368927002, -0.4458962678909302, 0.5732951760292053, 4.076766014099121, -3.6308693885803223, -0.35034704208374023},
		1:   {0.636272668838501, -0.8608395457267761, 1.5719678401947021, -0.2619946300983429, 0.33685025572776794, 2.3953795433044434, -2.133384943008423, -0.2058529257774353},
	} {
		got := slices.Clone(guided)
		rescale(got, text, phi)
		for i := range got {
			if math.Abs(float64(got[i]-want[i])) > 1e-6 {
				t.Errorf("φ = %g, value %d: %g, diffusers has %g", phi, i, got[i], want[i])
			}
		}
	}
	flat := []float32{0, 0, 0}
	if rescale(flat, text, 0.7); !slices.Equal(flat, []float32{0, 0, 0}) {
		t.Errorf("nothing became %v", flat)
	}
}

// TestRescaleIsAsked: a request that sets it gives another picture, and the recipe says so; without guidance it does nothing.
func TestRescaleIsAsked(t *testing.T) {
	b := newBench(t)
	last := func(cfg, phi float64) []float32 {
		r := b.dog()
		r.Steps, r.Stop, r.CFG, r.Rescale = 3, 2, cfg, phi
		events := b.run(r)
		if got := of[PictureReady](events)[0].Recipe.Rescale; got != phi {
			t.Errorf("the recipe has φ = %g, want %g", got, phi)
		}
		return of[StepDone](events)[2].Clean
	}
	if slices.Equal(last(7.5, 0), last(7.5, 0.7)) {
		t.Error("φ changes nothing")
	}
	if !slices.Equal(last(1, 0), last(1, 0.7)) {
		t.Error("φ acts without guidance")
	}
	for _, phi := range []float64{-0.1, 1.1, math.NaN()} {
		r := b.dog()
		r.Rescale = phi
		if _, err := b.engine.Resolve(r); err == nil {
			t.Errorf("φ = %g is taken", phi)
		}
	}
}
