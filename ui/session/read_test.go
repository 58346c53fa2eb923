package session

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/inference/files"
	"realword/inference/guidance"
	"realword/ui/state"
	"realword/ui/uitest"
)

// TestStoredSessionsAreRead: an exported session of such a Realword has its form, its pictures, how they were made, and the states
// to go on from.
func TestStoredSessionsAreRead(t *testing.T) {
	s, err := history.Open(filepath.Join(t.TempDir(), "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in, err := s.Import(filepath.Join("testdata", "stored", "session.zip"))
	if err != nil {
		t.Fatal(err)
	}
	one, err := readSession(s, in.Session, state.Eye{Model: uitest.Toybox})
	if err != nil || one.missing != nil || len(one.shots) != 2 {
		t.Fatalf("%v, %v, %d pictures", err, one.missing, len(one.shots))
	}
	want := inference.Settings{
		Preset: "release", Negative: " ", Steps: 50, Stop: 9, CFG: 4.5, Sampler: "ddim", MaskSource: "low_cross",
		MaskNorm: "min_max_per_channel", Width: 640, Height: 512,
	}
	if f := one.form; f.Settings != want || f.Prompt != "a dog on the beach" || f.Seed != 12 || !f.KeepSeed || f.Count != 3 || len(f.Cards) != 1 || f.Cards[0].Scope != 0.3 || f.Cards[0].View == nil {
		t.Errorf("%+v", f)
	}
	var kept, again struct{ Form json.RawMessage }
	data, err := json.Marshal(state.Draft{Form: one.form})
	if err != nil || json.Unmarshal(data, &again) != nil || json.Unmarshal(uitest.Read(t, "testdata/stored/draft.json"), &kept) != nil {
		t.Fatal(err)
	}
	if a, b := uitest.Keys(t, kept.Form), uitest.Keys(t, again.Form); !reflect.DeepEqual(a, b) {
		t.Errorf("%s\nbecame %s", kept.Form, again.Form)
	}
	last, err := s.Picture(one.shots[len(one.shots)-1].Kept)
	if err != nil {
		t.Fatal(err)
	}
	id, err := s.StartPicture(last.Round, 5)
	if err == nil {
		err = s.AddStep(id, history.Step{Index: 4, Clean: []float32{1}, Small: uitest.PNG(uitest.Red)})
	}
	if err != nil {
		t.Fatal(err)
	}
	if shot, err := keptShot(s, id); err != nil || shot.Stopped != 5 || shot.Thumb == nil {
		t.Errorf("a stopped picture is %+v, %v", shot, err)
	}
	for _, shot := range one.shots {
		if shot.Stopped != 0 {
			t.Errorf("a finished picture was stopped at step %d", shot.Stopped)
		}
		r, err := journal.Recall(s, shot.Kept)
		if err != nil || len(r.Missing) > 0 {
			t.Fatal(err, r.Missing)
		}
		kept, err := journal.KeptState(s, shot.Kept)
		if err != nil || kept == nil || kept.Steps != r.Recipe.Steps || kept.Step != r.Recipe.Stop || kept.Sampler != r.Recipe.Sampler {
			t.Errorf("%v, a state of %+v for %+v", err, kept, r.Recipe.Settings)
		}
		if strings.HasPrefix(r.Recipe.Prompt, "a dog") && (r.Recipe.Stop != 24 || !r.Recipe.RawMask || r.Recipe.Negative != "rain") {
			t.Errorf("%+v", r.Recipe.Settings)
		}
	}
}

func TestLastSessionIsTheOneWorkedAtLast(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	d := func(hour int) []byte {
		return []byte(`{"schema":1,"saved":"` + at.Add(time.Duration(hour)*time.Hour).Format(time.RFC3339) + `"}`)
	}
	list := []history.Session{ // the newest first
		{ID: 4, Created: at.Add(3 * time.Hour), Trashed: at},
		{ID: 3, Created: at.Add(2 * time.Hour), Draft: []byte("{")},
		{ID: 2, Created: at.Add(time.Hour), Draft: d(1)},
		{ID: 1, Created: at, Draft: d(9)},
	}
	for n, want := range map[int]uint64{4: 1, 3: 3, 1: 0} {
		last, ok := lastSession(list[:n])
		if last.ID != want || ok != (want != 0) {
			t.Errorf("of the first %d: %d, %v", n, last.ID, ok)
		}
	}
	command := []history.Session{{ID: 6, Created: at.Add(30 * time.Hour)}, {ID: 5, Created: at.Add(20 * time.Hour)}}
	if last, _ := lastSession(append(command, list...)); last.ID != 1 {
		t.Errorf("a command's session %d goes before the user's", last.ID)
	}
	if last, _ := lastSession(command); last.ID != 6 {
		t.Errorf("of commands alone: %d", last.ID)
	}
}

// TestAPictureThatIsNotThereKeepsItsPlace: a card that waits for its file, or whose file the history has no more, has its word and area at
// the next start, too, and the picture once it is there.
func TestAPictureThatIsNotThereKeepsItsPlace(t *testing.T) {
	s, err := history.Open(filepath.Join(t.TempDir(), "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	data := uitest.PNG(uitest.Red)
	f := state.NewState().Form
	ref := inference.Reference{Name: "a.png", SHA256: files.Sum(data)}
	f.Cards = []state.Card{{ID: 1, Ref: ref, Word: uitest.Word("dog"), Scope: 0.1, Missing: true}}
	kept, err := json.Marshal(state.Draft{Schema: state.DraftSchema, Form: f})
	if err != nil {
		t.Fatal(err)
	}
	for _, missing := range []bool{true, false} {
		if !missing {
			if _, err := s.PutReference(history.Reference{}, data); err != nil {
				t.Fatal(err)
			}
		}
		got, err := draftForm(s.ReferenceData, kept, state.Eye{Model: uitest.Toybox})
		if err != nil || len(got.Cards) != 1 {
			t.Fatalf("%+v, %v", got.Cards, err)
		}
		if c := got.Cards[0]; c.Word.Text != "dog" || c.Scope != 0.1 || c.Missing != missing || (c.View == nil) != missing {
			t.Errorf("missing %v: %+v", missing, c)
		}
	}
}

// TestOneFileForTwoWords: a job of the command line may bind a file to two words; each keeps its own word, area and mask.
func TestOneFileForTwoWords(t *testing.T) {
	s, err := history.Open(filepath.Join(t.TempDir(), "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	data := uitest.PNG(uitest.Red)
	kept, err := s.PutReference(history.Reference{}, data)
	if err != nil {
		t.Fatal(err)
	}
	ref := inference.Reference{Name: "a.png", SHA256: kept.SHA256}
	mask := inference.Region{Kind: guidance.OnlyHere, Painted: inference.Painted{Data: data, SHA256: kept.SHA256}}
	r := inference.Request{Prompt: "a dog and a cat", Seeds: []uint64{7}, Subjects: []inference.Subject{
		{Word: uitest.Word("dog"), Scope: 0.1, References: []inference.Reference{ref}, Region: mask},
		{Word: uitest.Word("cat"), Scope: 0.3, References: []inference.Reference{ref}},
	}}
	f, err := recipeForm(s, r, state.Eye{Model: uitest.Toybox})
	if err != nil {
		t.Fatal(err)
	}
	got := f.Subjects()
	if len(got) != 2 || got[0].Word.Text != "dog" || got[0].Scope != 0.1 || got[0].Region.Kind != guidance.OnlyHere || got[1].Word.Text != "cat" || got[1].Scope != 0.3 || !got[1].Region.IsZero() || f.Seed != 7 || f.Prompt != r.Prompt {
		t.Errorf("%+v", got)
	}
	r.Subjects[0].Region.Kind = guidance.Exactly // whose scope is its area
	if f, err = recipeForm(s, r, state.Eye{Model: uitest.Toybox}); err != nil || f.Subjects()[0].Scope != 0 {
		t.Errorf("the area of a mask is taken for γ: %+v, %v", f.Subjects(), err)
	}
}
