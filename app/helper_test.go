package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/ort"
	"realword/inference/ort/orttest"
	"realword/inference/session"
	"realword/inference/tensor"
)

// full is a card that fails for the first pictures.
type full struct {
	*orttest.Runtime
	fails  *int
	memory bool // for lack of that
}

func (c full) Provider() (string, string) { return "CUDA", "" }

func (c full) Open(path string, o session.Options) (session.Session, error) {
	s, err := c.Runtime.Open(path, o)
	return fullSession{s, c, strings.Contains(filepath.Base(path), "unet")}, err
}

type fullSession struct {
	session.Session
	full
	unet bool
}

func (s fullSession) Run(ctx context.Context, in map[string]*tensor.Tensor, out ...string) (map[string]*tensor.Tensor, error) {
	if s.unet && *s.fails > 0 {
		*s.fails--
		return nil, &session.DeviceError{Device: "CUDA", OutOfMemory: s.memory, Why: "it fails", Err: os.ErrInvalid}
	}
	return s.Session.Run(ctx, in, out...)
}

// TestAWorkerStaysOnItsCard: a picture for which a card's memory runs out is for another computer, and so is one over which the card fails;
// the next ones are made on it, in the latter case by a model that was opened anew.
func TestAWorkerStaysOnItsCard(t *testing.T) {
	model, dog := tiny(t)
	library, err := ort.Find("")
	if err != nil {
		t.Fatal(err)
	}
	path, err := verdictFile(library, "cuda")
	if err != nil {
		t.Fatal(err)
	}
	data, _ := json.Marshal(verdict{Device: "cuda", Usable: true})
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	ref, err := readReference("dog", dog)
	if err != nil {
		t.Fatal(err)
	}
	r := inference.Request{Prompt: "a dog", Seeds: []uint64{1}, Subjects: []inference.Subject{{Word: inference.Word{Text: "dog"}, References: []inference.Reference{ref}}}}
	r.Steps, r.Stop = 2, 1
	was := newRuntime
	t.Cleanup(func() { newRuntime = was })
	for _, memory := range []bool{true, false} {
		fails, opened := 1, 0
		newRuntime = func(o ort.Options) (inference.Runtime, error) {
			o.Device = "cpu"
			opened++
			rt, err := was(o)
			if err != nil {
				return nil, err
			}
			return full{rt.(*orttest.Runtime), &fails, memory}, nil
		}
		var stderr bytes.Buffer
		b := &workbench{stderr: &stderr}
		m, place, err := b.open(t.Context(), model, "cuda")
		if err != nil {
			t.Fatal(err)
		}
		got, err := b.helpers[0].engine().ResolveContext(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		for range 3 {
			job, err := m.Engine.Start(t.Context(), got)
			if err != nil {
				t.Fatal(err)
			}
			where := ""
			for e := range job.Events() {
				var trouble *session.DeviceError
				switch e := e.(type) {
				case inference.StageStarted:
					where = e.Provider
				case inference.Failed:
					if !errors.As(e.Err, &trouble) || trouble.OutOfMemory != memory {
						t.Errorf("it fails with %v", e.Err)
					}
					said = append(said, "failed on "+where)
				case inference.Done:
					said = append(said, "done on "+where)
				}
			}
		}
		b.close()
		if text := strings.Join(said, ", "); text != "failed on CUDA, done on CUDA, done on CUDA" || place != "CUDA" {
			t.Errorf("the farm is told %q; pictures: %s", place, text)
		}
		if want := map[bool]int{true: 1, false: 2}[memory]; opened != want || (stderr.Len() > 0) == memory {
			t.Errorf("lack of memory %v: opened %d times, it says %q", memory, opened, stderr.String())
		}
	}
}
