package history

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A copy of a history, whole or damaged, that went on by itself brings what is not here yet into the sessions that are, once. What the
// user has done here meanwhile stays.
func TestRescueOfACopy(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "history.db")
	made := func(s *Store, prompt string, session uint64) {
		t.Helper()
		recipe, err := json.Marshal(prompt)
		if err != nil {
			t.Fatal(err)
		}
		round, err := s.BeginRound(Plan{Session: session, Prompt: prompt, Recipe: recipe}, noon)
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.StartPicture(round, 7)
		if err := errors.Join(err, s.FinishPicture(p, Picture{File: "/" + prompt + ".png", Width: 8, Height: 8}), s.End(round, Complete, nil, noon)); err != nil {
			t.Fatal(err)
		}
	}
	wait := func(s *Store, prompt string, at time.Time) {
		t.Helper()
		recipe, _ := json.Marshal(prompt)
		if _, err := s.Enqueue(Plan{Session: 1, Prompt: prompt, Recipe: recipe}, at); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, path)
	id, err := s.NewSession("Dogs", noon)
	if err != nil {
		t.Fatal(err)
	}
	made(s, "one", id)
	made(s, "two", id)
	wait(s, "made here", noon)
	wait(s, "waits", noon)
	if err := errors.Join(s.Trash(noon, Item{PictureItem, 2}), s.Close()); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	made(s, "three", id)
	wait(s, "waits too", noon.Add(time.Second))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		damage string // text of the record that a byte is changed in
		lost   int
	}{
		"whole":      {},
		"a session":  {`"name":"Dogs"`, 1},
		"a job":      {`"prompt":"one"`, 1},
		"a new job":  {`"prompt":"three"`, 1},
		"a waiting":  {`"prompt":"made here"`, 1},
		"a picture":  {`"file":"/two.png"`, 1},
		"everything": {`"id":1`, 4},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			here, other := filepath.Join(dir, "history.db"), filepath.Join(dir, "copy.db")
			broken := whole
			if c.damage != "" {
				broken = bytes.ReplaceAll(whole, []byte(c.damage), append([]byte{c.damage[0], c.damage[1] ^ 1}, c.damage[2:]...))
			}
			if err := errors.Join(os.WriteFile(here, before, 0o600), os.WriteFile(other, broken, 0o600)); err != nil {
				t.Fatal(err)
			}
			s := open(t, here)
			round, err := s.StartJob(1, noon.Add(time.Minute))
			if err := errors.Join(err, s.End(round, Complete, nil, noon.Add(time.Hour)), s.Restore(Item{PictureItem, 2})); err != nil {
				t.Fatal(err)
			}
			got, err := s.Rescue(other)
			if err != nil || got != (Rescued{Rounds: 1, Pictures: 1, Jobs: 1, Merged: "1", Lost: c.lost}) {
				t.Errorf("%+v, %v", got, err)
			}
			if got, err := s.Rescue(other); err != nil || got != (Rescued{Lost: c.lost}) {
				t.Errorf("again: %+v, %v", got, err)
			}
			var errs []error
			has := facts(s, &errs)
			sessions, _ := s.Sessions()
			rounds, _ := s.SessionRounds(1)
			jobs, _ := s.Jobs()
			if len(errs) > 0 || len(sessions) != 1 || len(rounds) != 4 || len(jobs) != 2 || has["picture 3"].(Picture).File != "/three.png" || !has["picture 2"].(Picture).Trashed.IsZero() {
				t.Errorf("%d sessions, %d jobs, %d wait, %v: %+v", len(sessions), len(rounds), len(jobs), errs, has)
			}
			if err := s.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}
