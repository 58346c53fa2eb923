package inference

import (
	"context"
	"sync"
	"time"
)

// job is a plan on its way through the engine, and the queue of its events: the worker puts them in, deliver hands them to
// the receiver.
type job struct {
	ctx    context.Context
	cancel context.CancelFunc
	plan   plan
	events chan Event

	mu      sync.Mutex
	changed *sync.Cond // pending, or the end of ctx
	pending []Event
	limit   int  // of pending, as long as the job is not cancelled
	begun   bool // somebody emits: the worker, or whoever ended the job before its turn
	paused  bool
	rested  time.Duration // in all; the worker's
}

func newJob(ctx context.Context, p plan) *job {
	j := &job{plan: p, events: make(chan Event), limit: p.request.Steps + 8}
	j.ctx, j.cancel = context.WithCancel(ctx)
	j.changed = sync.NewCond(&j.mu)
	return j
}

// queued begins delivery. The job ends with its engine too.
func (j *job) queued(engine context.Context) {
	detach := context.AfterFunc(engine, j.cancel)
	context.AfterFunc(j.ctx, func() {
		detach()
		j.ended()
	})
	go j.deliver()
}

// Events implements Job.
func (j *job) Events() <-chan Event { return j.events }

// Cancel implements Job.
func (j *job) Cancel() { j.cancel() }

// Pause implements Pauser.
func (j *job) Pause(on bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.paused = on
	j.changed.Broadcast()
}

// rest waits while the job is paused, and answers how long it has. tell is told of it; see Engine.OnWork.
func (j *job) rest(tell func(works bool)) (waited time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.paused {
		return 0
	}
	tell(false)
	defer tell(true)
	since := time.Now()
	for j.paused && j.ctx.Err() == nil {
		j.changed.Wait()
	}
	waited = time.Since(since)
	j.rested += waited
	return waited
}

// begin reports whether the caller is the first, and so the one that emits.
func (j *job) begin() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	first := !j.begun
	j.begun = true
	return first
}

// ended lets a cancelled job wait neither for its turn nor for a slow receiver.
func (j *job) ended() {
	if j.begin() {
		j.emit(Failed{j.ctx.Err()})
	}
	j.mu.Lock() // an emit that saw ctx alive is waiting by now
	defer j.mu.Unlock()
	j.changed.Broadcast()
}

// emit queues an event. Progress takes the place of a Progress that still waits. Everything else waits for room, unless
// the job is cancelled, since then little follows.
func (j *job) emit(e Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(j.pending); n > 0 && isProgress(e) && isProgress(j.pending[n-1]) {
		j.pending[n-1] = e
		return
	}
	for len(j.pending) >= j.limit && j.ctx.Err() == nil {
		j.changed.Wait()
	}
	j.pending = append(j.pending, e)
	j.changed.Broadcast()
}

func isProgress(e Event) bool {
	_, ok := e.(Progress)
	return ok
}

// deliver hands over events up to the last one of the job.
func (j *job) deliver() {
	defer close(j.events)
	for {
		j.mu.Lock()
		for len(j.pending) == 0 {
			j.changed.Wait()
		}
		e := j.pending[0]
		j.pending = j.pending[1:]
		j.changed.Broadcast()
		j.mu.Unlock()
		j.events <- e
		switch e.(type) {
		case Done, Failed:
			return
		}
	}
}
