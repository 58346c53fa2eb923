package ui

import (
	"testing"

	"fyne.io/fyne/v2/test"
)

// A closing window goes when the last of its tasks is done and nothing else is under way, and runs nothing after that.
func TestAClosingWindowWaitsForItsTasks(t *testing.T) {
	posted := make(chan func(), 10)
	l, busy, gone, shown := &life{}, false, 0, 0
	l.post = l.while(func(f func()) { posted <- f })
	l.busy, l.gone = func() bool { return busy }, func() { gone++ }
	l.background(func() func() { return func() { shown++ } })
	l.background(func() func() { return nil })
	if (<-posted)(); gone != 0 {
		t.Fatal("an open window goes")
	}
	l.closing = true
	if l.leave(); gone != 0 || l.tasks != 1 {
		t.Fatalf("gone %d times, with %d tasks", gone, l.tasks)
	}
	busy = true
	if (<-posted)(); gone != 0 || l.tasks != 0 {
		t.Fatalf("gone %d times while it is busy, with %d tasks", gone, l.tasks)
	}
	busy = false
	if l.leave(); gone != 1 || !l.closed.Load() || shown != 1 {
		t.Errorf("gone %d times, shown %d times", gone, shown)
	}
	l.post(func() { shown++ })
	if (<-posted)(); shown != 1 {
		t.Error("a closed window goes on")
	}
}

// Fyne ends its loop at a signal before the window has closed: there is nothing to close then, whatever ends later.
func TestALifeThatIsOverClosesNothing(t *testing.T) {
	posted := make(chan func(), 10)
	quit, gone, shown := 0, 0, 0
	l := &life{quit: func() { quit++ }, busy: func() bool { return false }, gone: func() { gone++ }, closing: true}
	l.post = l.while(func(f func()) { posted <- f })
	l.background(func() func() { return func() { shown++ } })
	last := <-posted
	l.over()
	last()
	l.leave()
	if quit != 1 || gone != 0 || shown != 0 {
		t.Errorf("quit %d, gone %d, shown %d times", quit, gone, shown)
	}
}

// Nothing is left for Fyne to queue on its loop at the loop's end, where it may be waited for for ever; what was to run then still does.
func TestNothingWaitsForALoopThatEnded(t *testing.T) {
	l := test.NewTempApp(t).Lifecycle()
	ran := 0
	l.SetOnStopped(func() { ran++ })
	stopped := takeStopped(l)
	if l.(interface{ OnStopped() func() }).OnStopped() != nil {
		t.Error("Fyne still has something to queue")
	}
	if stopped(); ran != 1 {
		t.Errorf("it ran %d times", ran)
	}
}
