package ui

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWatchdogSeesWhoHoldsTheWindow(t *testing.T) { synctest.Test(t, watchdogSees) }

func watchdogSees(t *testing.T) {
	queue := make(chan func(), 100)
	var out bytes.Buffer
	d := newWatchdog(func(f func()) { queue <- f }, &out)
	d.every = time.Millisecond
	d.running(true)
	d.running(true) // said again at every refresh
	slow := func() { time.Sleep(70 * time.Millisecond) }
	for i := range 10 {
		d.call(<-queue)
		if i == 3 {
			d.call(slow)
			d.step()
			d.painted(time.Now().Add(-30 * time.Millisecond))
		}
	}
	d.running(false)
	// It asks every millisecond, and so once in the 70 that it waits for.
	begins := "audit: run of 78ms, 1 steps: the window answered 9 times, after 0s (median), 0s (99 %), 69ms (longest), 1 times later than 50ms, with "
	ends := "; longest function 70ms (ui.watchdogSees.func2); painting 30ms a step, 38.46 % of the run"
	if line, _, _ := strings.Cut(out.String(), "\n"); !strings.HasPrefix(line, begins) || !strings.HasSuffix(line, ends) {
		t.Errorf("%s", out.String())
	}
	d.running(false)
	if bytes.Count(out.Bytes(), []byte("run of")) != 1 {
		t.Error("a run is reported twice")
	}
}

func TestNoWatchdogMeasuresNothing(t *testing.T) {
	d := newWatchdog(nil, nil)
	called := false
	d.running(true)
	d.call(func() { called = true })
	d.step()
	d.painted(time.Now())
	d.running(false)
	if d != nil || !called {
		t.Error("a function was not called")
	}
}
