package session

import (
	"bytes"
	"os"
	"testing"
	"time"

	"realword/history"
	"realword/inference"
	"realword/ui/state"
	"realword/ui/uitest"
)

// withExample is a keeper of a new history with an example to show; it lies in the history as soon as it was shown once.
func withExample(t *testing.T, dir string) *bench {
	t.Helper()
	other := newBench(t, t.TempDir())
	other.kept(5)
	from, err := other.host.Journal.Store().Session(1)
	if err != nil {
		t.Fatal(err)
	}
	file := dir + "/example.zip"
	if _, err := other.host.Journal.Store().ExportFile(t.Context(), from.ID, file); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, dir)
	b.host.Example = Example{UID: from.UID, Bring: func(s *history.Store) (uint64, error) {
		data, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		in, err := s.ImportInside("the example", bytes.NewReader(data), int64(len(data)))
		return in.Session, err
	}}
	return b
}

// Nobody's work gets into the example, and looking at it leaves one's own session as it was, in the next start too.
func TestTheExampleIsLookedAt(t *testing.T) {
	dir := t.TempDir()
	b := withExample(t, dir)
	if f := b.State.Form; f.Prompt != "" || f.KeepSeed || len(b.State.Shots) != 0 {
		t.Fatalf("a first start begins with %+v", f)
	}
	b.State.Form.Prompt = "a cat"
	seed := b.State.Form.Seed
	b.ShowExample()
	b.Settle()
	f := b.State.Form
	if !b.State.History.Example || f.Prompt != "a dog on the beach" || len(f.Cards) != 1 || len(b.State.Shots) != 1 || len(b.State.Shots[0].Film) != 4 {
		t.Fatalf("the example is shown as %+v, %d pictures", f, len(b.State.Shots))
	}
	b.State.View.Step = -1
	if s := b.State.Shots[0]; s.Unsaved || s.Path != "" || s.SaveErr != nil || s.Image == nil || b.State.Caption() != "seed 5" {
		t.Errorf("its picture is %+v, said is %q", s, b.State.Caption())
	}
	if list, err := os.ReadDir(b.pictures()); len(list) > 0 {
		t.Errorf("looking at it leaves %v among the pictures, %v", list, err)
	}
	if f.KeepSeed || f.Seed == 5 {
		t.Errorf("Generate would make the same picture again: seed %d, kept %v", f.Seed, f.KeepSeed)
	}
	b.State.Form.Prompt = "a dog on the moon" // to see what happens
	b.Keep()
	b.Settle()
	b.CloseExample()
	if f := b.State.Form; b.State.History.Example || f.Prompt != "a cat" || f.Seed != seed || len(b.State.Shots) != 0 {
		t.Errorf("closed, the own session is %+v, %d pictures", f, len(b.State.Shots))
	}
	own := b.host.Journal.Session()
	if s, err := b.host.Journal.Store().Session(own); err != nil || len(s.Draft) == 0 {
		t.Errorf("what was typed before is in session %d: %+v, %v", own, s, err)
	}
	b.ShowExample()
	b.Settle()
	b.end()

	b = newBench(t, dir)
	if b.State.Form.Prompt != "a cat" {
		t.Errorf("the next start begins with %q", b.State.Form.Prompt)
	}
}

// TestTheOwnSessionIsThrownAwayBehindTheExample: nobody goes back to it, unless it comes out of the trash again, and what is typed is kept.
func TestTheOwnSessionIsThrownAwayBehindTheExample(t *testing.T) {
	trash := func(s *history.Store, own history.Item) error { return s.Trash(time.Now(), own) }
	empty := func(s *history.Store, _ history.Item) error { _, err := s.Empty(time.Now().Add(time.Hour)); return err }
	restore := func(s *history.Store, own history.Item) error { return s.Restore(own) }
	type deeds = []func(*history.Store, history.Item) error
	for name, c := range map[string]struct {
		do    deeds
		quick bool // the example is closed before the keeper knows
		comes string
	}{
		"into the trash":                {deeds{trash}, false, ""},
		"for good":                      {deeds{trash, empty}, false, ""},
		"into the trash, and out of it": {deeds{trash, restore}, false, "a cat"},
		"for good, and closed at once":  {deeds{trash, empty}, true, "a cat"},
	} {
		dir := t.TempDir()
		b := withExample(t, dir)
		b.Change(func(s *state.State) { s.Form.Prompt = "a cat" })
		b.Keep()
		b.Settle()
		own := history.Item{Kind: history.SessionItem, ID: b.host.Journal.Session()}
		b.ShowExample()
		b.Settle()
		for _, do := range c.do {
			if err := do(b.host.Journal.Store(), own); err != nil {
				t.Fatal(err)
			}
			if !c.quick {
				b.Binned()
				b.Settle()
			}
		}
		b.CloseExample()
		b.Settle()
		if got := b.Now().Form.Prompt; got != c.comes || b.Now().History.Example {
			t.Errorf("%s: %q comes up, not %q", name, got, c.comes)
		}
		b.Change(func(s *state.State) { s.Form.Prompt = "a house that took an hour to write" })
		b.Keep()
		b.Settle()
		b.end()
		if b = newBench(t, dir); b.Now().Form.Prompt != "a house that took an hour to write" {
			t.Errorf("%s: the next start begins with %q", name, b.Now().Form.Prompt)
		}
	}
}

// What is generated from the example begins a session of its own, which stays on the screen.
func TestGeneratingFromTheExample(t *testing.T) {
	b := withExample(t, t.TempDir())
	b.ShowExample()
	b.Settle()
	example := uint64(1)
	r := inference.Request{Prompt: "a dog on the moon", Seeds: []uint64{3}}
	events := make(chan inference.Event)
	out := b.host.Journal.Record(1, r, uitest.Toybox.Name, nil, events)
	events <- inference.StageStarted{Stage: inference.StageDenoise}
	<-out
	close(events)
	for range out {
	}
	b.Settle()
	b.LoadView()
	if b.State.History.Example || b.host.Journal.Session() == example || b.host.Journal.Session() == 0 {
		t.Errorf("example %v, the job is in session %d", b.State.History.Example, b.host.Journal.Session())
	}
	rounds, err := b.host.Journal.Store().SessionRounds(example)
	if err != nil || len(rounds) != 1 {
		t.Errorf("the example has %d jobs, %v", len(rounds), err)
	}
	if b.CloseExample(); b.State.Form.Prompt == "" {
		t.Error("there is nothing to close any more")
	}
	b.GoOn(example) // from the page of sessions
	b.Settle()
	if !b.State.History.Example || b.host.Journal.Session() != 0 {
		t.Errorf("going on with the example works in session %d", b.host.Journal.Session())
	}
	b.State.Queue.Flights = []state.Flight{{Run: state.Round{Phase: state.Running}}}
	if b.CloseExample(); !b.State.History.Example || b.CanShowExample() {
		t.Error("a session is changed while a job runs")
	}
	b.State.Queue.Flights = nil
}

// besideExample is a session with a picture, and the example, which was looked at before, read and not shown.
func besideExample(t *testing.T) (b *bench, example opened) {
	t.Helper()
	b = withExample(t, t.TempDir())
	b.kept(7)
	b.ShowExample()
	b.Settle()
	b.CloseExample()
	b.Settle()
	example, err := b.read(b.host.Journal.Store(), 2, state.Eye{Model: uitest.Toybox})
	if err != nil || !b.example(example.session) {
		t.Fatal(err, example.session)
	}
	return b, example
}

// TestAPictureThatWasBeingReadWhenTheExampleCame is there when one comes back.
func TestAPictureThatWasBeingReadWhenTheExampleCame(t *testing.T) {
	b, example := besideExample(t)
	b.Forget(b.Now().Shots[0].Kept) // it is read again
	b.takeUp(example)
	b.Settle()
	b.CloseExample()
	b.Settle()
	if s := b.Now().Shot(); s == nil || s.Image == nil || len(s.Film) != 4 {
		t.Errorf("in view is %+v", s)
	}
}

// A film that was being read when the example came is read again on the way back.
func TestAFilmIsReadAgainBehindTheExample(t *testing.T) {
	b, example := besideExample(t)
	b.Change(func(s *state.State) { // as Shed leaves an older picture of this window: it is looked at, and its film is read
		s.Shots[0].Film, s.Shots[0].Loaded = nil, false
	})
	b.LoadView()
	b.takeUp(example)
	b.Settle()
	b.CloseExample()
	b.LoadView()
	b.Settle()
	if s := b.Now().Shot(); s == nil || len(s.Film) != 4 {
		t.Errorf("back: loaded %v, image %v, film %d", s.Loaded, s.Image != nil, len(s.Film))
	}
}
