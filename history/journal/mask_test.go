package journal

import (
	"bytes"
	"image"
	"slices"
	"testing"
	"time"

	"realword/history"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/guidance"
	"realword/inference/picture"
)

func TestMasksAreKeptAndComeBack(t *testing.T) {
	s := store(t)
	half := image.NewGray(image.Rect(0, 0, 2, 2))
	half.Pix[0], half.Pix[2] = 255, 255
	mask, err := picture.EncodePainted(half)
	if err != nil {
		t.Fatal(err)
	}
	r := dog()
	r.Subjects[0].Region = inference.Region{Kind: guidance.OnlyHere, Painted: inference.Painted{SHA256: sum(mask), Data: mask}}
	plan, err := PlanOf(s, 0, r, "tiny")
	if err != nil || len(plan.References) != 2 || plan.References[1] != (history.Reference{Name: "dog-mask.png", SHA256: sum(mask)}) || bytes.Contains(plan.Recipe, []byte(`"masks"`)) {
		t.Fatalf("%+v, %v", plan, err)
	}
	round, err := s.BeginRound(plan, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	rec := NewRecorder(s, round, r)
	for _, e := range []inference.Event{inference.StageStarted{Stage: inference.StageDenoise}, step(0), step(1)} {
		if err := rec.Event(e); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Recall(s, rec.Picture(0))
	if err != nil || len(got.Missing) != 0 || !bytes.Equal(got.Recipe.Subjects[0].Region.Data, mask) {
		t.Fatalf("%+v, %v", got.Recipe.Subjects, err)
	}
	// The film shows the masks of the run, also of a recipe that came without its masks.
	bare := got.Recipe.Request
	bare.Subjects = inference.CloneSubjects(bare.Subjects)
	bare.Subjects[0].Region.Data = nil
	film, err := Film(s, rec.Picture(0), bundle.Manifest{}, bare)
	if err != nil || len(film) != 2 || !slices.Equal(film[1].Subjects[0].Mask, []float32{1, 0, 0, 0}) { // scores 1.1, 1, 0, 0.3
		t.Errorf("%+v, %v", film, err)
	}
	if bare.Subjects[0].Region.Data != nil {
		t.Error("the caller's request was changed")
	}
	if _, err := s.Enqueue(plan, time.Now()); err != nil {
		t.Fatal(err)
	}
	waiting, err := Queue(s)
	if err != nil || len(waiting) != 1 || len(waiting[0].Missing) != 0 || !bytes.Equal(waiting[0].Request.Subjects[0].Region.Data, mask) {
		t.Errorf("%+v, %v", waiting, err)
	}
}
