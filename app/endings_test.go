package main

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
	"testing"
)

// A terminal that is closed ends a run as an interrupt does, unless the program was told to outlive it, as by nohup.
func TestAClosedTerminalEndsARun(t *testing.T) {
	hangup := os.Signal(syscall.SIGHUP)
	if was := signal.Ignored(hangup); slices.Contains(endings(), hangup) == was {
		t.Errorf("ignored %v: a run ends by %v", was, endings())
	}
	signal.Ignore(hangup)
	defer signal.Reset(hangup)
	if slices.Contains(endings(), hangup) || !slices.Contains(endings(), os.Interrupt) {
		t.Errorf("under nohup a run ends by %v", endings())
	}
}
