// Package plain is for tests that the race detector would only slow down: they do a lot, on one goroutine.
//
// Contract: only tests import it. Their names begin with TestLook (everything on the screen is laid out) or TestDamage (a file is damaged
// in many places), because `make test` runs those once more without the detector.
package plain

import (
	"strings"
	"testing"
)

// Run skips the test under the race detector, which makes such tests nine times as slow and has nothing to find in them.
func Run(t *testing.T) {
	t.Helper()
	if !strings.HasPrefix(t.Name(), "TestLook") && !strings.HasPrefix(t.Name(), "TestDamage") {
		t.Fatal("make test would never run it: its name has to begin with TestLook or TestDamage")
	}
	if raced {
		t.Skip("runs without the race detector")
	}
}
