package farm

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"realword/inference"
	"realword/inference/memory"
	"realword/inference/session"
)

// needs is a plan of so many GB, of which so many are to be had.
func needs(peak, available int64) func(inference.Request) (memory.Plan, bool) {
	return func(inference.Request) (memory.Plan, bool) {
		p := memory.Plan{Peak: peak << 30, Available: available << 30, Verdict: memory.Fits}
		if peak > available {
			p.Verdict, p.Remedies = memory.TooLarge, []memory.Remedy{{Text: "8 × 8 pixels", Width: 8, Height: 8, Peak: 1 << 30}}
		}
		return p, true
	}
}

// roomy begins a worker of several models with so many GB, and answers its connection.
func (b *bench) roomy(name string, gb int64, models map[string]*fakeEngine) *Conn {
	o := WorkerOptions{
		Name: name, Keep: time.Nanosecond,
		Memory: func(context.Context) Memory { return Memory{Total: gb << 30, Free: gb << 30 / 2, Card: 8 << 30} },
	}
	for id, e := range models {
		o.Models = append(o.Models, Model{ID: id, Name: "Fake " + id, Engine: e})
	}
	c := b.helper(name)
	b.works(c, o)
	b.until(name+" is there", func() bool { return b.info(name).Name == name })
	return c
}

// info is what a worker says of itself.
func (b *bench) info(name string) (info WorkerInfo) {
	b.t.Helper()
	all, err := b.client.Workers(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, w := range all {
		if w.Name == name {
			info = w
		}
	}
	return info
}

// TestAPictureThatIsTooLargeForAComputer is not begun there, however many such computers there are, and is made by one that has room.
func TestAPictureThatIsTooLargeForAComputer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var begun atomic.Int32
	for n := range maxTries + 1 {
		b.roomy(fmt.Sprint("small", n), 4, map[string]*fakeEngine{"m1": {plan: needs(10, 3), started: func(inference.Request) { begun.Add(1) }}})
	}
	b.roomy("large", 64, map[string]*fakeEngine{"m1": {plan: needs(10, 60), step: time.Millisecond}})
	if m := b.info("large").Memory; m != (Memory{Total: 64 << 30, Free: 32 << 30, Card: 8 << 30}) {
		t.Errorf("it tells %+v", m)
	}
	r := request("dog", 3, 6)
	j := b.start(r)
	same(t, r, collect(t, j))
	for n, name := range j.(*Job).Makers() {
		if name != "large" {
			t.Errorf("picture %d was made by %s", n, name)
		}
	}
	if n := begun.Load(); n > 0 {
		t.Errorf("%d pictures were begun where they do not fit", n)
	}
}

// TestAPictureThatIsTooLargeForAll is parked, with what it needs and what would fit, as an error that other languages can say.
func TestAPictureThatIsTooLargeForAll(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, name := range []string{"one", "two"} {
		b.roomy(name, 4, map[string]*fakeEngine{"m1": {plan: needs(10, 3)}})
	}
	_, err := last(collect(t, b.start(request("dog", 3, 2))))
	var short *memory.Error
	if !errors.As(err, &short) || short.Plan.Peak != 10<<30 || len(short.Plan.Remedies) != 1 {
		t.Errorf("%v", err)
	}
}

// TestNoMemoryJustNow: the picture waits for it, whoever waits is told why, and pictures of another model do not wait.
func TestNoMemoryJustNow(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var free atomic.Bool
	full, ready := needs(10, 3), needs(10, 14)
	b.roomy("busy", 16, map[string]*fakeEngine{
		"m1": {step: time.Millisecond, plan: func(r inference.Request) (memory.Plan, bool) {
			if free.Load() {
				return ready(r)
			}
			return full(r)
		}},
		"m2": {step: time.Millisecond},
	})
	r := request("dog", 3, 2)
	j := b.start(r)
	b.until("it says what it lacks", func() bool {
		var short *memory.Error
		return errors.As(b.info("busy").Trouble(), &short) && short.Plan.Peak == 10<<30
	})
	other, err := b.client.queueOf("m2").Start(t.Context(), request("cat", 3, 1))
	if err != nil {
		t.Fatal(err)
	}
	same(t, request("cat", 3, 1), collect(t, other))
	free.Store(true)
	same(t, r, collect(t, j))
	b.until("nothing is amiss any more", func() bool { return b.info("busy").Trouble() == nil })
}

// TestMemoryThatRunsOut in the middle of a picture is no reason to try it there again.
func TestMemoryThatRunsOut(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var tries atomic.Int32
	b.roomy("short", 16, map[string]*fakeEngine{"m1": {step: time.Millisecond, fail: func(inference.Request) error {
		tries.Add(1)
		return fmt.Errorf("run the U-Net: %w", session.ErrMemory)
	}}})
	_, err := last(collect(t, b.start(request("dog", 3, 1))))
	if err == nil || tries.Load() != 1 {
		t.Errorf("alone: %v after %d tries", err, tries.Load())
	}
	b.roomy("large", 64, map[string]*fakeEngine{"m1": {step: time.Millisecond}})
	r := request("cat", 3, 4)
	same(t, r, collect(t, b.start(r)))
	if n := tries.Load() - 1; n > 4 {
		t.Errorf("4 pictures were tried %d times", n)
	}
}
