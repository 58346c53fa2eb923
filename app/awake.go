package main

import "sync"

// awake keeps the computer from going to sleep by itself while pictures are made: systems count what the user does, and not what a program
// computes.
var awake = vigil{begin: holdAwake}

// vigil is one of all engines together.
type vigil struct {
	begin func() (end func()) // asks the system for it

	mu      sync.Mutex
	working int // engines
	end     func()
}

// tell is told by every engine that it begins to work, or that it ends or rests.
func (v *vigil) tell(works bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if works {
		v.working++
	} else {
		v.working--
	}
	switch {
	case v.working > 0 && v.end == nil:
		v.end = v.begin()
	case v.working == 0 && v.end != nil:
		v.end()
		v.end = nil
	}
}
