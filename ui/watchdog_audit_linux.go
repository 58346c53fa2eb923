//go:build audit && linux

package ui

import (
	"syscall"
	"time"
)

func init() {
	threadTime = func() time.Duration {
		const thread = 1 // RUSAGE_THREAD
		var u syscall.Rusage
		if syscall.Getrusage(thread, &u) != nil {
			return 0
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
}
