package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"realword/inference/files"
)

// A copy of a history that another process writes to is the history at one moment: every job has its picture, step and reference.
func TestACopyIsOneMoment(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", t.TempDir())
	path := filepath.Join(dir, "history.db")
	s := open(t, path)
	record(t, s, "/pictures/first.png")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range 60 { // as fast as it goes, with pages that are freed and written again
			name := fmt.Sprint("a session ", n)
			id, err := s.NewSession(name, noon)
			round, err1 := s.BeginRound(Plan{Session: id, Prompt: name, Recipe: []byte(`{}`)}, noon)
			p, err2 := s.StartPicture(round, uint64(n))
			err3 := s.FinishPicture(p, Picture{File: "/" + name + ".png", Width: 8, Height: 8, Thumbnail: []byte(onePNG)})
			if err := errors.Join(err, err1, err2, err3, s.End(round, Complete, nil, noon)); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	seen, opened := 0, 0
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		c, err := Options{}.OpenCopy(path)
		if err != nil {
			t.Fatal(err)
		}
		opened++
		rounds, err := c.Rounds()
		if err != nil || len(rounds) < seen {
			t.Fatalf("%d jobs after %d: %v", len(rounds), seen, err)
		}
		seen = len(rounds)
		for i, r := range rounds {
			if session, err := c.Session(r.Session); err != nil || i < len(rounds)-1 && session.Name != r.Prompt {
				t.Fatalf("job %d is of session %q, %v", r.ID, session.Name, err)
			}
			for _, p := range r.Pictures {
				if i > 0 && !p.Finished() {
					t.Fatalf("job %d has a picture that is not finished", r.ID)
				}
			}
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if seen != 61 || opened < 2 {
		t.Errorf("%d jobs in the last of %d copies", seen, opened)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 || err != nil {
		t.Errorf("%v is left, %v", left, err)
	}
}

// A large history is copied once, also while a window writes to it without a pause.
func TestALargeCopyBesideAWriter(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	path := filepath.Join(t.TempDir(), "history.db")
	s, err := Options{unsynced: true}.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fill := func(name string, bytes int) error {
		return s.update(func(c *change) error { return c.Bucket(metaBucket).Put([]byte(name), make([]byte, bytes)) })
	}
	for n := range 8 {
		if err := fill(fmt.Sprint("large ", n), 8<<20); err != nil {
			t.Fatal(err)
		}
	}
	end := make(chan bool)
	var writer sync.WaitGroup
	writer.Go(func() {
		for {
			select {
			case <-end:
				return
			default:
			}
			if err := fill("small", 1<<10); err != nil {
				t.Error(err)
				return
			}
		}
	})
	c, err := Options{}.OpenCopy(path)
	close(end)
	writer.Wait()
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// A change waits for who copies, and not for one that has been stopped.
func TestAChangeWaitsForACopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, filepath.Join(t.TempDir(), "history.db"))
		change := func() time.Duration {
			began := time.Now()
			if err := s.SetStar(1, true); err != nil && !errors.Is(err, ErrNoPicture) {
				t.Error(err)
			}
			return time.Since(began)
		}
		for range 2 {
			release, free, err := files.TryLock(turnFile(s.path))
			if err != nil || !free {
				t.Fatal(free, err)
			}
			time.AfterFunc(2*time.Second, release)
			if took := change(); took < 2*time.Second || took > 3*time.Second {
				t.Errorf("it waited %v for a copy of 2 s", took)
			}
			if release, _, err = files.TryLock(turnFile(s.path)); err != nil {
				t.Fatal(err)
			}
			if first, then := change(), change(); first < longestCopy || then > time.Second {
				t.Errorf("it waited %v, and then %v", first, then)
			}
			release()
			if took := change(); took > time.Second {
				t.Errorf("it waited %v for nobody", took)
			}
		}
	})
}

// What is in a copy can be read, and nothing of it changed; other processes may keep beside the history meanwhile, and that is found.
func TestACopyIsForReading(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	s := open(t, path)
	record(t, s, "/pictures/first.png")
	c, err := Options{}.OpenCopy(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	rounds, err := c.Rounds()
	if err != nil || len(rounds) != 1 || len(rounds[0].References) != 1 {
		t.Fatal(rounds, err)
	}
	if data, err := c.ReferenceData(rounds[0].References[0].SHA256); err != nil || len(data) != 3*inlineLimit {
		t.Errorf("a reference of %d bytes, %v", len(data), err)
	}
	if data, err := c.Pixels(2); err != nil || string(data) != onePNG {
		t.Errorf("a picture without a file: %d bytes, %v", len(data), err)
	}
	if missing, err := c.ExportFile(t.Context(), rounds[0].Session, filepath.Join(t.TempDir(), "out.zip")); err != nil || len(missing) != 1 {
		t.Errorf("it is exported without %v, %v", missing, err)
	}
	var refused *Error
	if err := c.SetStar(1, true); !errors.As(err, &refused) || refused.Kind != ReadOnly {
		t.Errorf("a change: %v", err)
	}
	if _, err := s.NewSession("goes on", noon); err != nil {
		t.Error(err)
	}

	beside, err := Options{}.OpenBeside(path)
	if err != nil {
		t.Fatal(err)
	}
	record(t, beside, "/pictures/beside.png")
	for _, open := range []bool{true, false} {
		if !open {
			if err := beside.Close(); err != nil {
				t.Fatal(err)
			}
		}
		list := Waiting(path)
		if len(list) != 1 {
			t.Fatalf("%v wait", list)
		}
		one, err := Options{}.OpenCopy(list[0])
		if err != nil {
			t.Fatal(err)
		}
		if p, err := one.Picture(1); err != nil || p.File != "/pictures/beside.png" {
			t.Errorf("%+v, %v", p, err)
		}
		one.Close()
	}
	if _, err := s.TakeIn(); err != nil || len(Waiting(path)) != 0 {
		t.Error(Waiting(path), err)
	}
}

func TestNoCopyOfWhatIsNone(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	path := filepath.Join(t.TempDir(), "history.db")
	for text, kind := range map[string]Kind{"": Damaged, "not a history": Damaged} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var known *Error
		if _, err := (Options{}).OpenCopy(path); !errors.As(err, &known) || known.Kind != kind {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	var known *Error
	if _, err := (Options{}).OpenCopy(path); !errors.As(err, &known) || known.Kind != Unreachable {
		t.Errorf("no file: %v", err)
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}
