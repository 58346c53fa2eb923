package main

import (
	"sync"

	"realword/app/awake"
	"realword/ui/i18n"
)

// watch keeps the computer awake while pictures are made.
var watch = vigil{begin: func() (end func()) { return awake.Hold(i18n.T("Pictures are being made")) }}

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
