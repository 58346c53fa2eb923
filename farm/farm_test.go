package farm

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/wait"
)

func sumOf(data []byte) string { return files.Sum(data) }

// bench is a farm of its own with a client.
type bench struct {
	t      *testing.T
	dir    string
	room   int64 // of the store, in bytes; 0: as usual
	server *Server
	client *Conn
	queue  *Queue
}

func newBench(t *testing.T) *bench {
	t.Helper()
	return newBenchOf(t, 0)
}

func newBenchOf(t *testing.T, room int64) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), room: room}
	b.serve(freeAddress(t))
	t.Cleanup(func() { b.server.Close() })
	b.client = b.dial(b.own())
	b.queue = b.client.queueOf("m1")
	return b
}

// freeAddress is an address at which a server can listen, and listen again: its port is none that the system gives to who asks for any,
// which others would get while the server is gone.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 1000 {
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", 10_000+rand.IntN(22_000)))
		if err == nil {
			l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

// meeting holds up every engine at its first picture until so many of them have one: what each makes is then not for who is quicker to say.
func meeting(t *testing.T, engines int) (began func(name string)) {
	var mu sync.Mutex
	came, all := map[string]bool{}, make(chan bool)
	return func(name string) {
		mu.Lock()
		if came[name] = true; len(came) == engines {
			select {
			case <-all:
			default:
				close(all)
			}
		}
		mu.Unlock()
		select {
		case <-all:
		case <-t.Context().Done():
		}
	}
}

// serve begins to serve, and makes what a farm needs.
func (b *bench) serve(listen string) {
	b.t.Helper()
	var err error
	if b.server, err = Serve(ServerOptions{Dir: b.dir, Listen: listen, MaxBytes: cmp.Or(b.room, 64<<20)}); err != nil {
		b.t.Fatal(err)
	}
	a, err := b.own().Access()
	if err != nil {
		b.t.Fatal(err)
	}
	c, err := Found(b.t.Context(), a, 1)
	if err != nil {
		b.t.Fatal(err)
	}
	c.Close()
}

func (b *bench) own() Pairing {
	b.t.Helper()
	p, err := Own(b.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

func (b *bench) dial(p Pairing) *Conn {
	b.t.Helper()
	a, err := p.Access()
	if err != nil {
		b.t.Fatal(err)
	}
	c, err := Dial(b.t.Context(), a)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(c.Close)
	return c
}

// worker begins to work under a key of its own, and returns what ends it and waits for the end.
func (b *bench) worker(name string, e *fakeEngine) (stop func()) {
	b.t.Helper()
	return b.work(b.helper(name), name, e)
}

func (b *bench) work(c *Conn, name string, e *fakeEngine) (stop func()) {
	_, stop = b.working(c, name, e)
	return stop
}

// leaver is a worker that can be told to leave without being waited for.
func (b *bench) leaver(name string, e *fakeEngine) (leave, stop func()) {
	b.t.Helper()
	return b.working(b.helper(name), name, e)
}

func (b *bench) working(c *Conn, name string, e *fakeEngine) (leave, stop func()) {
	return b.works(c, WorkerOptions{Name: name, Device: "fake", Version: "1", Models: []Model{{ID: "m1", Name: "Fake", Engine: e}}, Keep: time.Nanosecond})
}

// works begins a worker. leave tells it to leave; stop waits for it, too, as the end of the test does.
func (b *bench) works(c *Conn, o WorkerOptions) (leave, stop func()) {
	ctx, cancel := context.WithCancel(b.t.Context())
	var done sync.WaitGroup
	done.Go(func() {
		err := c.Work(ctx, o)
		if err != nil && ctx.Err() == nil {
			b.t.Error(err)
		}
	})
	stop = func() {
		cancel()
		done.Wait()
	}
	b.t.Cleanup(stop)
	return cancel, stop
}

// eventsOf are the events of a job. One that does not end is cancelled, and the test says what the farm has of it.
func eventsOf(t *testing.T, j inference.Job) iter.Seq[inference.Event] {
	return eventsWithin(t, wait.Longest, j)
}

// eventsWithin is eventsOf of a job that used to hang: it is to end within so long.
func eventsWithin(t *testing.T, enough time.Duration, j inference.Job) iter.Seq[inference.Event] {
	return func(yield func(inference.Event) bool) {
		hangs := time.AfterFunc(enough, func() {
			t.Errorf("a job does not end within %v: %s", enough, had(j))
			j.Cancel()
		})
		defer hangs.Stop()
		for e := range j.Events() {
			if !yield(e) {
				return
			}
		}
	}
}

// had is what a farm has of a job, for people.
func had(j inference.Job) string {
	job, is := j.(*Job)
	if !is {
		return fmt.Sprintf("%T", j)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var text strings.Builder
	say := func(what string, v any, err error) {
		data, _ := json.Marshal(v)
		fmt.Fprintf(&text, "\n%s: %.2000s, %v", what, data, err)
	}
	c := job.queue.conn
	workers, err := c.Workers(ctx)
	say("workers", workers, err)
	info, err := c.jobs.Info(ctx, jetstream.WithSubjectFilter(jobSubject+".>"))
	say("queue", info, err)
	consumers := c.jobs.ListConsumers(ctx)
	for i := range consumers.Info() {
		say("consumer", i, nil)
	}
	for _, n := range job.wanted {
		r, err := job.result(ctx, n)
		say(fmt.Sprint("result ", n), r, err)
		_, s, err := job.kept(ctx, n)
		say(fmt.Sprint("kept step of ", n), s.Step, err)
		data, err := get(ctx, c.tries, unit(job.ID, n))
		say(fmt.Sprint("tries ", n), json.RawMessage(data), err)
	}
	return text.String()
}

// collect reads a job to its end.
func collect(t *testing.T, j inference.Job) []inference.Event { return slices.Collect(eventsOf(t, j)) }

func of[E inference.Event](events []inference.Event) (list []E) {
	for _, e := range events {
		if e, ok := e.(E); ok {
			list = append(list, e)
		}
	}
	return list
}

func (b *bench) start(r inference.Request) inference.Job {
	b.t.Helper()
	j, err := b.queue.Start(b.t.Context(), r)
	if err != nil {
		b.t.Fatal(err)
	}
	return j
}

// same fails where a job's events are not those that the engine sends here, but for progress and who computed.
func same(t *testing.T, r inference.Request, got []inference.Event) {
	t.Helper()
	j, err := new(fakeEngine).Start(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	plain := func(list []inference.Event) (out []inference.Event) {
		for _, e := range list {
			switch e := e.(type) {
			case inference.Progress, inference.DeviceChanged:
			case inference.StageStarted:
				e.Provider = ""
				out = append(out, e)
			case inference.PictureReady:
				e.Elapsed = 0
				out = append(out, e)
			case inference.Done:
				e.Elapsed = 0
				out = append(out, e)
			default:
				out = append(out, e)
			}
		}
		return out
	}
	want := plain(collect(t, j))
	have := plain(got)
	if len(want) != len(have) {
		t.Errorf("%d events, want %d: %v", len(have), len(want), kinds(have))
		return
	}
	for i := range want {
		if !reflect.DeepEqual(want[i], have[i]) {
			t.Errorf("event %d: %+v, want %+v", i, have[i], want[i])
			return
		}
	}
}

func kinds(list []inference.Event) (out []string) {
	for _, e := range list {
		if f, ok := e.(inference.Failed); ok {
			out = append(out, f.Err.Error())
			continue
		}
		out = append(out, strings.TrimPrefix(reflect.TypeOf(e).String(), "inference."))
	}
	return out
}

// TestAFarmMakesWhatIsMadeHere: the same events with the same bits, whoever made which picture, in the same order.
func TestAFarmMakesWhatIsMadeHere(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	met := meeting(t, 3)
	for _, name := range []string{"one", "two", "three"} {
		b.worker(name, &fakeEngine{step: time.Millisecond, started: func(inference.Request) { met(name) }})
	}
	r := request("dog", 5, 12)
	events := collect(t, b.start(r))
	same(t, r, events)
	at := map[string]bool{}
	for _, s := range of[inference.StageStarted](events) {
		at[s.Provider] = true
	}
	if len(at) < 3 {
		t.Errorf("all was made at %v", at)
	}
	last := 0
	for _, p := range of[inference.Progress](events) {
		if p.Pass < last || p.Pass > p.Passes || p.Passes > 60 {
			t.Errorf("progress %d of %d after %d", p.Pass, p.Passes, last)
		}
		last = p.Pass
	}
	// nothing of it stays
	for _, kv := range []jetstream.KeyValue{b.client.results, b.client.states} {
		if keys, err := kv.Keys(t.Context()); !errors.Is(err, jetstream.ErrNoKeysFound) {
			t.Errorf("%s keeps %v, %v", kv.Bucket(), keys, err)
		}
	}
}

// TestAWorkerThatLeavesHandsOver: another one goes on from its last step, and the steps before come once.
func TestAWorkerThatLeavesHandsOver(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	half, told := make(chan bool), make(chan bool)
	var steps, again atomic.Int32
	leave, stop := b.leaver("leaver", &fakeEngine{step: time.Millisecond, stepped: func(_ inference.Request, k int) {
		steps.Add(1)
		if k == 3 {
			close(half)
			<-told
		}
	}})
	r := request("dog", 8, 1)
	j := b.start(r)
	var events []inference.Event
	done := make(chan bool)
	go func() { events = collect(t, j); close(done) }()
	wait.For(t, "the picture's middle", half)
	leave()
	close(told)
	stop()
	b.worker("heir", &fakeEngine{step: time.Millisecond, stepped: func(inference.Request, int) { again.Add(1) }})
	<-done
	moved := of[inference.DeviceChanged](events)
	if len(moved) != 1 || !strings.Contains(moved[0].Why, "heir") || moved[0].Text != "picture %s goes on elsewhere: %s" {
		t.Errorf("told of the heir, in words that can be translated: %+v", moved)
	}
	same(t, r, events)
	if n := steps.Load() + again.Load(); again.Load() == 0 || n != 8 {
		t.Errorf("%d and %d steps were made, want 8 together", steps.Load(), again.Load())
	}
}

// TestTheFarmGoesAndComesBack: a job waits and goes on, and a connection needs no help.
func TestTheFarmGoesAndComesBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	address := b.server.Address()
	var once sync.Once
	half := make(chan bool)
	b.worker("one", &fakeEngine{step: 5 * time.Millisecond, stepped: func(r inference.Request, _ int) {
		if r.Seeds[0] == 1003 {
			once.Do(func() { close(half) })
		}
	}})
	r := request("dog", 4, 8)
	j := b.start(r)
	var events []inference.Event
	done := make(chan bool)
	go func() { events = collect(t, j); close(done) }()
	wait.For(t, "the job's middle", half)
	b.server.Close()
	b.serve(address)
	<-done
	same(t, r, events)
}

// TestWhoWaitsHearsOfTheEnd: the connection is closed under a job, which stays on the farm.
func TestWhoWaitsHearsOfTheEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	c := b.dial(b.own())
	j, err := c.queueOf("m1").Start(t.Context(), request("dog", 2, 2))
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if _, err := last(collect(t, j)); !errors.Is(err, nats.ErrConnectionClosed) {
		t.Error(err)
	}
	if s, err := b.client.Status(t.Context()); err != nil || s.Waiting != 2 {
		t.Errorf("%d pictures wait, %v", s.Waiting, err)
	}
}

// TestWhatTheFarmHasLost is handed over again: what waited, with its files, or what was made.
func TestWhatTheFarmHasLost(t *testing.T) {
	t.Parallel()
	r := request("dog", 2, 2)
	t.Run("before it is made", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		j := b.start(r)
		err := b.client.jobs.Purge(t.Context())
		if err == nil {
			err = b.client.blobs.Delete(t.Context(), *r.Files()[0].SHA256)
		}
		if err != nil {
			t.Fatal(err)
		}
		b.worker("one", &fakeEngine{})
		same(t, r, collect(t, j))
	})
	t.Run("its result", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		j := b.start(r) // nobody reads it: its process sleeps
		b.worker("one", &fakeEngine{})
		b.until("both are made", func() bool {
			s, err := b.client.Status(t.Context())
			return err == nil && s.Waiting+s.Running == 0
		})
		for n := range 2 {
			if err := b.client.results.Purge(t.Context(), unit(j.(*Job).ID, n)); err != nil {
				t.Fatal(err)
			}
		}
		same(t, r, collect(t, j))
	})
}

// TestAPictureThatNobodyCanMake is parked with the reason, and the others of the job, and of the farm, are made; where none is made the job
// ends with the first.
func TestAPictureThatNobodyCanMake(t *testing.T) {
	t.Parallel()
	bad := errors.New("the card melts at this one")
	for name, c := range map[string]struct {
		bad  []uint64
		want string
		made int
	}{
		"the first": {[]uint64{1000}, "picture 1 could not be made on the farm: ", 3},
		"two":       {[]uint64{1001, 1003}, "2 pictures are missing: picture 2 could not be made on the farm: ", 2},
		"all":       {[]uint64{1000, 1001, 1002, 1003}, "picture 1 could not be made on the farm: ", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			var tries atomic.Int32
			b.worker("one", &fakeEngine{fail: func(r inference.Request) error {
				if !slices.Contains(c.bad, r.Seeds[0]) {
					return nil
				}
				if r.Seeds[0] == c.bad[0] {
					tries.Add(1)
				}
				return bad
			}})
			events := collect(t, b.start(request("dog", 2, 4)))
			if _, err := last(events); err == nil || !strings.HasPrefix(err.Error(), c.want+bad.Error()) || tries.Load() != maxTries {
				t.Errorf("%v after %d tries", err, tries.Load())
			}
			made := of[inference.PictureReady](events)
			for _, p := range made {
				if p.Seed != 1000+uint64(p.Picture) || slices.Contains(c.bad, p.Seed) {
					t.Errorf("picture %d is of seed %d", p.Picture, p.Seed)
				}
			}
			if len(made) != c.made {
				t.Errorf("%d pictures came, want %d: %v", len(made), c.made, kinds(events))
			}
			r := request("cat", 2, 1)
			r.Seeds[0] = 7
			same(t, r, collect(t, b.start(r)))
		})
	}
}

// TestAComputerThatFailsAtOnce: it has nothing to do but to take what the other one has no time for. What it fails at is that one's.
func TestAComputerThatFailsAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.worker("good", &fakeEngine{step: time.Second})
	failed := map[uint64]int{}
	var mu sync.Mutex
	b.worker("its card is lost", &fakeEngine{fail: func(r inference.Request) error {
		mu.Lock()
		defer mu.Unlock()
		failed[r.Seeds[0]]++
		return errors.New("the device is lost")
	}})
	r := request("dog", 2, 4)
	same(t, r, collect(t, b.start(r)))
	mu.Lock()
	defer mu.Unlock()
	if len(failed) == 0 {
		t.Error("it was never asked")
	}
	for seed, n := range failed {
		if n > 1 {
			t.Errorf("it failed %d times at the picture of seed %d", n, seed)
		}
	}
}

// TestAComputerThatAnswersGarbage: somebody else makes the picture; alone, it is named.
func TestAComputerThatAnswersGarbage(t *testing.T) {
	t.Parallel()
	garbage := func(p *inference.PictureReady) { p.Seed++ }
	t.Run("beside another", func(t *testing.T) {
		b := newBench(t)
		b.worker("liar", &fakeEngine{spoil: garbage})
		b.worker("honest", &fakeEngine{step: 2 * time.Millisecond})
		r := request("dog", 2, 4)
		same(t, r, collect(t, b.start(r)))
	})
	t.Run("alone", func(t *testing.T) {
		b := newBench(t)
		b.worker("liar", &fakeEngine{spoil: garbage})
		if _, err := last(collect(t, b.start(request("dog", 2, 1)))); err == nil || !strings.Contains(err.Error(), `from "liar" 3 times (it is of another seed)`) {
			t.Error(err)
		}
	})
	t.Run("once, beside one that cannot", func(t *testing.T) {
		b := newBench(t)
		var wrong atomic.Bool
		b.worker("honest from then on", &fakeEngine{spoil: func(p *inference.PictureReady) {
			if !wrong.Swap(true) {
				garbage(p)
			}
		}})
		b.worker("small", &fakeEngine{refuse: func(inference.Request) error { return errors.New("there is no room") }})
		r := request("dog", 2, 1)
		same(t, r, collect(t, b.start(r)))
		if !wrong.Load() {
			t.Error("no answer was wrong")
		}
	})
	t.Run("once, beside one that fails", func(t *testing.T) {
		b := newBench(t)
		var wrong atomic.Bool
		b.worker("honest from then on", &fakeEngine{spoil: func(p *inference.PictureReady) {
			if !wrong.Swap(true) {
				garbage(p)
			}
		}})
		failed := make(chan bool, 9)
		b.worker("its card is lost", &fakeEngine{fail: func(inference.Request) error {
			failed <- true
			return errors.New("the device is lost")
		}})
		r := request("dog", 2, 1)
		same(t, r, collect(t, b.start(r)))
		if len(failed) == 0 || !wrong.Load() {
			t.Errorf("it was not left by both: %d failed, one answered wrong: %v", len(failed), wrong.Load())
		}
	})
}

// TestCancelReachesTheWorker and takes what waits off the queue.
func TestCancelReachesTheWorker(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	began, ended := make(chan bool, 1), make(chan bool, 1)
	b.worker("one", &fakeEngine{step: 20 * time.Millisecond, started: func(inference.Request) { began <- true }, stepped: func(_ inference.Request, k int) {
		if k == 9999 {
			ended <- true
		}
	}})
	j := b.start(request("dog", 10_000, 50))
	wait.For(t, "a picture's beginning", began)
	j.Cancel()
	if events := collect(t, j); !errors.Is(events[len(events)-1].(inference.Failed).Err, context.Canceled) {
		t.Errorf("%v", kinds(events))
	}
	b.until("the queue is empty and the worker idle", func() bool {
		s, err := b.client.Status(t.Context())
		return err == nil && s.Waiting == 0 && s.Running == 0 && len(s.Workers) == 1 && s.Workers[0].Doing == ""
	})
	if len(ended) > 0 {
		t.Error("the worker went on to the end")
	}
}

// TestACancelThatIsNotHeard: what is not in the queue any more is not made to its end, though nobody has told its worker.
func TestACancelThatIsNotHeard(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	began := make(chan bool, 1)
	b.worker("one", &fakeEngine{step: 20 * time.Millisecond, started: func(inference.Request) { began <- true }})
	j := b.start(request("dog", 100_000, 1))
	wait.For(t, "a picture's beginning", began)
	works := func(does bool) func() bool {
		return func() bool {
			all, err := b.client.Workers(t.Context())
			return err == nil && len(all) == 1 && (all[0].Doing != "") == does
		}
	}
	b.until("the worker says what it does", works(true))
	if err := b.client.jobs.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.until("the worker is idle", works(false))
	j.Cancel()
	collect(t, j)
}

func (b *bench) until(what string, is func() bool) {
	b.t.Helper()
	wait.Until(b.t, what, is)
}

// TestWhoIsLetIn: no key, a revoked one, one of another farm, another certificate; a worker cannot queue.
func TestWhoIsLetIn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	other := newBench(t)
	if _, err := nats.Connect("tls://"+b.server.Address(), nats.Secure(pinned(b.server.print))); err == nil {
		t.Error("somebody without a key came in")
	}
	stranger := other.own()
	stranger.Servers, stranger.Certificate = b.own().Servers, b.own().Certificate
	refused := func(p Pairing, want error) {
		t.Helper()
		a, err := p.Access()
		if err == nil {
			_, err = Dial(t.Context(), a)
		}
		if !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	refused(stranger, ErrRefused)
	impostor := other.own()
	impostor.Servers = b.own().Servers
	refused(impostor, errOther)
	p, err := b.server.Pair("helper", Helper)
	if err != nil {
		t.Fatal(err)
	}
	helper := b.dial(p)
	failure := make(chan error, 8)
	helper.nc.SetErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { failure <- err })
	short, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := helper.js.Publish(short, jobSubject+".m1.x.0", []byte("x")); err == nil {
		t.Error("a worker queued a job")
	}
	if err := wait.For(t, "an error", failure); !errors.Is(err, nats.ErrPermissionViolation) {
		t.Error(err)
	}
	if err := helper.jobs.Purge(short); err == nil {
		t.Error("a worker emptied the queue")
	}
	if err := Revoke(b.dir, "helper"); err != nil {
		t.Fatal(err)
	}
	b.until("the revoked key is out", func() bool { return !helper.Connected() })
	refused(p, ErrRefused)
	if err := Revoke(b.dir, "helper"); err == nil {
		t.Error("revoked twice")
	}
	if !b.client.Connected() {
		t.Error("another key went with it")
	}
}

// TestRefusalsAreSentences: who was let out tries again for ever, and is told of once, without its key.
func TestRefusalsAreSentences(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var said []string
	dir := t.TempDir()
	s, err := Serve(ServerOptions{Dir: dir, OnRefused: func(text string) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, text)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p, err := s.Pair("helper", Helper)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Revoke("helper"); err != nil {
		t.Fatal(err)
	}
	a, err := p.Access()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := Dial(t.Context(), a); !errors.Is(err, ErrRefused) {
			t.Error(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(said) != 1 || strings.Contains(said[0], "Nkey") || !strings.HasPrefix(said[0], "a computer at 127.0.0.1 was turned away") {
		t.Errorf("%q", said)
	}
}

// TestThePortIsTaken is said at once.
func TestThePortIsTaken(t *testing.T) {
	t.Parallel()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	dir := t.TempDir()
	s, err := Serve(ServerOptions{Dir: dir, Listen: other.Addr().String()})
	if err == nil {
		s.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "another program uses that port") {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "store")); err == nil {
		t.Error("a server was begun, and waited for")
	}
}

// TestAServerThatSaysNoMore than that it is there: who called it is told so in words.
func TestAServerThatSaysNoMore(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = fmt.Fprintf(c, "INFO {\"server_id\":\"X\",\"version\":\"2.15.3\",\"proto\":1,\"headers\":true,\"max_payload\":1000000}\r\n")
		for lines := bufio.NewScanner(c); lines.Scan(); {
			if lines.Text() == "PING" {
				_, _ = fmt.Fprint(c, "PONG\r\n")
			}
		}
	}()
	_, err = Dial(t.Context(), Credentials("studio", "nats://"+l.Addr().String(), ""))
	if err == nil || !strings.HasPrefix(err.Error(), "the farm at nats://127.0.0.1") || !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// TestAServerWithoutAFarm is told from one that does not answer.
func TestAServerWithoutAFarm(t *testing.T) {
	t.Parallel()
	s, err := Serve(ServerOptions{Dir: t.TempDir(), MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	p, err := Own(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	a, err := p.Access()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(t.Context(), a); err == nil || !strings.Contains(err.Error(), "no farm on it") {
		t.Error(err)
	}
	s.Close()
	if _, err := Dial(t.Context(), a); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Error(err)
	}
}

// TestAnotherVersionIsRefused by name, with both versions.
func TestAnotherVersionIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	kv, err := b.client.js.KeyValue(t.Context(), farmBucket)
	if err == nil {
		_, err = kv.Put(t.Context(), protocolKey, []byte("0.7"))
	}
	if err != nil {
		t.Fatal(err)
	}
	a, _ := b.own().Access()
	if _, err := Dial(t.Context(), a); err == nil || !strings.Contains(err.Error(), "0.7") || !strings.Contains(err.Error(), Protocol) {
		t.Error(err)
	}
}

// TestAFarmOfAnEarlierVersion is renewed by who serves it, without what nobody can read any more; a later one is refused.
func TestAFarmOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	j := b.start(request("dog", 2, 3))
	defer func() {
		j.Cancel()
		collect(t, j)
	}()
	first := make(chan bool)
	leave, stop := b.leaver("one", &fakeEngine{started: func(r inference.Request) {
		if r.Seeds[0] != 1000 {
			<-first
		}
	}})
	b.until("a picture is made", func() bool {
		keys, err := b.client.results.Keys(t.Context())
		return err == nil && len(keys) > 0
	})
	leave()
	close(first)
	stop()
	a, err := b.own().Access()
	if err != nil {
		t.Fatal(err)
	}
	found := func(version string) (*Conn, error) {
		t.Helper()
		kv, err := b.client.js.KeyValue(t.Context(), farmBucket)
		if err == nil {
			_, err = kv.Put(t.Context(), protocolKey, []byte(version))
		}
		if err != nil {
			t.Fatal(err)
		}
		return Found(t.Context(), a, 1)
	}
	for _, version := range []string{"2.1", fmt.Sprintf("1.%d", inference.WireVersion+1), "99.0"} {
		if c, err := found(version); err == nil || !strings.Contains(err.Error(), version) {
			if c != nil {
				c.Close()
			}
			t.Errorf("a farm of version %s: %v", version, err)
		}
	}
	c, err := found("1.1000")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if dropped, renewed := c.Renewed(); !renewed || dropped < 2 { // or 3: the one that was made may be taken off the queue only now
		t.Errorf("renewed: %v, %d pictures are gone, 2 waited at least", renewed, dropped)
	}
	if _, renewed := b.dial(b.own()).Renewed(); renewed {
		t.Error("it was renewed by who only reaches it")
	}
	for _, name := range []string{jobStream, "KV_" + resultBucket, "KV_" + tryBucket, "OBJ_" + blobStore} {
		if s, err := c.js.Stream(t.Context(), name); err != nil {
			t.Error(err)
		} else if info, err := s.Info(t.Context()); err != nil || info.State.Msgs > 0 {
			t.Errorf("%s keeps %d messages, %v", name, info.State.Msgs, err)
		}
	}
}

// TestARequestOfAnotherVersion is left to another computer, which may be able to read it; where there is none, the reason is told.
func TestARequestOfAnotherVersion(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	other, err := json.Marshal(WorkerInfo{ID: "other", Name: "other", Models: map[string]string{"m1": "Fake"}})
	if err == nil {
		_, err = b.client.workers.Put(t.Context(), "other", other)
	}
	m := &nats.Msg{Subject: jobSubject + ".m1.J.0", Data: []byte("of the next version"), Header: nats.Header{}}
	m.Header.Set(jobHeader, "J")
	m.Header.Set(pictureHeader, "0")
	if err == nil {
		_, err = b.client.js.PublishMsg(t.Context(), m)
	}
	if err != nil {
		t.Fatal(err)
	}
	b.worker("one", &fakeEngine{})
	b.until("it is left to the other one", func() bool {
		data, err := get(t.Context(), b.client.tries, "J.0")
		var said try
		return err == nil && unmarshal(data, &said) == nil && len(said.Refused) == 1
	})
	if _, err := get(t.Context(), b.client.results, "J.0"); !errors.Is(err, jetstream.ErrKeyNotFound) {
		t.Errorf("it is parked: %v", err)
	}
	if err := b.client.workers.Purge(t.Context(), "other"); err != nil {
		t.Fatal(err)
	}
	b.until("it is parked", func() bool {
		_, err := get(t.Context(), b.client.results, "J.0")
		return err == nil
	})
}

// TestPairingIsOneLine that survives blanks, and no other line is one.
func TestPairingIsOneLine(t *testing.T) {
	t.Parallel()
	p, err := Pair(t.TempDir(), "Büro", Helper, []string{"10.0.0.2:7422"}, strings.Repeat("ab", 32))
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParsePairing("  " + p.String() + "\r\n")
	if err != nil || !reflect.DeepEqual(got, p) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "x", p.String()[1:], p.String()[:40], pairingPrefix, pairingPrefix + "e30"} {
		if _, err := ParsePairing(bad); err == nil {
			t.Errorf("%q is a pairing", bad)
		}
	}
	if strings.ContainsAny(p.String(), " \n") {
		t.Error("it is more than one word")
	}
}

// TestSecretsAreTheUsers: nobody else of this computer reads keys, certificate or pairing.
func TestSecretsAreTheUsers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, name := range []string{"keys.json", "certificate.pem", "own.pairing", "server.json"} {
		info, err := os.Stat(filepath.Join(b.dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	data, err := os.ReadFile(filepath.Join(b.dir, "keys.json"))
	if err != nil || strings.Contains(string(data), b.own().Seed) {
		t.Errorf("the server keeps secrets of others: %v", err)
	}
}

// TestAFullStoreIsSaid where the job is handed over.
func TestAFullStoreIsSaid(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := request("dog", 1, 1)
	r.Subjects[0].References[0].Data = make([]byte, 80<<20)
	r.Subjects[0].References[0].SHA256 = sumOf(r.Subjects[0].References[0].Data)
	if _, err := b.queue.Start(t.Context(), r); err == nil || !strings.Contains(err.Error(), "store is full") {
		t.Error(err)
	}
	small := request("dog", 1, 1)
	b.worker("one", &fakeEngine{})
	same(t, small, collect(t, b.start(small)))
}

// TestCellsOfAGridSpread: every cell is the picture that its own request makes alone, told with its recipe; cells that are there are not
// made again.
func TestCellsOfAGridSpread(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var mu sync.Mutex
	by, met := map[string]int{}, meeting(t, 2)
	for _, name := range []string{"one", "two"} {
		b.worker(name, &fakeEngine{step: 2 * time.Millisecond, started: func(r inference.Request) {
			met(name)
			mu.Lock()
			defer mu.Unlock()
			by[name]++
			if r.Grid != nil || len(r.Seeds) != 1 {
				t.Errorf("%s got a grid %v of %d seeds", name, r.Grid, len(r.Seeds))
			}
		}})
	}
	r := request("dog", 5, 1)
	r.Grid = &inference.Grid{
		Rows:    inference.Axis{Key: "steps", Values: []string{"3", "5"}},
		Columns: inference.Axis{Key: inference.AxisSeed, Values: []string{"7", "8", "9", "10"}},
		Made:    []int{1, 6},
	}
	cells := r.Cells(bundle.Manifest{})
	r.Seeds = nil
	for _, c := range cells {
		r.Seeds = append(r.Seeds, c.Seeds...)
	}
	job := b.start(r)
	events := collect(t, job)
	var made []int
	for _, e := range of[inference.StageStarted](events) {
		if e.Stage == inference.StageDenoise && (e.Recipe == nil || e.Recipe.Steps != cells[e.Picture].Steps || e.Recipe.Seeds[0] != cells[e.Picture].Seeds[0]) {
			t.Errorf("cell %d begins as %+v", e.Picture, e.Recipe)
		}
	}
	for _, p := range of[inference.PictureReady](events) {
		made = append(made, p.Picture)
		alone := of[inference.PictureReady](collect(t, mustStart(t, cells[p.Picture])))[0]
		if !slices.Equal(p.Image.Pix, alone.Image.Pix) || p.Seed != alone.Seed || p.Recipe.Steps != cells[p.Picture].Steps || p.Recipe.Grid != nil {
			t.Errorf("cell %d is not what its recipe makes", p.Picture)
		}
	}
	if !slices.Equal(made, []int{0, 2, 3, 4, 5, 7}) {
		t.Errorf("cells %v were made", made)
	}
	if by["one"]+by["two"] != 6 || by["one"] == 0 || by["two"] == 0 {
		t.Errorf("made by %v", by)
	}
	if makers := job.(*Job).Makers(); len(makers) != 6 {
		t.Errorf("makers %v", makers)
	}
	for _, p := range of[inference.Progress](events) {
		if p.Passes > 24 {
			t.Errorf("progress of %d passes, and 24 are made", p.Passes)
		}
	}
}

func mustStart(t *testing.T, r inference.Request) inference.Job {
	t.Helper()
	j, err := new(fakeEngine).Start(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// deaf is an object store whose first answer is lost, as with a server that ends meanwhile.
type deaf struct {
	jetstream.ObjectStore
	asked atomic.Int32
}

func (d *deaf) GetInfo(ctx context.Context, name string, o ...jetstream.GetObjectInfoOpt) (*jetstream.ObjectInfo, error) {
	if d.asked.Add(1) > 1 {
		return d.ObjectStore.GetInfo(ctx, name, o...)
	}
	if end, limited := ctx.Deadline(); !limited || time.Until(end) > patience {
		return nil, errors.New("it would be waited for too long")
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestAnAnswerThatIsLost is asked for again after a moment, however large the file may be that it is about.
func TestAnAnswerThatIsLost(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	data := []byte("a file")
	name, err := b.client.putBlob(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	there := b.client.blobs
	b.client.blobs = &deaf{ObjectStore: there}
	if got, err := b.client.blob(t.Context(), name, maxResultBytes); err != nil || !slices.Equal(got, data) {
		t.Errorf("read: %q, %v", got, err)
	}
	// The connection is lost in the middle of what may take hours.
	tries := 0
	err = b.client.lasting(t.Context(), 1<<40, func(ctx context.Context) error {
		if tries++; tries > 1 {
			return nil
		}
		b.client.change(false, nil)
		<-ctx.Done()
		return ctx.Err()
	})
	if err != nil || tries != 2 {
		t.Errorf("%v after %d tries", err, tries)
	}
	b.client.blobs = &deaf{ObjectStore: there}
	if again, err := b.client.putBlob(t.Context(), data); err != nil || again != name {
		t.Errorf("written: %s, %v", again, err)
	}
}

// TestWhatIsAnAbsence: a server that elects is waited for, whichever way it says so, and one that says no is not.
func TestWhatIsAnAbsence(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		&jetstream.APIError{Code: 503, ErrorCode: 10008, Description: "JetStream system temporarily unavailable"}: true,
		&nats.APIError{Code: 503, ErrorCode: 10008, Description: "JetStream system temporarily unavailable"}:      true,
		&nats.APIError{Code: 404, ErrorCode: nats.JSErrCodeConsumerNotFound}:                                      true,
		nats.ErrNoStreamResponse: true,
		&jetstream.APIError{Code: 503, ErrorCode: 10047, Description: "insufficient storage"}: false,
		&nats.APIError{Code: 503, ErrorCode: 10047, Description: "insufficient storage"}:      false,
		&nats.APIError{Code: 404, ErrorCode: 10059, Description: "stream not found"}:          false,
		jetstream.ErrObjectNotFound: false,
		errDone:                     false,
	} {
		if got := absent(fmt.Errorf("read: %w", err)); got != want {
			t.Errorf("%v: %t", err, got)
		}
	}
}

// TestACardOfAModel: who has not the model gets what it must know of it from a computer that has.
func TestACardOfAModel(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p, err := b.server.Pair("one", Helper)
	if err != nil {
		t.Fatal(err)
	}
	c := b.dial(p)
	go func() {
		_ = c.Work(t.Context(), WorkerOptions{Name: "one", Models: []Model{{ID: "m1", Name: "Fake", Engine: &fakeEngine{}, Card: []byte("a card")}}})
	}()
	b.until("its model is there", func() bool { has, err := b.client.HasModel(t.Context(), "m1"); return err == nil && has })
	if data, err := b.client.Card(t.Context(), "m1"); err != nil || string(data) != "a card" {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := b.client.Card(t.Context(), "m2"); err == nil || !strings.Contains(err.Error(), "realword worker") {
		t.Errorf("of another model: %v", err)
	}
}

// TestAFarmIsServedOnce: two servers on one store would ruin it.
func TestAFarmIsServedOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if s, err := Serve(ServerOptions{Dir: b.dir}); err == nil || !strings.Contains(err.Error(), "served already") {
		if s != nil {
			s.Close()
		}
		t.Errorf("a second server: %v", err)
	}
}

// TestTakeBack: a job of which nobody is left is not made any more, and nothing of it stays; others are untouched.
func TestTakeBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	dead, other := b.start(request("dog", 3, 5)), b.start(request("cat", 3, 2))
	stop := b.worker("one", &fakeEngine{step: time.Millisecond})
	b.until("a picture is made", func() bool {
		keys, err := b.client.results.ListKeys(t.Context())
		if err != nil {
			return false
		}
		n := 0
		for range keys.Keys() {
			n++
		}
		return n > 2
	})
	stop()
	if err := b.client.TakeBack(t.Context(), dead.(*Job).ID); err != nil {
		t.Fatal(err)
	}
	for _, kv := range []jetstream.KeyValue{b.client.results, b.client.states, b.client.tries} {
		keys, err := kv.ListKeysFiltered(t.Context(), dead.(*Job).ID+".*")
		if err != nil {
			t.Fatal(err)
		}
		for key := range keys.Keys() {
			t.Errorf("%s is left", key)
		}
	}
	if err := b.client.TakeBack(t.Context(), ">"); err != nil {
		t.Error(err)
	}
	b.worker("two", &fakeEngine{step: time.Millisecond})
	same(t, request("cat", 3, 2), collect(t, other))
	b.until("nothing is left in the queue", func() bool { // a picture is there before its message is acknowledged
		s, err := b.client.Status(t.Context())
		return err == nil && s.Waiting+s.Running == 0
	})
	dead.Cancel()
	collect(t, dead)
}

// TestAMoveIsTold once, between the steps of both computers, whether their events came live or only with the result.
func TestAMoveIsTold(t *testing.T) {
	step := func(k int) inference.StepDone { return inference.StepDone{Step: k, Steps: 4} }
	began := func(by string) inference.StageStarted {
		return inference.StageStarted{Stage: inference.StageDenoise, Provider: by}
	}
	all := []inference.Event{began("leaver"), step(0), step(1), began("heir"), step(2), step(3), inference.PictureReady{}}
	for live := range len(all) {
		ctx, cancel := context.WithCancel(t.Context())
		j := &Job{ctx: ctx, events: make(chan inference.Event, 100), request: request("dog", 4, 1), passes: make([]inference.Progress, 1)}
		o := output{job: j, count: 4}
		for _, e := range all[:live] {
			if err := o.live(e); err != nil {
				t.Fatal(err)
			}
		}
		for _, e := range all {
			if err := o.kept(e); err != nil {
				t.Fatal(err)
			}
		}
		cancel()
		close(j.events)
		var told []string
		for e := range j.events {
			switch e := e.(type) {
			case inference.StepDone:
				told = append(told, fmt.Sprint(e.Step))
			case inference.DeviceChanged:
				told = append(told, "moved")
			}
		}
		if !slices.Equal(told, []string{"0", "1", "moved", "2", "3"}) {
			t.Errorf("with %d events live: %v", live, told)
		}
	}
}

// TestAHandOverThatFails leaves nothing behind: no subscription, no consumer of the results.
func TestAHandOverThatFails(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	listening := func() (n int) {
		s, err := b.client.js.Stream(t.Context(), "KV_"+resultBucket)
		if err != nil {
			t.Fatal(err)
		}
		for range s.ConsumerNames(t.Context()).Name() {
			n++
		}
		return n + b.client.nc.NumSubscriptions()
	}
	r := request("dog", 1, 1)
	r.Subjects[0].References[0].Data = nil
	if _, err := b.queue.Start(t.Context(), r); err == nil {
		t.Fatal("a job without its pictures began")
	}
	const most = 2 // that this connection keeps for answers
	for end := time.Now().Add(10 * time.Second); listening() > most; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d listen for ever", listening()-most)
		}
	}
}

// TestTheOwnerStaysIn: nobody else gets the owner's name, and keys that came out of a backup do not lock the owner out.
func TestTheOwnerStaysIn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if _, err := b.server.Pair(ThisComputer, Client); err == nil {
		t.Error("another computer has the owner's name")
	}
	if _, err := Pair(b.dir, ThisComputer, Helper, []string{b.server.Address()}, b.server.print); err == nil {
		t.Error("another computer has the owner's name")
	}
	listen := b.server.Address()
	b.server.Close()
	if err := change(b.dir, func(keys []Key) ([]Key, error) {
		other, err := nkeys.CreateUser()
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(keys, func(k Key) bool { return k.Name == ThisComputer })
		keys[i].Public, err = other.PublicKey()
		return keys, err
	}); err != nil {
		t.Fatal(err)
	}
	b.serve(listen) // the owner makes what the farm needs
}

// TestWhoIsLetOutIsTold: by a new pairing under its name, or by Revoke, while it is there.
func TestWhoIsLetOutIsTold(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, out := range map[string]func() error{
		"laptop": func() error {
			p, err := b.server.Pair("laptop", Helper)
			if err == nil && !p.Replaces {
				err = errors.New("it does not say that the name had a pairing")
			}
			return err
		},
		"tablet": func() error { return b.server.Revoke("tablet") },
	} {
		c := b.helper(name)
		told := make(chan error, 100)
		c.OnChange(func(_ bool, why error) { told <- why })
		if err := out(); err != nil {
			t.Fatal(name, err)
		}
		n := 0
		for end := time.After(3 * time.Second); end != nil; {
			select {
			case why := <-told:
				if errors.Is(why, ErrRefused) {
					n++
				}
			case <-end:
				end = nil
			}
		}
		if n != 1 {
			t.Errorf("%s is told %d times that it was let out", name, n)
		}
	}
}

// TestAFarmThatIsSetUpAnew in the middle of a job: what was lost with the old one is brought again, and the job is made by the computer that
// was there all the time. It has what others must know of the model again, too.
func TestAFarmThatIsSetUpAnew(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	address, begun := b.server.Address(), make(chan bool, 100)
	engine := &fakeEngine{step: 20 * time.Millisecond, stepped: func(_ inference.Request, k int) { begun <- k == 10 }}
	b.works(b.helper("one"), WorkerOptions{Name: "one", Models: []Model{{ID: "m1", Engine: engine, Card: []byte("its card")}}})
	r := request("dog", 30, 3)
	j := b.start(r)
	for !<-begun {
	}
	go func() {
		for range begun {
		}
	}()
	b.server.Close()
	if err := os.RemoveAll(filepath.Join(b.dir, "store")); err != nil {
		t.Fatal(err)
	}
	b.serve(address)
	got := slices.Collect(eventsWithin(t, 2*time.Minute, j)) // it takes 15 s
	if len(of[inference.PictureReady](got)) != 3 && !t.Failed() {
		t.Errorf("%d pictures came", len(of[inference.PictureReady](got)))
	}
	b.until("the card is there", func() bool {
		sum := b.info("one").Cards["m1"]
		_, err := b.client.blobs.GetInfo(t.Context(), sum)
		return sum != "" && err == nil
	})
}

// TestAFarmThatGoesWithTheLastPicture is not waited for to be cleaned: the job is done.
func TestAFarmThatGoesWithTheLastPicture(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	address := b.server.Address()
	b.worker("one", &fakeEngine{step: time.Millisecond})
	r := request("dog", 3, 2)
	j := b.start(r)
	b.until("both are made", func() bool {
		_, err := j.(*Job).result(t.Context(), 1)
		return err == nil
	})
	var got []inference.Event
	for e := range eventsWithin(t, time.Minute, j) { // it is patient for 10 s
		if at, is := e.(inference.StepDone); is && at.Picture == 1 && at.Step == 0 {
			b.server.Close()
		}
		got = append(got, e)
	}
	same(t, r, got)
	b.serve(address) // all others end sooner
}
