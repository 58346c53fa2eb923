package wait

import (
	"testing"
	"time"
)

// TestLongest: a test that hangs says so before go test ends it.
func TestLongest(t *testing.T) {
	for timeout, want := range map[string]time.Duration{
		"": 10 * time.Minute, "10m0s": 5 * time.Minute, "1h0m0s": 10 * time.Minute, "0s": 10 * time.Minute,
	} {
		if got := longest([]string{"-test.v=true", "-test.timeout=" + timeout}); got != want {
			t.Errorf("of %q it waits %v, not %v", timeout, got, want)
		}
	}
	if end, ok := t.Deadline(); ok && Longest > time.Until(end) {
		t.Errorf("it waits %v, the tests end in %v", Longest, time.Until(end))
	}
}
