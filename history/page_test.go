package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
)

const thumbnailSize = 12 << 10 // of a 128 pixel PNG

// library is a history of n pictures, four a round.
func library(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "history.db")
	s := open(t, path)
	err := s.update(func(c *change) error {
		var r Round
		thumb := make([]byte, thumbnailSize)
		for i := range n {
			if i%4 == 0 {
				r = Round{Plan: Plan{Session: r.Session, Prompt: fmt.Sprintf("a dog on beach number %d", i), Words: []string{"dog"}}, Status: Complete, Started: noon}
				r.Recipe, _ = json.Marshal(map[string]string{"prompt": r.Prompt})
				if err := c.beginRound(&r); err != nil {
					return err
				}
			}
			if _, err := c.newPicture(Picture{Round: r.ID, Seed: uint64(i), File: "/pictures/a.png", Width: 1024, Height: 1024}, thumb); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func page(t testing.TB, s *Store, f Filter, at, want int) {
	t.Helper()
	ids, err := s.Find(f)
	if err != nil || len(ids) < at+100 {
		t.Fatal(len(ids), err)
	}
	list, err := s.Pictures(ids[at : at+100])
	if err != nil || len(list) != 100 || len(list[0].Thumbnail) != thumbnailSize || list[99].ID != uint64(want-at-99) {
		t.Fatal(len(list), err)
	}
}

// A page of a gallery costs what the page holds, not what the history holds.
func TestPageReadsOnlyAPage(t *testing.T) {
	s := open(t, library(t, 2000))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	page(t, s, Filter{}, 700, 2000)
	runtime.ReadMemStats(&after)
	if read, most := after.TotalAlloc-before.TotalAlloc, uint64(100*(thumbnailSize+4<<10)); read > most {
		t.Errorf("a page of 100 of 2000 pictures took %d bytes, want at most %d", read, most)
	}
}

func BenchmarkOpen10000(b *testing.B) {
	path := library(b, 10_000)
	for b.Loop() {
		s, err := Open(path)
		if err := errors.Join(err, s.Close()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPageOf10000(b *testing.B) {
	s := open(b, library(b, 10_000))
	for name, f := range map[string]Filter{"all": {}, "prompt": {Text: "beach dog"}, "word": {Text: "word:dog"}, "session": {Session: 1}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				page(b, s, f, 5000, 10_000)
			}
		})
	}
}

// BenchmarkStep is what the journal costs per denoising step of 1024x1024 with two subjects.
func BenchmarkStep(b *testing.B) {
	s, err := Open(filepath.Join(b.TempDir(), "history.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	round, err1 := s.BeginRound(Plan{}, noon)
	picture, err2 := s.StartPicture(round, 1)
	if err := errors.Join(err1, err2); err != nil {
		b.Fatal(err)
	}
	step := Step{Clean: make([]float32, 4*128*128), Cross: [][]float32{make([]float32, 4096), make([]float32, 4096)}}
	step.Scores = step.Cross
	for b.Loop() {
		step.Index = (step.Index + 1) % maxSteps
		step.Clean[0]++
		if err := s.AddStep(picture, step); err != nil {
			b.Fatal(err)
		}
	}
}
