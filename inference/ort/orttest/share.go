package orttest

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"realword/inference/ort"
	"realword/inference/session"
)

// Opening the graphs of a model takes ten times as long as a picture of four steps.

// Runtime is one whose graphs stay open when they are closed, for the next one who opens the same: the same file with the same options on a
// runtime that was started alike, while none of the files of the model has changed.
type Runtime struct {
	*ort.Runtime
	with string // what it was started with
}

// closed are graphs that wait to be opened again, by what they were opened with.
var closed = struct {
	sync.Mutex
	graphs map[string][]session.Keeper
}{graphs: map[string][]session.Keeper{}}

// Shared is the runtime on one thread of the processor for tests that are about something else than opening graphs.
func Shared(t testing.TB) *Runtime {
	t.Helper()
	return SharedWith(t, ort.Options{Threads: 1})
}

// SharedWith is the same with other options.
func SharedWith(t testing.TB, o ort.Options) *Runtime {
	t.Helper()
	return Share(Open(t, o), o)
}

// Share makes a runtime one that shares, by what it was started with.
func Share(rt *ort.Runtime, o ort.Options) *Runtime { return &Runtime{rt, fmt.Sprintf("%+v", o)} }

// Open implements session.Runtime.
func (r *Runtime) Open(path string, opts session.Options) (session.Session, error) {
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
	closed.Lock()
	defer closed.Unlock()
	if had := closed.graphs[key]; len(had) > 0 {
		closed.graphs[key] = had[:len(had)-1]
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
	closed.Lock()
	defer closed.Unlock()
	closed.graphs[s.key] = append(closed.graphs[s.key], s.Keeper)
	return nil
}
