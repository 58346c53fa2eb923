package journal

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"realword/history"
	"realword/inference"
	"realword/inference/wait"
)

// TestARoundBeginsLater: what keeps a round from beginning in the history, for a moment, costs what was made in that moment alone.
func TestARoundBeginsLater(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	l := newLog(open(t, path))
	r := dog()
	r.Seeds = []uint64{7, 8}
	for _, f := range r.Files() { // too large to lie in the database
		*f.Data = bytes.Repeat([]byte("dog"), 100_000)
		*f.SHA256 = sum(*f.Data)
	}
	blobs := filepath.Join(filepath.Dir(path), "history.blobs")
	if err := os.WriteFile(blobs, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	in := make(chan inference.Event)
	out := l.Record(1, r, "tiny", nil, in)
	pass := func(events ...inference.Event) []error {
		for _, e := range events {
			in <- e
			<-out
		}
		return l.settle()
	}
	if errs := pass(inference.StageStarted{Stage: inference.StageDenoise}, step(0), step(1)); len(errs) == 0 {
		t.Error("nobody is told")
	}
	if err := os.Remove(blobs); err != nil {
		t.Fatal(err)
	}
	shots := []inference.PictureReady{finished(0, 7), finished(1, 8)}
	second := step(0)
	second.Picture = 1
	errs := pass(step(2), step(3), shots[0], inference.StageStarted{Stage: inference.StageDenoise, Picture: 1}, second, shots[1])
	for _, shot := range shots {
		l.Saved(shot, "/another disk/dog.png", "ab", func(uint64) {})
	}
	if errs = append(errs, pass(inference.Done{Pictures: 2})...); len(errs) > 0 {
		t.Error(errs)
	}
	close(in)
	for range out {
	}
	if errs := l.settle(); len(errs) != 1 { // the film with a gap is told once more
		t.Error(errs)
	}
	l.Close()
	rounds, err := open(t, path).Rounds()
	if err != nil || len(rounds) != 1 || rounds[0].Status != history.Complete || len(rounds[0].Pictures) != 2 {
		t.Fatalf("%+v, %v", rounds, err)
	}
	if p := rounds[0].Pictures; p[0].Steps != 0 || p[1].Steps != 1 || !p[0].Finished() || !p[1].Finished() {
		t.Errorf("%d steps of a film with a gap, %d of the next: %+v", p[0].Steps, p[1].Steps, p)
	}
}

// TestWhoSeesTheEndMayClose: a job of which the window has seen the end is not made again, however soon the window closes then.
func TestWhoSeesTheEndMayClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	s := open(t, path)
	l := newLog(s)
	l.Enqueue(1, dog(), "tiny", nil)
	in := make(chan inference.Event)
	out := l.Record(1, dog(), "tiny", nil, in)
	held, hold := make(chan bool), make(chan bool)
	l.Do(func(*history.Store) error { close(held); <-hold; return nil })
	<-held
	go func() { in <- inference.Failed{Err: context.Canceled} }()
	wait.Until(t, "the end waits for the history, seen or not", func() bool { return l.behind() > 0 })
	<-out
	close(hold)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if jobs, err := open(t, path).Jobs(); err != nil || len(jobs) != 0 {
		t.Errorf("%d jobs wait, %v", len(jobs), err)
	}
	close(in)
	for range out {
	}
}

// TestAJournalThatFallsBehind leaves out films, and nothing else.
func TestAJournalThatFallsBehind(t *testing.T) {
	s := store(t)
	l := newLog(s)
	r := dog()
	r.Seeds, r.Steps = []uint64{7, 8, 9}, 2*mostWaiting
	in := make(chan inference.Event)
	out := l.Record(1, r, "tiny", nil, in)
	most := 0
	picture := func(n, steps int) {
		in <- inference.StageStarted{Stage: inference.StageDenoise, Picture: n}
		<-out
		for i := range steps {
			e := step(i)
			e.Picture, e.Steps = n, steps
			in <- e
			<-out
			most = max(most, l.behind())
		}
		shot := finished(n, r.Seeds[n])
		in <- shot
		<-out
		l.Saved(shot, "/pictures/dog.png", "ab", func(uint64) {})
	}
	hold := make(chan bool)
	l.Do(func(*history.Store) error { <-hold; return nil }) // a disk that takes its time
	picture(0, 50)
	picture(1, 3*mostWaiting)
	close(hold)
	if errs := l.settle(); len(errs) != 1 || !errors.Is(errs[0], errSlowDisk) {
		t.Error(errs)
	}
	picture(2, 2)
	in <- inference.Done{Pictures: 3}
	<-out
	close(in)
	for range out {
	}
	if errs := l.settle(); len(errs) != 1 || !errors.Is(errs[0], errSlowDisk) || most > mostWaiting+10 {
		t.Errorf("%v; %d changes waited", errs, most)
	}
	rounds, err := s.Rounds()
	if err != nil || len(rounds) != 1 || rounds[0].Status != history.Complete || len(rounds[0].Pictures) != 3 {
		t.Fatalf("%+v, %v", rounds, err)
	}
	if p := rounds[0].Pictures; p[0].Steps != 50 || p[1].Steps > mostWaiting || p[2].Steps != 2 || !p[1].Finished() {
		t.Errorf("%d, %d and %d steps are kept", p[0].Steps, p[1].Steps, p[2].Steps)
	}
}
