package ui

import (
	"bytes"
	"regexp"
	"testing"
	"time"
)

func TestWatchdogSeesWhoHoldsTheWindow(t *testing.T) {
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
	want := regexp.MustCompile(`^audit: run of [\d.]+m?s, 1 steps: the window answered \d+ times, .*s \(longest\), [1-9]\d* times later than 50ms, with .*; longest function [\d.]+m?s \(ui\.TestWatchdog.*\); painting 3\d(\.\d+)?ms a step, \d+\.\d\d % of the run\n`)
	if !want.MatchString(out.String()) {
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
