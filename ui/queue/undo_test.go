package queue

import (
	"context"
	"testing"

	"realword/inference"
)

// The user has paused the queue to clean it up, removed a job and let it go on; taking the removal back stops nothing.
func TestUndoPausesNothingThatGoesOn(t *testing.T) {
	b := newBench(t, nil)
	b.ask("one")
	j := b.started()
	b.ask("two")
	b.ask("three")
	b.Pause()
	b.Queue.Drop(b.State.Queue.Waiting[0].ID)
	b.Pause() // goes on
	b.rest()
	b.undo.Back()
	b.rest()
	if b.State.Queue.Paused || len(b.State.Queue.Waiting) != 2 {
		t.Errorf("the queue is paused: %v; %d wait", b.State.Queue.Paused, len(b.State.Queue.Waiting))
	}
	b.finish(j, inference.Done{})
	for range 2 { // the others begin
		b.finish(b.started(), inference.Done{})
	}
}

// Nor does one that was stopped while the queue was paused, once the others go on.
func TestUndoOfAStopPausesNothingThatGoesOn(t *testing.T) {
	b := newBench(t, nil)
	b.ask("one")
	j := b.started()
	b.ask("two")
	b.Pause()
	b.Stop()
	b.finish(j, inference.Failed{Err: context.Canceled})
	b.rest()
	b.Pause() // goes on
	two := b.started()
	b.undo.Back()
	b.rest()
	if b.State.Queue.Paused || len(b.State.Queue.Waiting) != 1 {
		t.Errorf("the queue is paused: %v; %d wait", b.State.Queue.Paused, len(b.State.Queue.Waiting))
	}
	b.finish(two, inference.Done{})
	b.finish(b.started(), inference.Done{})
}
