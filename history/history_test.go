package history

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// Random operations on a store and on a plain slice, with the file closed and opened again in between.
func TestJournalAgainstModel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "history.db")
	s := open(t, path)
	rnd := rand.New(rand.NewPCG(1, 2))
	var model []Round
	for range 200 {
		switch op := rnd.IntN(5); {
		case op == 0 || len(model) == 0:
			recipe := json.RawMessage(`{"prompt":"a dog","seeds":[` + string(rune('0'+rnd.IntN(10))) + `]}`)
			id, err := s.Begin(recipe, noon)
			if err != nil {
				t.Fatal(err)
			}
			model = append(model, Round{ID: id, Started: noon, Status: Interrupted, Recipe: recipe})
		case op <= 2:
			r := &model[rnd.IntN(len(model))]
			p := Picture{Seed: rnd.Uint64(), File: "/out/a.png", Width: 128, Height: 64, Thumbnail: []byte{byte(rnd.Int())}}
			if err := s.Add(r.ID, p); err != nil {
				t.Fatal(err)
			}
			r.Pictures = append(r.Pictures, p)
		case op == 3:
			r := &model[rnd.IntN(len(model))]
			r.Status, r.Ended, r.Error = Failed, noon.Add(time.Minute), "no space left"
			if err := s.End(r.ID, Failed, errors.New(r.Error), r.Ended); err != nil {
				t.Fatal(err)
			}
		default:
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, path)
		}
	}
	got, err := s.Rounds()
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(got)
	if !reflect.DeepEqual(got, model) {
		t.Errorf("the store holds\n%v\nwant\n%v", got, model)
	}
	one, err := s.Round(model[1].ID)
	if err != nil || !reflect.DeepEqual(one, model[1]) {
		t.Errorf("Round = %v, %v", one, err)
	}
}

func TestUnknownRound(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "h.db"))
	_, err := s.Round(7)
	for what, err := range map[string]error{"Round": err, "Add": s.Add(7, Picture{}), "End": s.End(7, Complete, nil, noon)} {
		if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "7") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if list, err := s.Rounds(); len(list) != 0 || err != nil {
		t.Errorf("Rounds of an empty history: %v, %v", list, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(path("text"), []byte(strings.Repeat("this is not a database. ", 2000)), 0o600); err != nil {
		t.Fatal(err)
	}
	newer := open(t, path("newer"))
	err := newer.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put(schemaKey, []byte{schema + 1}) })
	if err := errors.Join(err, newer.Close()); err != nil {
		t.Fatal(err)
	}
	open(t, path("held"))
	for name, want := range map[string]string{
		"text": "damaged", "newer": "newer Realword", "held": "another Realword", "text/below": "folder of the history",
	} {
		if _, err := Open(path(name)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
