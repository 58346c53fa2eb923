package main

import (
	"strings"
	"testing"

	"realword/inference"
)

// Another preset leaves LoRAs and how prompts are read alone, and what subjects have of the former preset follows it.
func TestAPresetBesideARecipe(t *testing.T) {
	model, dog := tiny(t)
	out := t.TempDir()
	made := func(args ...string) (string, inference.Request) {
		t.Helper()
		status, stdout, stderr := command(t, append([]string{"generate", "--model", model, "--out", out}, args...)...)
		if status != 0 {
			t.Fatalf("%v: %d, %s", args, status, stderr)
		}
		file := strings.TrimSpace(stdout)
		return file, readRecipe(t, file).Request
	}
	lora := "../assets/golden/data/loras/tiny-kohya.safetensors"
	file, was := made("--prompt", "a (dog:1.2) "+strings.Repeat("big ", 80), "--subject", "dog="+dog, "--steps", "4", "--seed", "5", "--lora", lora+":0.8", "--literal", "--one-chunk")
	_, want := made("--prompt", "a dog", "--subject", "dog="+dog, "--preset", "release", "--steps", "4")
	_, got := made("--recipe", file, "--preset", "release", "--steps", "4")
	if got.LoRAs != was.LoRAs {
		t.Errorf("LoRAs %q, were %q", got.LoRAs, was.LoRAs)
	}
	if !got.Literal || !got.Cut {
		t.Errorf("literal %v, one chunk %v: were true", got.Literal, got.Cut)
	}
	if g, w := got.Subjects[0], want.Subjects[0]; g.Scope != w.Scope || g.References[0].Square.Fit != w.References[0].Square.Fit {
		t.Errorf("release has γ %g, %s; it is made with γ %g, %s", w.Scope, w.References[0].Square.Fit, g.Scope, g.References[0].Square.Fit)
	}
}
