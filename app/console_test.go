package main

import "testing"

// The first interrupt of a console ends a run in good order, the second one at once; where the console goes, there is nothing else to ask.
func TestWhatAConsoleAsksFor(t *testing.T) {
	for name, c := range map[string]struct {
		events      []uint32
		interrupted int
		taken, last bool // of the last event
	}{
		"Ctrl-C":                   {[]uint32{consoleInterrupt}, 1, true, false},
		"Ctrl-Break":               {[]uint32{consoleBreak}, 1, true, false},
		"Ctrl-C twice":             {[]uint32{consoleInterrupt, consoleInterrupt}, 1, false, false},
		"closed":                   {[]uint32{consoleClosed}, 1, true, true},
		"closed after Ctrl-C":      {[]uint32{consoleInterrupt, consoleClosed}, 2, true, true},
		"logged off":               {[]uint32{consoleLogoff}, 1, true, true},
		"shut down":                {[]uint32{consoleShutdown}, 1, true, true},
		"something of another day": {[]uint32{3}, 0, false, false},
	} {
		interrupted, taken, last := 0, false, false
		heard := console{interrupt: func() { interrupted++ }}
		for _, event := range c.events {
			taken, last = heard.told(event)
		}
		if interrupted != c.interrupted || taken != c.taken || last != c.last {
			t.Errorf("%s: interrupted %d times, taken %v, last %v", name, interrupted, taken, last)
		}
	}
}
