package ui

import (
	"bytes"
	"image"
	"image/png"
	"slices"
	"sync"
)

// thumb is a picture of the gallery as its cell shows it.
type thumb struct {
	image   image.Image // nil: it has no thumbnail
	starred bool
	missing bool // its file is not where it was
	whole   bool // it was finished
}

// thumbs reads thumbnails off the window's goroutine, those asked for last first, and keeps the most recent ones. get and
// forget belong to the window's goroutine.
type thumbs struct {
	store func() Store
	post  func(func())
	came  func(ids []uint64) // on the window's goroutine: these can be shown now

	kept  map[uint64]*thumb
	order []uint64 // of kept, the least recently used first

	mu     sync.Mutex
	wanted []uint64 // the newest last
	busy   bool
}

const (
	thumbsKept   = 600 // of 64 kB at most: 40 MB
	thumbsWanted = 120 // what was asked for before was scrolled past
	thumbsBatch  = 16
)

// get is a thumbnail, or nil while it is being read.
func (t *thumbs) get(id uint64) *thumb {
	if have := t.kept[id]; have != nil {
		if i := slices.Index(t.order, id); i >= 0 && i < len(t.order)-1 {
			t.order = append(slices.Delete(t.order, i, i+1), id)
		}
		return have
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.wanted, id); i >= 0 {
		t.wanted = slices.Delete(t.wanted, i, i+1)
	}
	t.wanted = append(t.wanted, id)
	if n := len(t.wanted) - thumbsWanted; n > 0 {
		t.wanted = slices.Delete(t.wanted, 0, n)
	}
	if !t.busy {
		t.busy = true
		go t.work()
	}
	return nil
}

// forget drops thumbnails that have changed; all of them without arguments.
func (t *thumbs) forget(ids ...uint64) {
	if len(ids) == 0 {
		t.kept, t.order = nil, nil
	}
	for _, id := range ids {
		delete(t.kept, id)
		t.order = slices.DeleteFunc(t.order, func(o uint64) bool { return o == id })
	}
}

func (t *thumbs) work() {
	for {
		t.mu.Lock()
		from := max(len(t.wanted)-thumbsBatch, 0)
		batch := slices.Clone(t.wanted[from:])
		t.wanted = t.wanted[:from]
		if len(batch) == 0 {
			t.busy = false
			t.mu.Unlock()
			return
		}
		t.mu.Unlock()
		read := readThumbs(t.store(), batch)
		t.post(func() { t.keep(batch, read) })
	}
}

// working tells whether thumbnails are being read.
func (t *thumbs) working() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.busy
}

func (t *thumbs) keep(ids []uint64, read map[uint64]*thumb) {
	if t.kept == nil {
		t.kept = map[uint64]*thumb{}
	}
	for _, id := range ids {
		if t.kept[id] == nil {
			t.order = append(t.order, id)
		}
		if t.kept[id] = read[id]; read[id] == nil {
			t.kept[id] = &thumb{}
		}
	}
	for len(t.order) > thumbsKept {
		delete(t.kept, t.order[0])
		t.order = t.order[1:]
	}
	t.came(ids)
}

func readThumbs(s Store, ids []uint64) map[uint64]*thumb {
	out := map[uint64]*thumb{}
	if s == nil {
		return out
	}
	pictures, err := s.Pictures(ids)
	if err != nil {
		return out
	}
	for _, p := range pictures {
		one := &thumb{starred: p.Starred, missing: gone(p), whole: p.File != ""}
		if img, err := png.Decode(bytes.NewReader(p.Thumbnail)); err == nil {
			one.image = img
		}
		out[p.ID] = one
	}
	return out
}
