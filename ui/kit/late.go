package kit

import (
	"sync"
	"time"
)

// lateDelay is how long something may take before the window says so.
const lateDelay = 300 * time.Millisecond

// Late has show say that something goes on, if that takes a moment, and say so no more once stop is called. post brings show to the
// window's goroutine; Late and stop may be called from any.
func Late(post func(func()), show func(on bool)) (stop func()) {
	var mu sync.Mutex
	shown, done := false, false
	timer := time.AfterFunc(lateDelay, func() {
		mu.Lock()
		defer mu.Unlock()
		if shown = !done; shown {
			post(func() { show(true) })
		}
	})
	return func() {
		timer.Stop()
		mu.Lock()
		defer mu.Unlock()
		if done = true; shown {
			post(func() { show(false) })
		}
	}
}
