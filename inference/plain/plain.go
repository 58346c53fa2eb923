// Package plain is for tests that the race detector would only slow down: what they are about happens on one goroutine.
//
// Contract: only tests import it. Their names begin with TestLook (what the window shows, and where clicks and keys in it lead) or
// TestDamage (a file is damaged in many ways), because `make test` runs those once more without the detector. Jobs, imports, histories, and
// whatever else works beside the window, stay under it; `make audit` has it watch all tests.
package plain

import (
	"os"
	"strings"
	"testing"
)

// Run skips the test under the race detector, which makes such tests nine times as slow and has hardly anything to find in them.
// REALWORD_WATCH_ALL lets it run.
func Run(t *testing.T) {
	t.Helper()
	if !strings.HasPrefix(t.Name(), "TestLook") && !strings.HasPrefix(t.Name(), "TestDamage") {
		t.Fatal("make test would never run it: its name has to begin with TestLook or TestDamage")
	}
	if raced && os.Getenv("REALWORD_WATCH_ALL") == "" {
		t.Skip("runs without the race detector")
	}
}
