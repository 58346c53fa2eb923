package farm

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"realword/inference"
	"realword/inference/wait"
)

// heldStream is a queue that takes nothing back before it may.
type heldStream struct {
	jetstream.Stream
	free chan bool
	late bool // it has not waited until it might
}

func (s *heldStream) Purge(ctx context.Context, o ...jetstream.StreamPurgeOpt) error {
	select {
	case <-s.free:
	case <-time.After(wait.Longest):
		s.late = true
	}
	return s.Stream.Purge(context.WithoutCancel(ctx), o...)
}

// TestAJobEndsBeforeItIsTakenBack: who stops a job waits for no farm that does not answer; what is left of it is taken back behind.
func TestAJobEndsBeforeItIsTakenBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	held := &heldStream{Stream: b.client.jobs, free: make(chan bool)}
	b.client.jobs = held
	j := b.start(request("dog", 5, 3))
	j.Cancel()
	failed := 0
	for e := range eventsOf(t, j) {
		if _, is := e.(inference.Failed); is {
			failed++
			if held.late {
				t.Error("it ends once it is taken back")
			}
			close(held.free)
		}
	}
	if s, err := b.client.Status(t.Context()); err != nil || s.Waiting != 0 || failed != 1 {
		t.Errorf("%d pictures wait, %v; it failed %d times", s.Waiting, err, failed)
	}
}

// TestWhoLeavesAFarmThatIsAway does not wait for it as long as for one that is there.
func TestWhoLeavesAFarmThatIsAway(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	began := make(chan bool, 1000)
	leave, stop := b.leaver("one", &fakeEngine{step: time.Millisecond, stepped: func(inference.Request, int) {
		select {
		case began <- true:
		default:
		}
	}})
	j := b.start(request("dog", 100_000, 1))
	wait.For(t, "a step", began)
	live, cancel := context.WithCancel(t.Context())
	defer cancel()
	b.server.Close()
	defer b.serve(freeAddress(t)) // for the end of the test
	b.until("it is away", func() bool { return !b.client.Connected() })
	left, end := context.WithCancel(t.Context())
	end()
	there, done := b.client.ending(live, toEnd)
	defer done()
	leave()
	gone := make(chan bool)
	go func() { stop(); close(gone) }()
	never, done := b.client.ending(left, 24*time.Hour)
	defer done()
	wait.For(t, "a day is over for who leaves", never.Done())
	wait.For(t, "the worker has ended", gone)
	if there.Err() != nil {
		t.Error("it took as long as who does not leave has")
	}
	j.Cancel()
	for range j.Events() { //nolint:revive // to its end
	}
}

// TestAJobIsLeftOnAFarmThatIsAway: it says so, and is taken back once the farm is there again, as the same farm.
func TestAJobIsLeftOnAFarmThatIsAway(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var told []string
	own := b.dial(b.own())
	q := own.queueOf("m1")
	q.Handing = func(job string) { told = append(told, job) }
	start := func() *Job {
		t.Helper()
		j, err := q.Start(t.Context(), request("dog", 2, 3))
		if err != nil {
			t.Fatal(err)
		}
		return j.(*Job)
	}
	taken := start()
	taken.Cancel()
	if collect(t, taken); taken.Left() {
		t.Error("a farm that was there has the job still")
	}
	j, address, id := start(), b.server.Address(), own.ID()
	b.server.Close()
	b.until("it is away", func() bool { return !own.Connected() })
	j.Cancel()
	collect(t, j)
	own.Close() // with all that it had to say
	b.serve(address)
	waiting := func(want int) {
		t.Helper()
		if s, err := b.client.Status(t.Context()); err != nil || s.Waiting != want {
			t.Errorf("%d pictures wait, want %d, %v", s.Waiting, want, err)
		}
	}
	b.until("it is back", b.client.Connected)
	waiting(3)
	again := b.dial(b.own())
	if !j.Left() || again.ID() != id || len(told) != 2 || told[1] != j.ID {
		t.Errorf("left %v, the farm is %q, was %q; %q were told", j.Left(), again.ID(), id, told)
	}
	if err := again.TakeBack(t.Context(), j.ID); err != nil {
		t.Error(err)
	}
	waiting(0)
	other := newBench(t)
	if other.client.ID() == id {
		t.Error("another farm is the same")
	}
}
