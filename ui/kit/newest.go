package kit

import "sync"

// Newest runs do on its own goroutine for the newest value given to set; values that were overtaken are skipped.
type Newest[T any] struct {
	Do func(T)

	mu      sync.Mutex
	value   T
	waiting bool
	busy    bool
}

func (n *Newest[T]) Set(v T) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.value, n.waiting = v, true
	if !n.busy {
		n.busy = true
		go n.work()
	}
}

func (n *Newest[T]) work() {
	for {
		n.mu.Lock()
		if !n.waiting {
			n.busy = false
			n.mu.Unlock()
			return
		}
		v := n.value
		var none T
		n.value, n.waiting = none, false
		n.mu.Unlock()
		n.Do(v)
	}
}

// Working tells whether a value waits or is under way.
func (n *Newest[T]) Working() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.busy
}
