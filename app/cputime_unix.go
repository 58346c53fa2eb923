//go:build unix

package main

import (
	"syscall"
	"time"
)

// processorTime returns the seconds that processors spent on this process.
func processorTime() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
