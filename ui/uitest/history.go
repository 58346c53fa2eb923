package uitest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/inference/files"
	"realword/inference/recipe"
)

// GuidedStep is a finished step as an engine gives it, with what a history keeps of it: scores, and a state to go on from.
func GuidedStep(step, steps, stop, n int) inference.StepDone {
	s := Step(step, steps, stop, n)
	s.Clean = []float32{float32(step), 1, 2, 3}
	s.State = inference.State{Step: step + 1, Latent: []float32{0.1, float32(step)}, Seed: 7}
	for i := range s.Subjects {
		scores := Grid(1)
		scores[i+8] = 3
		s.State.Scores = append(s.State.Scores, scores)
		if s.Guided {
			s.Subjects[i].Cross, s.Subjects[i].Scores = Grid(0.25), scores
		}
	}
	return s
}

// Kept puts a finished job of one picture into a history: a dog on the beach, four steps, two of them guided. The file lies in
// pictures; where that is "" it could not be written, and the history keeps the picture in its place. Session 0 is a new one.
func Kept(t testing.TB, s *history.Store, pictures string, session, seed uint64, parents ...uint64) (picture uint64) {
	t.Helper()
	rex := PNG(Red)
	r := inference.Request{
		Prompt: "a dog on the beach", Seeds: []uint64{seed},
		Settings: inference.Settings{Negative: " ", Preset: "release", Width: 16, Height: 16, Steps: 4, Stop: 2, CFG: 3.5, Sampler: "ddim"},
		Subjects: []inference.Subject{{
			Word: Word("dog"), Scope: 0.2, References: []inference.Reference{{Name: "rex.png", SHA256: files.Sum(rex), Data: rex}},
		}},
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	plan, err := journal.PlanOf(s, session, r, Toybox.Name, parents...)
	check(err)
	round, err := s.BeginRound(plan, time.Now())
	check(err)
	rec := journal.NewRecorder(s, round, r)
	check(rec.Event(inference.StageStarted{Stage: inference.StageDenoise}))
	for i := range 4 {
		check(rec.Event(GuidedStep(i, 4, 2, 1)))
	}
	ready := Picture(r, 0)
	file, err := recipe.EncodePNG(ready, *Toybox, recipe.Embed{})
	check(err)
	if pictures == "" {
		check(rec.Unsaved(ready, file))
	} else {
		check(os.MkdirAll(pictures, 0o700))
		path := filepath.Join(pictures, fmt.Sprintf("dog-%d.png", seed))
		check(os.WriteFile(path, file, 0o600))
		check(rec.Saved(ready, path, files.Sum(file)))
	}
	check(rec.Event(inference.Done{Pictures: 1, Elapsed: time.Second}))
	return rec.Picture(0)
}
