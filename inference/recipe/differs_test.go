package recipe

import (
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/picture"
)

// TestDiffers: what is said of two requests, of which the first is changed in one place.
func TestDiffers(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	one := func() inference.Request {
		return inference.Request{
			Prompt: "a dog", Seeds: []uint64{7}, Settings: inference.Settings{Steps: 25, CFG: 5, Rescale: inference.NoRescale, Fit: picture.Pad},
			Subjects: []inference.Subject{{Word: inference.Word{Text: "dog", Occurrence: 1}, Scope: 0.25, References: []inference.Reference{{Name: "a.png", SHA256: sum}}}},
			Init:     &inference.Init{Name: "b.png", SHA256: sum, Strength: 0.5},
		}
	}
	for want, change := range map[string]func(*inference.Request){
		"": func(r *inference.Request) {
			r.Subjects[0].References[0].Name, r.Init.Name, r.Negative = "c.png", "d.png", " "
			r.UncondAttention = "perturbed" // which subjects keep from acting
		},
		`the prompt "a cat"`:                 func(r *inference.Request) { r.Prompt = "a cat" },
		"the seed 8, not 7":                  func(r *inference.Request) { r.Seeds = []uint64{8} },
		"30 as the number of steps, not 25":  func(r *inference.Request) { r.Steps = 30 },
		"0.5 as the guidance rescale, not 0": func(r *inference.Request) { r.Rescale = 0.5 },
		"lightning as the preset":            func(r *inference.Request) { r.Preset = "lightning" },
		"no guidance scale, not 5":           func(r *inference.Request) { r.CFG = 0 },
		"other subjects":                     func(r *inference.Request) { r.Subjects[0].References[0].SHA256 = strings.Repeat("cd", 32) },
		"another picture to begin with":      func(r *inference.Request) { r.Init = nil },
		`the prompt ""; no number of steps, not 25; no guidance scale, not 5; …`: func(r *inference.Request) { *r = inference.Request{} },
	} {
		was := one()
		change(&was)
		if got := Differs(was, one(), false); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	plain := one()
	plain.Subjects, plain.CFG = nil, 1
	perturbed := plain
	perturbed.UncondAttention = inference.PerturbedAttention
	if got := Differs(plain, perturbed, false); got != "" {
		t.Errorf("without an unconditional pass: %q", got)
	}
	if plain.CFG, perturbed.CFG = 2, 2; Differs(plain, perturbed, false) == "" {
		t.Error("the attention of the unconditional pass does not count")
	}
	if other := one(); Differs(other, one(), true) != "" {
		t.Error("a request is not itself")
	} else if other.Seeds = []uint64{8}; Differs(other, one(), true) != "" {
		t.Error("seeds count")
	}
}
