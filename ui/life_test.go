package ui

import "testing"

// A closing window goes when the last of its work is done, and runs nothing after that.
func TestAClosingWindowWaitsForItsTasks(t *testing.T) {
	posted := make(chan func(), 10)
	k, more, gone, shown := &life{}, true, 0, 0
	k.post = k.while(func(f func()) { posted <- f })
	k.busy, k.gone = func() bool { return more }, func() { gone++ }
	k.background(func() func() { return func() { shown++ } })
	k.background(func() func() { return nil })
	if k.leave(); gone != 0 {
		t.Fatal("an open window goes")
	}
	k.closing = true
	(<-posted)()
	if k.leave(); gone != 0 || k.tasks != 1 {
		t.Fatalf("gone with %d tasks", k.tasks)
	}
	(<-posted)()
	if gone != 0 || shown != 1 {
		t.Errorf("gone %d times while something else goes on, shown %d times", gone, shown)
	}
	more = false
	k.leave()
	if gone != 1 || !k.closed {
		t.Errorf("gone %d times", gone)
	}
	k.post(func() { shown++ })
	if (<-posted)(); shown != 1 {
		t.Error("a closed window goes on")
	}
}
