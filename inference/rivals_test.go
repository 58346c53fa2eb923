package inference

import (
	"slices"
	"testing"

	"realword/inference/bundle"
	"realword/inference/tensor"
)

// TestRivals: where the model says so, what a prompt names and has no picture keeps its place from a subject. Nobody wears a rival, stands in
// one, or has it as a colour; a palm tree is one and no tree.
func TestRivals(t *testing.T) {
	b := newBench(t)
	b.runtime.spoil = func(role string, out map[string]*tensor.Tensor) {
		scores := out["scores"]
		if role != "guidance" || scores.Shape[0] < 2 {
			return
		}
		n := len(scores.F32) / scores.Shape[0]
		copy(scores.F32, []float32{4, 3, 2, 1})      // of the subject
		copy(scores.F32[n:], []float32{1, 2, 10, 8}) // of its rival
		for i := 4; i < n; i++ {
			scores.F32[i], scores.F32[n+i] = .1, .1
		}
	}
	r := b.dog()
	r.Prompt, r.Steps, r.Stop = "an orange dog wearing a top hat and a palm tree in a flower meadow", 2, 2
	words := &bundle.Vocabulary{
		Subjects: []string{"dog", "tree", "palm tree", "flower", "hat", "orange"}, Colours: []string{"orange"},
		Worn: []string{"a top hat"}, Places: []string{"in a flower meadow"},
	}
	for _, rivals := range []bool{false, true} {
		words.Rivals = rivals
		b.runtime.model.manifest.Words = words
		before := len(b.runtime.callsOf("guidance"))
		step := of[StepDone](b.run(r))[0]
		in := b.runtime.callsOf("guidance")[before].in["token_weights"]
		var marked []int
		for i, v := range in.F32 {
			if v != 0 {
				marked = append(marked, i)
			}
		}
		if len(step.Subjects) != 1 || len(step.Subjects[0].Cross) == 0 {
			t.Fatalf("rivals %v: %d subjects", rivals, len(step.Subjects))
		}
		scores := step.Subjects[0].Scores
		switch {
		case !rivals && (in.Shape[0] != 1 || len(marked) != 1):
			t.Errorf("without rivals %d words are looked for, at %v", in.Shape[0], marked)
		case rivals && (in.Shape[0] != 2 || len(marked) < 3 || marked[1] < in.Shape[1]):
			t.Errorf("with rivals %d words are looked for, at %v", in.Shape[0], marked)
		case rivals && !slices.Equal(scores[:4], []float32{4, 3, 0, 0}):
			t.Errorf("the subject's scores are %v", scores[:4])
		}
	}
}
