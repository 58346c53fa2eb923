package main

import (
	"syscall"
	"time"
)

// processorTime returns the seconds that processors spent on this process.
func processorTime() float64 {
	var created, exited, kernel, user syscall.Filetime
	process, err := syscall.GetCurrentProcess()
	if err != nil || syscall.GetProcessTimes(process, &created, &exited, &kernel, &user) != nil {
		return 0
	}
	ticks := func(f syscall.Filetime) int64 { return int64(f.HighDateTime)<<32 | int64(f.LowDateTime) } // of 100 ns
	return (time.Duration(ticks(kernel)+ticks(user)) * 100).Seconds()
}
