package computers

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"sync"

	"realword/farm"
	"realword/inference"
	"realword/inference/files"
)

// handed knows the jobs of this window that the farm has, also after a window has died: what it left there would be made for nobody, and
// once more for the window that takes its queue up. It may be used from any goroutine.
type handed struct {
	path string

	mu      sync.Mutex
	release func()   // of the list; nil: another window has it
	left    []string // by a window that died
	now     []string
}

// newHanded reads the list of a folder.
func newHanded(dir string) *handed {
	h := &handed{path: filepath.Join(dir, "handed.json")}
	h.open()
	return h
}

// open takes the list, unless there is no folder yet, or another window has it: then this one keeps none.
func (h *handed) open() {
	if h.path == "" {
		return
	}
	release, free, err := files.TryLock(filepath.Join(filepath.Dir(h.path), "handed.lock"))
	if err != nil || !free {
		return
	}
	h.release = release
	if data, err := files.Read(h.path, 1<<20); err == nil {
		_ = json.Unmarshal(data, &h.left) // a damaged one is of no use
	}
}

// close lets another window have the list.
func (h *handed) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.release != nil {
		h.release()
	}
	h.path, h.release = "", nil // and not again
}

// add notes a job; end takes it out.
func (h *handed) add(j inference.Job) { h.change(j, true) }
func (h *handed) end(j inference.Job) { h.change(j, false) }

func (h *handed) change(j inference.Job, on bool) {
	one, is := j.(*farm.Job)
	if !is {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = slices.DeleteFunc(h.now, func(id string) bool { return id == one.ID })
	if on {
		h.now = append(h.now, one.ID)
	}
	h.keep()
}

// keep writes the list. The caller holds mu. What cannot be written is made for nobody, at worst.
func (h *handed) keep() {
	if h.release == nil {
		if h.open(); h.release == nil {
			return
		}
	}
	if data, err := json.Marshal(slices.Concat(h.left, h.now)); err == nil {
		_ = files.Write(h.path, files.Private, data)
	}
}

// takeBack takes back what a window that died has left on the farm.
func (h *handed) takeBack(ctx context.Context, conn *farm.Conn) {
	h.mu.Lock()
	left := h.left
	h.mu.Unlock()
	for _, id := range left {
		if conn.TakeBack(ctx, id) != nil {
			return // another time
		}
		h.mu.Lock()
		h.left = slices.DeleteFunc(slices.Clone(h.left), func(s string) bool { return s == id })
		h.keep()
		h.mu.Unlock()
	}
}
