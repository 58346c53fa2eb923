// Package wait says how long tests wait for what has to come.
//
// Contract: only tests import it. Waiting ends what never comes, and promises no speed: the machine that runs the tests may be many times
// slower than the one that they were written on, and run all of them side by side. What has to be quick is counted, compared with
// something that takes its time on the same machine, or has the time of testing/synctest.
package wait

import (
	"os"
	"strings"
	"testing"
	"time"
)

// Longest is how long anything may take: ten minutes, or half of what `go test` gives all tests of the package where that is less, so that
// a test says itself what did not come. A picture of the real window that takes 3 seconds on a machine that rests has taken more than a
// minute on one that runs all other tests beside it.
var Longest = longest(os.Args[1:])

// longest reads -test.timeout, which go test always gives. It is asked for before the flags are read.
func longest(args []string) time.Duration {
	most := 10 * time.Minute
	for _, arg := range args {
		if value, ok := strings.CutPrefix(arg, "-test.timeout="); ok {
			if limit, err := time.ParseDuration(value); err == nil && limit > 0 {
				most = min(most, limit/2)
			}
		}
	}
	return most
}

// Until looks again and again whether something is so, and fails the test when it is not after Longest.
func Until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(Longest); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// For receives what comes from a channel, and fails the test when nothing has come after Longest.
func For[T any](t testing.TB, what string, c <-chan T) (got T) {
	t.Helper()
	select {
	case got = <-c:
	case <-time.After(Longest):
		t.Fatalf("waited in vain for %s", what)
	}
	return got
}
