package uitest

import (
	"strings"
	"testing"
)

// Look begins a test that only lays out and measures, on one goroutine, so that the race detector has nothing to find and would
// make it nine times as slow: under it the test is skipped. The names of such tests begin with TestLook, because that is what
// `make test` runs once more without the detector.
func Look(t *testing.T) {
	t.Helper()
	if !strings.HasPrefix(t.Name(), "TestLook") {
		t.Fatal("make test would never run it: its name has to begin with TestLook")
	}
	if raced {
		t.Skip("lays out on one goroutine: runs without the race detector")
	}
}
