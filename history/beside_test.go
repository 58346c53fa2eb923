package history

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// record keeps a round with a picture in a file, one whose pixels are kept, a step and a reference.
func record(t *testing.T, s *Store, file string) {
	t.Helper()
	ref, err := s.PutReference(Reference{Name: "dog.png"}, []byte(strings.Repeat("dog", inlineLimit)))
	round, err1 := s.BeginRound(Plan{Recipe: []byte(`{"schema":1,"prompt":"a dog"}`), Prompt: "a dog", References: []Reference{ref}}, noon)
	one, err2 := s.StartPicture(round, 7)
	err3 := s.AddStep(one, Step{Index: 0, Clean: []float32{1, 2, 3}, State: []byte("state")})
	err4 := s.FinishPicture(one, Picture{File: file, Width: 640, Height: 480, Thumbnail: []byte(onePNG)})
	two, err5 := s.StartPicture(round, 8)
	err6 := s.KeepPixels(two, Picture{Width: 64, Height: 48, Thumbnail: []byte(onePNG)}, []byte(onePNG))
	if err := errors.Join(err, err1, err2, err3, err4, err5, err6, s.End(round, Complete, nil, noon)); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsKeptBesideComesOver(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "history.db")
	s := open(t, path)
	record(t, s, "/pictures/first.png")
	var busy *Error
	if _, err := (Options{Wait: time.Millisecond}).Open(path); !errors.As(err, &busy) || busy.Kind != Busy {
		t.Fatal(err)
	}
	var beside []*Store
	for range 2 {
		b, err := Options{}.OpenBeside(path)
		if err != nil {
			t.Fatal(err)
		}
		record(t, b, "/pictures/beside.png")
		beside = append(beside, b)
	}
	if got, err := s.TakeIn(); got != (Rescued{}) || err != nil {
		t.Errorf("what is still written: %+v, %v", got, err)
	}

	// One process dies without closing: a copy of its files, which nobody has locked.
	waiting := waitingFolder(path)
	died := filepath.Join(waiting, "died")
	if err := os.CopyFS(died, os.DirFS(filepath.Dir(beside[1].path))); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "copied")
	if err := os.CopyFS(copied, os.DirFS(died)); err != nil {
		t.Fatal(err)
	}
	if err := beside[0].Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := s.TakeIn(); got != (Rescued{Sessions: 2, Rounds: 2, Pictures: 4}) || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	rounds, err := s.Rounds()
	if err != nil || len(rounds) != 3 {
		t.Fatal(len(rounds), err)
	}
	for _, r := range rounds {
		if r.Status != Complete || r.Prompt != "a dog" || len(r.Pictures) != 2 || len(r.References) != 1 {
			t.Errorf("%+v", r)
			continue
		}
		if p := r.Pictures[0]; !strings.HasPrefix(p.File, "/pictures/") || p.Seed != 7 || p.Width != 640 || p.Steps != 1 {
			t.Errorf("%+v", p)
		}
		step, err := s.Step(r.Pictures[0].ID, 0, true)
		if err != nil || len(step.Clean) != 3 || string(step.State) != "state" {
			t.Errorf("%+v, %v", step, err)
		}
		if data, err := s.Pixels(r.Pictures[1].ID); err != nil || string(data) != onePNG {
			t.Errorf("%q, %v", data, err)
		}
		if data, err := s.ReferenceData(r.References[0].SHA256); err != nil || len(data) != 3*inlineLimit {
			t.Errorf("%d bytes, %v", len(data), err)
		}
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}

	// Killed between the change and the end of the files: it is there already.
	if err := os.Rename(copied, died); err != nil {
		t.Fatal(err)
	}
	if got, err := s.TakeIn(); got.Rounds != 0 || got.Pictures != 0 || err != nil {
		t.Errorf("a second time: %+v, %v", got, err)
	}
	if err := beside[1].Close(); err != nil { // the same as the one that died
		t.Fatal(err)
	}
	if got, err := s.TakeIn(); got.Rounds != 0 || err != nil || exists(waiting) {
		t.Errorf("%+v, %v, the folder is there: %v", got, err, exists(waiting))
	}
}

func TestWhatCannotBeTakenInStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	s := open(t, path)
	folder := func(name string, old time.Duration, files map[string]string) string {
		dir := filepath.Join(waitingFolder(path), name)
		err := os.MkdirAll(dir, 0o700)
		for name, text := range files {
			err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		}
		if err := errors.Join(err, os.Chtimes(dir, time.Now(), time.Now().Add(-old))); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	begun := folder("begun", 0, map[string]string{besideLock: ""})
	left := folder("left", time.Hour, map[string]string{besideLock: "", besideName: ""})
	damaged := folder("broken", 0, map[string]string{besideLock: "", besideName: strings.Repeat("no history ", 3000)})
	got, err := s.TakeIn()
	if err == nil || !strings.Contains(err.Error(), "cannot be read: it stays in ") || got.Rounds != 0 || got.Lost == 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if !exists(begun) || exists(left) || exists(damaged) || !exists(filepath.Join(waitingFolder(path), unreadables+"broken", besideName)) {
		t.Error("the wrong ones went")
	}
	if got, err := s.TakeIn(); got != (Rescued{}) || err != nil {
		t.Errorf("it is looked at again: %+v, %v", got, err)
	}
}

// A process that dies in the middle of a change has written pages of it, and those over what the tree before the last one used. What it
// had changed before is whole.
func TestWhatDiedInAChangeIsWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	s := open(t, path)
	for _, name := range []string{"steps", "pixels", "round"} {
		b, err := Options{}.OpenBeside(path)
		if err != nil {
			t.Fatal(err)
		}
		record(t, b, "/pictures/one.png")
		read := func() []byte {
			t.Helper()
			data, err := os.ReadFile(b.path)
			if err != nil {
				t.Fatal(err)
			}
			return data
		}
		before := read()
		switch id := uint64(1); name {
		case "steps":
			err = b.AddStep(id, Step{Index: 1, Clean: []float32{4, 5, 6}, State: []byte("another")})
		case "pixels":
			err = b.KeepPixels(2, Picture{Width: 1, Height: 1}, []byte(onePNG+"another"))
		case "round":
			_, err = b.BeginRound(Plan{Recipe: []byte(`{"schema":1}`)}, noon)
		}
		died := append(before[:2*os.Getpagesize():2*os.Getpagesize()], read()[2*os.Getpagesize():]...)
		if err := errors.Join(err, b.Close(), os.WriteFile(b.path, died, 0o600)); err != nil {
			t.Fatal(err)
		}
		if got, err := s.TakeIn(); got != (Rescued{Sessions: 1, Rounds: 1, Pictures: 2}) || err != nil || exists(waitingFolder(path)) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
}
