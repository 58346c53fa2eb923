package uitest

import (
	"testing"
	"time"

	"realword/inference/wait"
)

// Until lets posted work happen until done holds. It fails the test when that never happens (package wait).
func Until(t testing.TB, posted <-chan func(), what string, done func() bool) {
	t.Helper()
	deadline := time.After(wait.Longest)
	for !done() {
		select {
		case f := <-posted:
			f()
		case <-time.After(time.Millisecond): // painters say nothing when they come to rest, and fakes tell the test alone
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// Next is what comes next from a channel, while until lets other things happen.
func Next[T any](until func(what string, done func() bool), what string, from <-chan T) (next T) {
	until(what, func() bool {
		select {
		case next = <-from:
			return true
		default:
			return false
		}
	})
	return next
}
