package ui

import (
	"crypto/sha256"
	"encoding/hex"
	"image"
	"sync"
	"sync/atomic"
	"time"

	"realword/history"
	"realword/inference"
	"realword/inference/userfile"
)

// journal makes the changes of the history, in the order in which they are asked for, on a goroutine of its own. It may be
// used from any goroutine. Without a store it does nothing.
type journal struct {
	told func(error)  // of every change: nil, or why it was not made. Not called on the window's goroutine
	idle func()       // nothing waits any more; likewise
	went func(uint64) // to another session; likewise

	mu      sync.Mutex
	store   Store
	waiting []func(Store) error
	busy    bool
	done    *sync.Cond                      // busy has become false
	made    map[*image.NRGBA]unsavedPicture // finished pictures whose files are still being written

	budget  atomic.Int64 // of step data, in bytes; 0: no limit
	thumb   atomic.Int64 // longer side of thumbnails, in pixels
	session uint64       // that rounds and drafts go to, 0 until one is begun; belongs to the changes
}

// unsavedPicture is a picture that the engine has made.
type unsavedPicture struct {
	round *Recorder
	ready inference.PictureReady
}

func newJournal(told func(error), idle func(), went func(session uint64)) *journal {
	j := &journal{told: told, idle: idle, went: went, made: map[*image.NRGBA]unsavedPicture{}}
	j.done = sync.NewCond(&j.mu)
	return j
}

// open gives the journal its store.
func (j *journal) open(s Store) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.store = s
}

// read is the store for reading, nil without one.
func (j *journal) read() Store {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.store
}

// do asks for a change.
func (j *journal) do(change func(Store) error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.store == nil {
		return
	}
	j.waiting = append(j.waiting, change)
	if !j.busy {
		j.busy = true
		go j.work()
	}
}

func (j *journal) work() {
	for {
		j.mu.Lock()
		if len(j.waiting) == 0 {
			j.busy = false
			j.done.Broadcast()
			j.mu.Unlock()
			j.idle()
			return
		}
		change, store := j.waiting[0], j.store
		j.waiting = j.waiting[1:]
		j.mu.Unlock()
		j.told(change(store))
	}
}

// working tells whether changes wait.
func (j *journal) working() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.busy
}

// close waits for what was asked for and closes the store.
func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.busy {
		j.done.Wait()
	}
	if j.store == nil {
		return nil
	}
	err := j.store.Close()
	j.store = nil
	return err
}

// current is the session that things go to; it begins one. It belongs to a change.
func (j *journal) current(s Store) (uint64, error) {
	if j.session != 0 {
		return j.session, nil
	}
	id, err := s.NewSession("", time.Now())
	if err == nil {
		j.session = id
		j.went(id)
	}
	return id, err
}

// record journals a round from its begin, and passes the events of its job on. begin makes the round and is called as a
// change.
func (j *journal) record(r inference.Request, begin func(s Store) (round uint64, err error), events <-chan inference.Event) <-chan inference.Event {
	if j.read() == nil {
		return events
	}
	rec := NewRecorder(nil, 0, r)
	rec.Thumb = int(j.thumb.Load())
	j.do(func(s Store) error {
		rec.store = s
		rec.Round, rec.failed = begin(s)
		return rec.failed
	})
	out := make(chan inference.Event)
	go func() {
		defer close(out)
		for e := range events {
			if ready, ok := e.(inference.PictureReady); ok {
				j.mu.Lock()
				j.made[ready.Image] = unsavedPicture{rec, ready}
				j.mu.Unlock()
			}
			out <- e // the screen comes first
			j.do(func(Store) error { return rec.Event(e) })
		}
		j.do(func(s Store) error {
			if rec.failed != nil {
				return rec.failed
			}
			return trimTo(j.budget.Load())(s)
		})
	}()
	return out
}

// begin begins a round of the current session.
func (j *journal) begin(r inference.Request, model string, parents []uint64) func(Store) (uint64, error) {
	return func(s Store) (uint64, error) {
		session, err := j.current(s)
		if err != nil {
			return 0, err
		}
		plan, err := PlanOf(s, session, r, model, existing(s, parents)...)
		if err != nil {
			return 0, err
		}
		return s.BeginRound(plan, time.Now())
	}
}

// existing leaves out pictures that were deleted for good meanwhile.
func existing(s Store, pictures []uint64) []uint64 {
	var list []uint64
	for _, id := range pictures {
		if _, err := s.Picture(id); err == nil {
			list = append(list, id)
		}
	}
	return list
}

// saved journals the file of a finished picture of a recorded round; then is told the picture's number in the history. A
// picture that could not be saved has no file.
func (j *journal) saved(ready inference.PictureReady, file string, then func(picture uint64)) {
	j.mu.Lock()
	made, ok := j.made[ready.Image]
	delete(j.made, ready.Image)
	j.mu.Unlock()
	if !ok || file == "" {
		return
	}
	j.do(func(Store) error {
		err := made.round.Saved(made.ready, file, sumOf(file))
		if id := made.round.Picture(ready.Picture); err == nil && id != 0 {
			then(id)
		}
		return err
	})
}

// sumOf is the SHA-256 of a file, empty if it cannot be read.
func sumOf(path string) string {
	data, err := userfile.Read(path, 1<<30)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// sessionChanged tells a running journal that what follows goes to another session, 0 for one that is begun when needed.
func (j *journal) sessionChanged(id uint64) {
	j.do(func(Store) error {
		j.session = id
		j.went(id)
		return nil
	})
}

// keep journals the form as it stands, with the pictures of its cards.
func (j *journal) keep(draft []byte, cards []Card) {
	j.do(func(s Store) error {
		session, err := j.current(s)
		if err != nil {
			return err
		}
		var references []history.Reference
		for _, c := range cards {
			if len(c.Ref.Data) == 0 {
				continue // a picture that is missing
			}
			kept, err := s.PutReference(c.Ref.Name, c.Ref.Data)
			if err != nil {
				return err
			}
			references = append(references, kept)
		}
		return s.SetDraft(session, draft, references)
	})
}
