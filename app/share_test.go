package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"realword/assets"
	"realword/inference"
	"realword/inference/ort"
	"realword/inference/session"
)

// Opening the graphs of a model takes ten times as long as a picture of four steps. The commands of this process have a model, a library and
// an engine of their own each, as programs have; but a graph that a command has closed is not opened again by the next one.

// graphs are the closed ones, by what they were opened with.
var graphs = struct {
	sync.Mutex
	closed map[string][]session.Keeper
}{closed: map[string][]session.Keeper{}}

// sharing is a runtime that looks there first.
type sharing struct {
	*ort.Runtime
	with string // what it was started with
}

func shareGraphs(o ort.Options) (inference.Runtime, error) {
	rt, err := ort.New(o)
	if err != nil || o.Device != "cpu" {
		return rt, err
	}
	return &sharing{rt, fmt.Sprintf("%+v", o)}, nil
}

// Open answers a graph of the same bytes, whose weights are the same files.
func (r *sharing) Open(path string, opts session.Options) (session.Session, error) {
	data, err := os.ReadFile(path)
	if err != nil || len(opts.Changes) > 0 {
		return r.Runtime.Open(path, opts)
	}
	key := fmt.Sprintf("%s %s %x %+v", r.with, path, sha256.Sum256(data), opts)
	for _, file := range append([]string{filepath.Dir(path)}, opts.Outside...) {
		_ = filepath.Walk(file, func(name string, info os.FileInfo, err error) error {
			if err == nil && !info.IsDir() {
				key += fmt.Sprint("\n", name, info.Size(), info.ModTime().UnixNano())
			}
			return nil
		})
	}
	graphs.Lock()
	defer graphs.Unlock()
	if had := graphs.closed[key]; len(had) > 0 {
		graphs.closed[key] = had[:len(had)-1]
		return &shared{had[len(had)-1], key}, nil
	}
	s, err := r.Runtime.Open(path, opts)
	if k, ok := s.(session.Keeper); ok {
		return &shared{k, key}, err
	}
	return s, err
}

// shared is a graph that stays when it is closed.
type shared struct {
	session.Keeper
	key string
}

func (s *shared) Close() error {
	graphs.Lock()
	defer graphs.Unlock()
	graphs.closed[s.key] = append(graphs.closed[s.key], s.Keeper)
	return nil
}

// tinyModel is where the model of tiny lies, once it is needed.
var tinyModel struct {
	once sync.Once
	dir  string
}

// tiny is a model with random weights, and a picture in a home of its own. It skips the test where the library is absent, except in CI.
func tiny(t *testing.T) (model, dog string) {
	t.Helper()
	library, err := ort.Find("")
	if err != nil && os.Getenv("CI") == "" {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	dir := home(t) // hides the user's cache, in which the library may be
	t.Setenv(ort.EnvLibrary, library)
	tinyModel.once.Do(func() {
		if tinyModel.dir, err = os.MkdirTemp("", "realword"); err != nil {
			t.Fatal(err)
		}
		if status, _, stderr := command(t, "model", "import", "../assets/golden/data/tiny", "--out", filepath.Join(tinyModel.dir, "tiny")); status != 0 {
			t.Fatalf("model import: %s", stderr)
		}
	})
	dog = filepath.Join(dir, "dog.png")
	if err := os.WriteFile(dog, assets.Samples()[0].Data, 0o600); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(tinyModel.dir, "tiny"), dog
}
