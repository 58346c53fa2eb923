package main

import "sync/atomic"

// console is what a console of Windows tells a program that has joined it, which is no signal to Go.
type console struct {
	interrupt func() // ends the run in good order
	asked     atomic.Bool
}

// Events of a console, as its handlers get them.
const (
	consoleInterrupt = 0 // Ctrl-C
	consoleBreak     = 1
	consoleClosed    = 2
	consoleLogoff    = 5
	consoleShutdown  = 6
)

// told tells whether an event is taken: the first interrupt is, and a second one ends the program at once, as a signal does. last says that
// the program is ended as soon as it is answered: the console is closed, or the user logs off.
func (c *console) told(event uint32) (taken, last bool) {
	switch event {
	case consoleInterrupt, consoleBreak:
		if c.asked.Swap(true) {
			return false, false
		}
	case consoleClosed, consoleLogoff, consoleShutdown:
		last = true
	default:
		return false, false
	}
	c.interrupt()
	return true, last
}
