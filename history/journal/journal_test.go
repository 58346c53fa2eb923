package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"realword/history"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/picture"
	"realword/inference/recipe"
)

func open(t *testing.T, path string) *history.Store {
	t.Helper()
	s, err := history.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func store(t *testing.T) *history.Store { return open(t, filepath.Join(t.TempDir(), "history.db")) }

// rex is the file of a reference; the store asks for no picture.
var rex = []byte("a picture of a dog")

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// dog is a resolved request of two pictures with one subject: four steps, two of them guided.
func dog() inference.Request {
	return inference.Request{
		Prompt: "a dog", Settings: inference.Settings{Negative: " ", Preset: "paper", Width: 32, Height: 32, Steps: 4, Stop: 2, CFG: 5, Sampler: "ddim", MaskSource: "all_cross"}, Seeds: []uint64{7, 9},
		Subjects: []inference.Subject{{Word: inference.Word{Text: "dog", Occurrence: 1}, Scope: 0.5, References: []inference.Reference{
			{Name: "rex.png", SHA256: sum(rex), Square: picture.Square{Fit: picture.Crop}, Data: rex},
		}}},
	}
}

// step is a step of dog as the engine gives it.
func step(i int) inference.StepDone {
	scores := []float32{float32(i) + 0.1, 1, 0, 0.3}
	e := inference.StepDone{Step: i, Steps: 4, Clean: []float32{float32(i), 1, 2, 3}, GridWidth: 2, GridHeight: 2, Guided: i < 2, Subjects: make([]inference.SubjectStep, 1)}
	e.State = inference.State{Step: i + 1, Model: "tiny", Seed: 7, Latent: []float32{0.1, float32(i)}, Scores: [][]float32{scores}}
	if e.Guided {
		e.Subjects[0].Cross, e.Subjects[0].Scores = []float32{0.25, 0.5, 0.75, 1}, scores
	}
	return e
}

// finished is a picture of dog.
func finished(n int, seed uint64) inference.PictureReady {
	r := dog()
	r.Seeds = []uint64{seed}
	return inference.PictureReady{Picture: n, Seed: seed, Image: image.NewNRGBA(image.Rect(0, 0, 256, 128)), Recipe: r}
}

// startDog is a round of dog that has begun.
func startDog(t *testing.T, s *history.Store) (round uint64) {
	t.Helper()
	plan, err := PlanOf(s, 0, dog(), "tiny")
	if err != nil {
		t.Fatal(err)
	}
	round, err = s.BeginRound(plan, plan0)
	if err != nil {
		t.Fatal(err)
	}
	return round
}

// record runs the first picture of dog through a recorder and leaves the round open.
func record(t *testing.T, s *history.Store) (rec *Recorder, picture uint64) {
	t.Helper()
	round := startDog(t, s)
	rec = NewRecorder(s, round, dog())
	events := []inference.Event{inference.StageStarted{Stage: inference.StageText}, inference.StageStarted{Stage: inference.StageDenoise}}
	for i := range 4 {
		events = append(events, step(i))
	}
	for _, e := range events {
		if err := rec.Event(e); err != nil {
			t.Fatal(err)
		}
	}
	return rec, rec.Picture(0)
}

func TestARoundIsKeptAndComesBack(t *testing.T) {
	s := store(t)
	rec, id := record(t, s)
	if err := rec.Saved(finished(0, 7), "/pictures/dog.png", "ab"); err != nil || id == 0 || rec.Picture(1) != 0 {
		t.Fatalf("picture %d, %v", id, err)
	}
	if err := rec.Event(inference.Done{Pictures: 1}); err != nil {
		t.Fatal(err)
	}
	got, err := Recall(s, id)
	if err != nil || len(got.Missing) != 0 || got.Round.Status != history.Complete || !slices.Equal(got.Round.Words, []string{"dog"}) {
		t.Fatalf("%+v, %v", got, err)
	}
	if p := got.Picture; p.File != "/pictures/dog.png" || p.SHA256 != "ab" || p.Width != 256 || p.Height != 128 || p.Steps != 4 || p.Seed != 7 {
		t.Errorf("picture %+v", p)
	}
	want := dog()
	want.Seeds = []uint64{7}
	if a, b := text(t, got.Recipe.Request), text(t, want); a != b || !bytes.Equal(got.Recipe.Subjects[0].References[0].Data, rex) {
		t.Errorf("the recipe came back as\n%s, was\n%s", a, b)
	}
	state, err := KeptState(s, id)
	if err != nil || state == nil || state.Step != 2 || state.Latent[0] != 0.1 || state.Latent[1] != 1 || state.Scores[0][0] != 1.1 {
		t.Errorf("the exact state at T_stop is %+v, %v", state, err)
	}
	film, err := Film(s, id, bundle.Manifest{}, want)
	if err != nil || len(film) != 4 {
		t.Fatalf("%d steps, %v", len(film), err)
	}
	for i, f := range film {
		was := step(i)
		if f.Step != i || f.Guided != was.Guided || !near(f.Clean, was.Clean) || !near(f.Subjects[0].Cross, was.Subjects[0].Cross) || !near(f.Subjects[0].Scores, was.Subjects[0].Scores) {
			t.Errorf("step %d came back as %+v", i, f)
		}
		// γ 0.5 keeps two of four positions; masks are their scores over the largest.
		if mask := [][]float32{{0, 1, 0, 0.3}, {1, 1 / 1.1, 0, 0}}[min(i, 1)]; !near(f.Subjects[0].Mask, mask) {
			t.Errorf("the mask of step %d is %v, want %v", i, f.Subjects[0].Mask, mask)
		}
	}
}

func text(t *testing.T, r inference.Request) string {
	t.Helper()
	data, err := recipe.New(r, "tiny")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// near allows what half floats lose.
func near(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Abs(float64(x-y)) < 2e-3 })
}

func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		last inference.Event
		want history.Status
		text string
	}{
		{inference.Done{}, history.Complete, ""},
		{inference.Failed{Err: context.Canceled}, history.Cancelled, ""},
		{inference.Failed{Err: errors.New("no memory")}, history.Failed, "no memory"},
	} {
		s := store(t)
		rec, _ := record(t, s)
		if err := rec.Event(c.last); err != nil {
			t.Fatal(err)
		}
		if r, err := s.Round(rec.Round); err != nil || r.Status != c.want || r.Error != c.text {
			t.Errorf("%v: %+v, %v", c.last, r, err)
		}
	}
}

// A picture whose file cannot be written is kept itself.
func TestUnsaved(t *testing.T) {
	s := store(t)
	rec, id := record(t, s)
	if err := rec.Unsaved(finished(0, 7), []byte("png")); err != nil {
		t.Fatal(err)
	}
	if data, err := s.Pixels(id); err != nil || string(data) != "png" {
		t.Errorf("%q, %v", data, err)
	}
	if err := rec.Unsaved(finished(1, 9), []byte("png")); !errors.Is(err, history.ErrNoPicture) {
		t.Errorf("a picture that was never begun: %v", err)
	}
}

// A step that cannot be kept ends the film of its picture, and neither that of another one nor the round.
func TestAStepThatCannotBeKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	s := open(t, path)
	rec, id := record(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if rec.Event(step(3)) == nil {
		t.Fatal("no error")
	}
	s = open(t, path)
	rec.store = s
	second := step(0)
	second.Picture = 1
	for _, e := range []inference.Event{step(5), inference.StageStarted{Stage: inference.StageDenoise, Picture: 1}, second} {
		if err := rec.Event(e); err != nil {
			t.Error(err)
		}
	}
	if err := errors.Join(rec.Saved(finished(0, 7), "/pictures/dog.png", "ab"), rec.Event(inference.Done{})); err != nil {
		t.Error(err)
	}
	r, err := s.Round(rec.Round)
	if err != nil || r.Status != history.Complete || len(r.Pictures) != 2 || r.Pictures[0].File != "/pictures/dog.png" || r.Pictures[1].Steps != 1 {
		t.Errorf("%+v, %v", r.Pictures, err)
	}
	if steps, err := s.Steps(id); err != nil || len(steps) != 4 {
		t.Errorf("%d steps, %v", len(steps), err)
	}
}

// Large files of the history, such as steps, have no room on its disk any more, and small records have it: the picture, on another disk, is
// recorded, and its job is not made again.
func TestAPictureWithoutSteps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	l := newLog(open(t, path))
	r := dog()
	r.Seeds = []uint64{7}
	l.Enqueue(1, r, "tiny", nil)
	l.settle()
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "history.blobs"), nil, 0o600); err != nil { // no folder for large ones
		t.Fatal(err)
	}
	shot := finished(0, 7)
	events := []inference.Event{inference.StageStarted{Stage: inference.StageDenoise}}
	for i := range 4 {
		e := step(i)
		e.Clean = make([]float32, 64*64*4*2)
		for k := range e.Clean {
			e.Clean[k] = float32(i + k)
		}
		events = append(events, e)
	}
	for range l.Record(1, r, "tiny", nil, said(append(events, shot, inference.Done{Pictures: 1})...)) {
	}
	if errs := l.settle(); len(errs) != 2 { // the first step that is not kept, and at the end of the round
		t.Errorf("told %v", errs)
	}
	l.Saved(shot, "/other disk/dog.png", "ab", func(uint64) {})
	if errs := l.settle(); len(errs) > 0 {
		t.Errorf("told %v", errs)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	waiting, err := Queue(s)
	if err != nil || len(waiting) > 0 {
		t.Errorf("%d jobs wait, %v", len(waiting), err)
	}
	if rounds, err := s.Rounds(); err != nil || rounds[0].Status != history.Complete || rounds[0].Pictures[0].File != "/other disk/dog.png" {
		t.Errorf("%s, %+v, %v", rounds[0].Status, rounds[0].Pictures, err)
	}
}

func TestAReferenceThatIsGone(t *testing.T) {
	s := store(t)
	record(t, s)
	r := dog()
	r.Subjects[0].References[0].Data = nil // deleted meanwhile: its bytes never came into this history
	r.Subjects[0].References[0].SHA256 = sum([]byte("another"))
	data, err := recipe.New(r, "tiny")
	if err != nil {
		t.Fatal(err)
	}
	round, err := s.BeginRound(history.Plan{Recipe: data}, plan0)
	if err != nil {
		t.Fatal(err)
	}
	id, err := s.StartPicture(round, 7)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Recall(s, id)
	if err != nil || len(got.Missing) != 1 || got.Missing[0].Name != "rex.png" || got.Recipe.Prompt != "a dog" {
		t.Errorf("%+v, %v", got, err)
	}
	if state, err := KeptState(s, id); state != nil || err != nil {
		t.Errorf("a picture without steps has the state %+v, %v", state, err)
	}
}

// A reference that is not what was written is missing as well, and is no error of the whole recipe.
func TestAReferenceThatIsDamaged(t *testing.T) {
	s := store(t)
	r := dog()
	r.Subjects[0].References[0].Data = []byte("others") // under the SHA-256 of rex
	plan, err := PlanOf(s, 0, r, "tiny")
	if err != nil {
		t.Fatal(err)
	}
	round, err1 := s.BeginRound(plan, plan0)
	id, err2 := s.StartPicture(round, 7)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	got, err := Recall(s, id)
	if err != nil || len(got.Missing) != 1 || got.Recipe.Subjects[0].References[0].Data != nil {
		t.Errorf("missing %+v, %v", got.Missing, err)
	}
	if _, err := PlanOf(s, 0, dog(), "tiny"); err != nil { // the user adds it again
		t.Fatal(err)
	}
	if got, err = Recall(s, id); err != nil || len(got.Missing) > 0 || string(got.Recipe.Subjects[0].References[0].Data) != string(rex) {
		t.Errorf("added again: missing %+v, %v", got.Missing, err)
	}
}

// The step at T_stop has its scores in its exact state alone. Histories used to keep them twice, and are read all the same.
func TestScoresAreKeptOnce(t *testing.T) {
	s := store(t)
	_, id := record(t, s)
	kept, err := s.Step(id, 1, true)
	if err != nil || len(kept.State) == 0 || kept.Scores != nil || len(kept.Cross) != 1 {
		t.Fatalf("%+v, %v", kept, err)
	}
	want := [][]float32{{1.1, 1, 0, 0.3}, {2.1, 1, 0, 0.3}}
	for i, keep := range []func() error{
		func() error { return nil },
		func() error { // as it was; other numbers, to tell which are read
			kept.Scores = [][]float32{want[1]}
			return s.AddStep(id, kept)
		},
		func() error { // of a Realword that writes other states
			kept.Scores, kept.State = nil, []byte{99}
			return s.AddStep(id, kept)
		},
	} {
		if err := keep(); err != nil {
			t.Fatal(err)
		}
		film, err := Film(s, id, bundle.Manifest{}, dog())
		if err != nil || len(film) != 4 {
			t.Fatalf("%d steps, %v", len(film), err)
		}
		if i < 2 && !near(film[1].Subjects[0].Scores, want[i]) {
			t.Errorf("%d: scores %v, want %v", i, film[1].Subjects[0].Scores, want[i])
		}
		// The masks at the end are made of the last scores that are known, in the end those of step 0.
		if mask := [][]float32{{1, 1 / 1.1, 0, 0}, {1, 1 / 2.1, 0, 0}, {0, 1, 0, 0.3}}[i]; !near(film[3].Subjects[0].Mask, mask) {
			t.Errorf("%d: the mask at the end is %v, want %v", i, film[3].Subjects[0].Mask, mask)
		}
	}
}

// The SHA-256 of a reference is that of the request: the bytes, here others, are not hashed again. Reading them notices.
func TestReferencesAreNotHashedAgain(t *testing.T) {
	s := store(t)
	r := dog()
	r.Subjects[0].References[0].Data = []byte("others")
	plan, err := PlanOf(s, 0, r, "tiny")
	if err != nil || plan.References[0].SHA256 != sum(rex) {
		t.Fatalf("%+v, %v", plan.References, err)
	}
	l := newLog(s)
	l.KeepDraft([]byte(`{}`), r.Subjects[0].References)
	if errs := l.settle(); len(errs) > 0 {
		t.Fatal(errs)
	}
	if one, err := s.Session(l.Session()); err != nil || one.References[0].SHA256 != sum(rex) {
		t.Errorf("%+v, %v", one, err)
	}
	var known *history.Error
	if _, err := s.ReferenceData(sum(rex)); !errors.As(err, &known) || known.Kind != history.Damaged {
		t.Errorf("%v", err)
	}
}

// A picture that goes on from another one's step behind T_stop has no scores of its own: its first step keeps those that its masks
// were made of. Exactly one step has a state, and never the last, from which nothing could go on.
func TestAPictureThatGoesOnFromAKeptStep(t *testing.T) {
	s := store(t)
	plan, err := PlanOf(s, 0, dog(), "tiny")
	if err != nil {
		t.Fatal(err)
	}
	for stop, from := range map[int]int{2: 2, 4: 3} { // T_stop, and the first step
		r := dog()
		r.Stop = stop
		round, err := s.BeginRound(plan, plan0)
		if err != nil {
			t.Fatal(err)
		}
		rec := NewRecorder(s, round, r)
		events := []inference.Event{inference.StageStarted{Stage: inference.StageDenoise}}
		for i := from; i < 4; i++ {
			events = append(events, step(i))
		}
		for _, e := range events {
			if err := rec.Event(e); err != nil {
				t.Fatal(err)
			}
		}
		for i := from; i < 4; i++ {
			kept, err := s.Step(rec.Picture(0), i, true)
			if err != nil || (len(kept.Scores) == 1) != (i == from) || len(kept.State) > 0 {
				t.Errorf("T_stop %d, step %d: %+v, %v", stop, i, kept, err)
			}
		}
		film, err := Film(s, rec.Picture(0), bundle.Manifest{}, r)
		if mask := []float32{1, 1 / (float32(from) + 0.1), 0, 0}; err != nil || !near(film[0].Subjects[0].Mask, mask) {
			t.Errorf("T_stop %d: the mask is %v, want %v, %v", stop, film[0].Subjects[0].Mask, mask, err)
		}
	}
}

// TestAPictureToBeginWithIsKept keeps a round that begins with a picture behind T_stop, and reads it, its state and its place in the
// queue again.
func TestAPictureToBeginWithIsKept(t *testing.T) {
	s, start := store(t), []byte("a picture to begin with")
	r := dog()
	r.Seeds, r.Init = []uint64{7}, &inference.Init{Name: "start.png", SHA256: sum(start), Strength: 0.5, Data: start}
	plan, err := PlanOf(s, 0, r, "tiny")
	if err != nil || len(plan.References) != 2 || plan.References[1].Name != "start.png" {
		t.Fatalf("%+v, %v", plan.References, err)
	}
	round, err := s.BeginRound(plan, plan0)
	if err != nil {
		t.Fatal(err)
	}
	rec := NewRecorder(s, round, r)
	for _, e := range []inference.Event{inference.StageStarted{Stage: inference.StageEncode}, inference.StageStarted{Stage: inference.StageDenoise}, step(2), step(3)} {
		if err := rec.Event(e); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Recall(s, rec.Picture(0))
	if err != nil || len(got.Missing) != 0 || got.Recipe.Init == nil || !bytes.Equal(got.Recipe.Init.Data, start) || got.Recipe.Init.Strength != 0.5 {
		t.Errorf("recalled %+v, %v", got.Recipe.Init, err)
	}
	if state, err := KeptState(s, rec.Picture(0)); err != nil || state == nil || state.Step != 3 {
		t.Errorf("the state behind the first step: %+v, %v", state, err)
	}
	if _, err := s.Enqueue(plan, plan0); err != nil {
		t.Fatal(err)
	}
	if list, err := Queue(s); err != nil || len(list) != 1 || len(list[0].Missing) != 0 || !bytes.Equal(list[0].Request.Init.Data, start) {
		t.Errorf("the queue has %+v, %v", list, err)
	}
}
