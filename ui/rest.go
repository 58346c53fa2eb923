package ui

import (
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
)

const (
	restAfter = time.Second           // without an event; Fyne's animations end within it
	restFor   = time.Second           // at most; what Fyne posts by itself waits as long, such as a theme of the desktop that has changed
	restBlink = time.Second / 2       // at most where something has the focus: Fyne's cursor blinks every second
	restBreak = 40 * time.Millisecond // in which Fyne's loop comes round and draws
)

// resting makes an idle window sleep. Fyne's loop looks for events 60 times a second, which takes one per cent of a core for nothing.
type resting struct {
	wait func(limit time.Duration) bool
	wake func()
	on   atomic.Bool // wait runs, or is about to
}

// post is Fyne's way to the window's goroutine, which it wakes.
func (r *resting) post(f func()) {
	fyne.Do(f)
	if r.on.Load() {
		r.wake()
	}
}

// run lets the window's goroutine wait for events again and again, until done. limit is asked on it for how long; 0 means that
// something moves on the screen.
func (r *resting) run(done <-chan struct{}, limit func() time.Duration) {
	for pause := restAfter; ; {
		select {
		case <-done:
			return
		case <-time.After(pause):
		}
		came := make(chan bool, 1)
		r.on.Store(true) // before what is posted now is queued, so that nothing can be missed
		fyne.Do(func() {
			most := limit()
			came <- most == 0 || r.wait(most)
		})
		select {
		case <-done:
			return
		case active := <-came:
			r.on.Store(false)
			pause = restBreak
			if active {
				pause = restAfter
			}
		}
	}
}

// mayRest is for how long the window may sleep where nothing comes.
func (w *Window) mayRest() time.Duration {
	switch {
	case w.closed.Load() || w.models.Animated():
		return 0
	case w.win.Canvas().Focused() != nil:
		return restBlink
	}
	return restFor
}
