package inference

import (
	"reflect"
	"testing"
)

// kept is what a history keeps of the steps of a run: the first one has scores in any case.
func kept(events []StepDone) []KeptStep {
	var out []KeptStep
	for i, e := range events {
		k := KeptStep{Step: e.Step, Clean: e.Clean}
		for _, s := range e.Subjects {
			if s.Scores != nil {
				k.Cross, k.Scores = append(k.Cross, s.Cross), append(k.Scores, s.Scores)
			}
		}
		if i == 0 && k.Scores == nil {
			k.Scores = e.State.Scores
		}
		out = append(out, k)
	}
	return out
}

func TestReplayGivesWhatTheRunGave(t *testing.T) {
	b := newBench(t)
	wide := b.dog()
	wide.Subjects = append(wide.Subjects, b.subject("beach", blue))
	wide.Width = 2 * b.model.manifest.Size.Height
	wide.Height = b.model.manifest.Size.Height
	raw := b.dog()
	raw.RawMask = true
	plain := b.dog()
	plain.Subjects = nil
	branch := b.dog()
	whole := of[StepDone](b.run(b.dog()))
	branch.From = &whole[20].State
	for name, r := range map[string]Request{"one subject": b.dog(), "two on a wide picture": wide, "raw masks": raw, "no subject": plain, "after T_stop": branch} {
		t.Run(name, func(t *testing.T) {
			events := b.run(r)
			steps, recipe := of[StepDone](events), of[PictureReady](events)[0].Recipe
			again := Replay(b.model.manifest, recipe, kept(steps))
			if len(again) != len(steps) {
				t.Fatalf("%d steps of %d", len(again), len(steps))
			}
			for i := range steps {
				want := steps[i]
				want.State = State{}
				if len(recipe.Subjects) == 0 {
					want.GridWidth, want.GridHeight = 0, 0 // nobody looks at a grid without masks
				}
				if !reflect.DeepEqual(again[i], want) {
					t.Fatalf("step %d is %+v, want %+v", want.Step, again[i], want)
				}
			}
		})
	}
}

func TestReplayOfAnotherModelHasMasksOnly(t *testing.T) {
	b := newBench(t)
	events := b.run(b.dog())
	recipe, m := of[PictureReady](events)[0].Recipe, b.model.manifest
	m.Latent.Factor *= 2
	m.Schedule.BetaSchedule = "another"
	steps := Replay(m, recipe, kept(of[StepDone](events)))
	if s := steps[len(steps)-1]; s.Preview != nil || len(s.Subjects) != 1 || len(s.Subjects[0].Mask) == 0 || s.GridWidth*s.GridHeight != len(s.Subjects[0].Mask) {
		t.Errorf("%+v", s)
	}
	broken := kept(of[StepDone](events))
	broken[0].Scores[0] = []float32{0, 0, 0}
	if s := Replay(m, recipe, broken[:1])[0]; s.Subjects[0].Mask != nil {
		t.Error("scores without a maximum made a mask")
	}
}
