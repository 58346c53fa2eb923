package farm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"realword/inference"
	"realword/inference/wait"
)

// small is room for three pictures of a large job.
const small = 15 << 20

// large is a job of pictures of 4 MB.
func large(pictures int) inference.Request {
	r := request("dog", 1, pictures)
	r.Width, r.Height = 1024, 1024
	return r
}

// fill leaves no room at all.
func (b *bench) fill() {
	b.t.Helper()
	var err error
	for n := 0; err == nil; n++ { // the last one that is taken is more than there is room for
		_, err = b.client.states.Put(b.t.Context(), fmt.Sprint("another.", n), make([]byte, 900_000))
	}
	if !isFull(err) {
		b.t.Fatal(err)
	}
}

// waits waits until a computer waits for room.
func (b *bench) waits() {
	b.t.Helper()
	wait.Until(b.t, "a computer that waits for room", func() bool {
		all, err := b.client.Workers(b.t.Context())
		if err != nil {
			b.t.Fatal(err)
		}
		k := slices.IndexFunc(all, func(w WorkerInfo) bool { return w.Full })
		if k < 0 {
			return false
		}
		if why := all[k].Trouble(); why == nil || !strings.Contains(why.Error(), "store is full") {
			b.t.Errorf("it waits and says %v", why)
		}
		return true
	})
}

// TestANightFillsTheStore: of a job that was handed over by a computer which sleeps, every picture is made once, however many fit.
func TestANightFillsTheStore(t *testing.T) {
	t.Parallel()
	b := newBenchOf(t, small)
	var began atomic.Int64
	b.worker("one", &fakeEngine{started: func(inference.Request) { began.Add(1) }})
	r := large(6)
	job, err := b.queue.Start(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	b.waits()
	same(t, r, collect(t, job))
	if n := began.Load(); n != 6 {
		t.Errorf("%d pictures were begun for 6", n)
	}
}

// TestTheNextPictureGetsRoom that others of its job have taken, which are to be handed over only after it.
func TestTheNextPictureGetsRoom(t *testing.T) {
	t.Parallel()
	b := newBenchOf(t, small)
	others := make(chan bool)
	engine := &fakeEngine{started: func(r inference.Request) {
		if r.Seeds[0] == 1000 {
			<-others
		}
	}}
	b.worker("one", engine)
	b.worker("two", engine)
	r := large(5)
	job := b.start(r)
	b.waits()
	close(others)
	same(t, r, collect(t, job))
}

// TestAFarmWithoutAnyRoomIsEmptied by who fetches from it.
func TestAFarmWithoutAnyRoomIsEmptied(t *testing.T) {
	t.Parallel()
	b := newBenchOf(t, small)
	stop := b.worker("one", &fakeEngine{})
	r := large(2)
	job, err := b.queue.Start(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	for n := range r.Seeds {
		wait.Until(t, "the pictures", func() bool {
			_, err := job.(*Job).result(t.Context(), n)
			return err == nil
		})
	}
	stop()
	b.fill()
	same(t, r, collect(t, job))
	blobs, err := b.client.js.Stream(t.Context(), "OBJ_"+blobStore)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := blobs.Info(t.Context()); err != nil || info.State.Bytes > 1<<20 {
		t.Errorf("%d bytes stay: %v", info.State.Bytes, err)
	}
}

// TestAFullFarmHasLostAPicture: there is no room to hand it over again, and no computer that could say so.
func TestAFullFarmHasLostAPicture(t *testing.T) {
	t.Parallel()
	b := newBenchOf(t, small)
	only := func(first bool) func(inference.Request) error {
		return func(r inference.Request) error {
			if (r.Seeds[0] == 1000) != first {
				return errors.New("this computer makes others")
			}
			return nil
		}
	}
	stop := b.worker("for ever at the first", &fakeEngine{step: time.Hour, refuse: only(true)})
	b.worker("the others", &fakeEngine{refuse: only(false)})
	r := large(3)
	job := b.start(r).(*Job)
	for n := 1; n < 3; n++ {
		b.until("the others are made", func() bool {
			_, err := job.result(t.Context(), n)
			return err == nil
		})
	}
	b.fill()
	if err := b.client.jobs.Purge(t.Context(), jetstream.WithPurgeSubject(job.subject(0))); err != nil {
		t.Fatal(err)
	}
	stop()
	b.worker("heir", &fakeEngine{refuse: only(true)})
	same(t, r, collect(t, job))
}

// TestAReasonWaitsForRoom: that a picture cannot be made is told when there is room for it, and the computer is said to be full no longer
// than it is. One that leaves does not wait for room.
func TestAReasonWaitsForRoom(t *testing.T) {
	t.Parallel()
	refuses := &fakeEngine{refuse: func(inference.Request) error { return errors.New("its model is gone") }}
	t.Run("that comes", func(t *testing.T) {
		t.Parallel()
		b := newBenchOf(t, small)
		job := b.start(large(1))
		b.fill()
		b.worker("one", refuses)
		b.waits()
		junk, err := b.client.js.Stream(t.Context(), "KV_"+stateBucket)
		if err == nil {
			err = junk.Purge(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := last(collect(t, job)); err == nil || !strings.Contains(err.Error(), "its model is gone") {
			t.Errorf("the job ends with %v", err)
		}
		b.until("it says what was wrong, and no more that it waits", func() bool {
			w := b.info("one")
			why := w.Trouble()
			return !w.Full && why != nil && strings.Contains(why.Error(), "its model is gone")
		})
	})
	t.Run("that does not", func(t *testing.T) {
		t.Parallel()
		b := newBenchOf(t, small)
		b.start(large(1))
		b.fill()
		stop := b.worker("one", refuses)
		b.waits()
		began := time.Now()
		if stop(); time.Since(began) > 5*ackWait { // it has a minute for what it says to a farm that does not answer
			t.Errorf("it left after %v", time.Since(began))
		}
	})
}
