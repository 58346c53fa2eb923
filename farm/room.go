package farm

import (
	"context"
	"errors"
	"time"

	"realword/inference"
	"realword/inference/memory"
	"realword/inference/ram"
	"realword/inference/session"
)

// Memory is what a worker has, in bytes; 0 is what it does not know.
type Memory struct {
	Total    int64 `json:"total,omitempty"`
	Free     int64 `json:"free,omitempty"` // what it could still take
	Card     int64 `json:"card,omitempty"` // of the graphics card that it computes on
	CardFree int64 `json:"card_free,omitempty"`
}

// MemoryHere is what this computer has, without its graphics cards.
func MemoryHere() Memory { return Memory{Total: ram.Total(), Free: ram.Available()} }

// Planner is an Engine that knows what a request will take of the memory; inference.Engine is one. What it answers holds of the moment.
type Planner interface {
	Memory(inference.Request) (memory.Plan, bool)
}

// lookAtMemory is how often a worker looks what it has.
const lookAtMemory = 5 * time.Second

func (w *worker) look(ctx context.Context) {
	m := w.options.Memory(ctx)
	w.change(func(i *WorkerInfo) { i.Memory = m })
}

// measure keeps what is told of the memory, until the context ends.
func (w *worker) measure(ctx context.Context) {
	tick := time.NewTicker(lookAtMemory)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.look(ctx)
		}
	}
}

// fits tells whether there is memory for the picture, before it is begun: a system that has none left ends programs. What would not fit if
// nobody else wanted any is refused: it is for another computer.
func (t *task) fits() error {
	planner, ok := t.model.Engine.(Planner)
	if !ok || t.options.Memory == nil || t.options.Force {
		return nil
	}
	plan, ok := planner.Memory(t.request)
	if !ok || plan.Verdict != memory.TooLarge {
		return nil
	}
	short := &memory.Error{Plan: plan}
	t.mu.Lock()
	all := t.info.Memory.Total
	t.mu.Unlock()
	if all == 0 || plan.Peak > all/20*19 {
		return refused{short}
	}
	return crowded{short}
}

// crowded is that a picture does not fit into what is free of the memory now, and would into all of it.
type crowded struct{ error }

func (c crowded) Unwrap() error { return c.error }

// planOf is what a picture needs, where lacking memory is the error; nil: it is another one.
func planOf(err error) *memory.Plan {
	if short := (*memory.Error)(nil); errors.As(err, &short) && short.Err == nil {
		return &short.Plan
	}
	return nil
}

// lacksMemory tells whether an error is one of lacking memory, before a run or in it.
func lacksMemory(err error) bool {
	var device *session.DeviceError
	return errors.Is(err, session.ErrMemory) || errors.As(err, new(*memory.Error)) || errors.As(err, &device) && device.OutOfMemory
}

// How long a worker leaves the pictures of a model to others that has no room for one: each time twice as long, up to a limit.
const (
	restFirst = 2 * time.Second
	restMost  = 30 * time.Second
)

// rest is until when a worker leaves a model's pictures to others.
type rest struct {
	until time.Time
	last  time.Duration
}

// rests begins or lengthens a rest.
func (w *worker) rests(model string) {
	r := w.resting[model]
	r.last = min(max(2*r.last, restFirst), restMost)
	r.until = time.Now().Add(r.last)
	w.resting[model] = r
}

// awake are those of the models that the worker does not rest from, and how long it is until there may be more.
func (w *worker) awake(models []Model) (list []Model, next time.Duration) {
	next = idle
	for _, m := range models {
		if left := time.Until(w.resting[m.ID].until); left > 0 {
			next = min(next, left)
		} else {
			list = append(list, m)
		}
	}
	return list, next
}
