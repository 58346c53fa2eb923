package inference

import (
	"slices"
	"strings"
	"testing"

	"realword/inference/bundle"
)

// TestUncondAttention: the unconditional passes of a picture without subjects are perturbed where the preset or the request says so, and
// no other pass ever is; one that asks for it of a model without perturbed blocks is told.
func TestUncondAttention(t *testing.T) {
	b := newBench(t)
	plain := Request{Prompt: "a dog", Seeds: []uint64{1}, Settings: Settings{Steps: 3, Stop: 2}}
	bound := b.dog()
	bound.Steps, bound.Stop = 3, 2
	perturbed := func(r Request, attention string) (flags []int64) {
		t.Helper()
		r.UncondAttention = attention
		before := len(b.runtime.callsOf(""))
		of[PictureReady](b.run(r))
		for _, c := range b.runtime.callsOf("")[before:] {
			if flag := c.in["perturbed"]; flag != nil {
				flags = append(flags, flag.I64...)
			}
		}
		return flags
	}
	for _, attention := range []string{"perturbed", "whole"} {
		r := plain
		r.UncondAttention = attention
		if _, err := b.engine.Resolve(r); err == nil || !strings.Contains(err.Error(), "choose plain") {
			t.Errorf("%s: %v", attention, err)
		}
	}
	if flags := perturbed(plain, "plain"); flags != nil {
		t.Errorf("a model without perturbed blocks is told %v", flags)
	}
	m := &b.runtime.model.manifest
	m.Networks.UNet.PerturbedBlocks = []string{"mid_block"}
	m.Presets = map[string]bundle.Preset{"paper": m.Presets["paper"], "release": m.Presets["release"]}
	paper := m.Presets["paper"]
	paper.UncondAttention = PerturbedAttention
	m.Presets["paper"] = paper
	for _, c := range []struct {
		name string
		got  []int64
		want []int64
	}{
		{"the preset's", perturbed(plain, ""), []int64{0, 1, 0, 1, 0, 1}},
		{"plain", perturbed(plain, "plain"), []int64{0, 0, 0, 0, 0, 0}},
		{"of a subject", perturbed(bound, ""), []int64{0, 0, 0, 0, 0, 0, 0, 0}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
	if s := (Settings{UncondAttention: "plain"}).Complete(*m); s.UncondAttention != "plain" {
		t.Errorf("plain where the preset says otherwise is %q", s.UncondAttention)
	}
	if s := (Settings{UncondAttention: "plain", Preset: "release"}).Complete(*m); s.UncondAttention != "" {
		t.Errorf("plain where the preset says nothing is %q", s.UncondAttention)
	}
}
