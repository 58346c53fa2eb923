package computers

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"realword/farm"
	"realword/inference/files"
)

// handed knows the jobs of this window that a farm has, as JOB@FARM, also after a window has died: what it left there would be made for
// nobody, and once more for the window that takes its queue up. It may be used from any goroutine.
type handed struct {
	path string

	mu      sync.Mutex
	release func()   // of the list; nil: another window has it
	left    []string // by a window that died, or by this one while the farm was away
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
		var list []string
		_ = json.Unmarshal(data, &list) // a damaged one is of no use
		h.left = append(list, h.left...)
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

// add notes a job, and answers its name.
func (h *handed) add(job, farm string) (name string) {
	name = job + "@" + farm
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = append(h.now, name)
	h.keep()
	return name
}

// end takes a job out, unless the farm has it still.
func (h *handed) end(name string, still bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = slices.DeleteFunc(h.now, func(s string) bool { return s == name })
	if still && name != "" {
		h.left = append(slices.Clip(h.left), name)
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

// takeBack takes back what is left on the farm. What is left on another one waits until that is joined.
func (h *handed) takeBack(ctx context.Context, conn *farm.Conn) {
	h.mu.Lock()
	left := h.left
	h.mu.Unlock()
	for _, name := range left {
		job, of, known := strings.Cut(name, "@") // an earlier version did not say which farm
		if known && of != conn.ID() {
			continue
		}
		if !conn.Connected() || takeBack(ctx, conn, job) != nil {
			return // another time
		}
		h.mu.Lock()
		h.left = slices.DeleteFunc(slices.Clone(h.left), func(s string) bool { return s == name })
		h.keep()
		h.mu.Unlock()
	}
}

// takeBack waits no longer than a moment for the farm, which is asked again.
func takeBack(ctx context.Context, conn *farm.Conn, job string) error {
	try, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return conn.TakeBack(try, job)
}
