package ort

import (
	"runtime"
	"syscall"
)

// yielding is how nice the threads of Yield are: about a ninth of the weight of others.
const yielding = 10

// Yield makes the goroutine that calls it, and the threads of all sessions that it opens, give way to the rest of the program and
// of the machine: a window stays quick while every core computes, and an idle machine computes as fast as before. It cannot be
// undone, so the goroutine should be one that only computes. Where the system refuses or has no such thing, nothing happens.
func Yield() {
	runtime.LockOSThread() // sessions' threads are as nice as the thread that made them
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), yielding)
}

// GiveWay does nothing on this system, which shares processors out by sessions; see Windows.
func GiveWay() {}
