package queue

import (
	"sync"
	"time"

	"realword/inference"
)

// pump carries the events of a job to the window's goroutine. However fast they come, at most one function waits in Fyne's
// queue; it delivers everything that has gathered. A newer Progress replaces one that still waits. Steps that come faster than
// the pace are delivered together: nobody sees more pictures a second, and drawing each would take time from the run.
type pump struct {
	post  func(func())
	apply func([]inference.Event) // on the window's goroutine
	pace  time.Duration           // between deliveries of steps; what ends something is delivered at once

	mu      sync.Mutex
	waiting []inference.Event
	queued  bool
	last    time.Time   // of the last delivery
	timer   *time.Timer // to the next one
}

// run drains the channel until the job closes it.
func (p *pump) run(events <-chan inference.Event) {
	for e := range events {
		p.add(e)
	}
}

func (p *pump) add(e inference.Event) {
	p.mu.Lock()
	_, dull := e.(inference.Progress)
	if n := len(p.waiting); dull && n > 0 {
		if _, also := p.waiting[n-1].(inference.Progress); also {
			p.waiting = p.waiting[:n-1]
		}
	}
	p.waiting = append(p.waiting, e)
	_, step := e.(inference.StepDone)
	rest := p.pace - time.Since(p.last)
	now := !p.queued && (rest <= 0 || !dull && !step)
	switch {
	case now:
		p.queued = true
	case !p.queued && p.timer == nil:
		p.timer = time.AfterFunc(rest, p.due)
	}
	p.mu.Unlock()
	if now {
		p.post(p.deliver)
	}
}

// due posts a delivery that has waited for the pace.
func (p *pump) due() {
	p.mu.Lock()
	p.timer = nil
	now := !p.queued && len(p.waiting) > 0
	p.queued = p.queued || now
	p.mu.Unlock()
	if now {
		p.post(p.deliver)
	}
}

func (p *pump) deliver() {
	p.mu.Lock()
	batch := p.waiting
	p.waiting, p.queued, p.last = nil, false, time.Now()
	p.mu.Unlock()
	p.apply(batch)
}
