package state

import (
	"testing"

	"realword/inference"
)

// TestAGridThatGoesOnIsCountedInOneWay: in the line of the run and in the queue, with the cells that were there.
func TestAGridThatGoesOnIsCountedInOneWay(t *testing.T) {
	r := Round{Phase: Running, Stage: inference.StageDenoise, Pictures: 9, Before: 6, Picture: 8, Made: 1}
	if n := r.Number(); n != 8 || r.Status() != "picture 8 of 9 · first step…" {
		t.Errorf("picture %d, and the line says %q", n, r.Status())
	}
	if r.Made = 3; r.Number() != 9 {
		t.Errorf("all are made: picture %d", r.Number())
	}
}
