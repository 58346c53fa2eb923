package farm

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"realword/inference"
	"realword/inference/wait"
)

// roleVariable makes the test binary a process of a farm: "server DIR ADDRESS", "worker PAIRING STEP KEEP", "fetch PAIRING DIR", or "clock".
const roleVariable = "REALWORD_FARM_ROLE"

func TestMain(m *testing.M) {
	role := strings.Fields(os.Getenv(roleVariable))
	if len(role) == 0 {
		// They wait for networks, processes and clocks, for nine tenths of their time: more than one for each core. -parallel has its way.
		if err := flag.Set("test.parallel", "6"); err != nil {
			panic(err)
		}
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch role[0] {
	case "server":
		err = serveUntil(ctx, role[1], role[2])
	case "worker":
		err = workUntil(ctx, role[1], role[2], role[3])
	case "clock":
		fmt.Println(time.Now().Format(time.RFC3339))
	case "fetch":
		err = fetchUntil(ctx, role[1], role[2])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serveUntil(ctx context.Context, dir, address string) error {
	s, err := Serve(ServerOptions{Dir: dir, Listen: address, MaxBytes: 2 << 30})
	if err != nil {
		return err
	}
	defer s.Close()
	p, err := Own(dir)
	if err != nil {
		return err
	}
	a, err := p.Access()
	if err != nil {
		return err
	}
	c, err := Found(ctx, a, 1)
	if err != nil {
		return err
	}
	c.Close()
	<-ctx.Done()
	return nil
}

func workUntil(ctx context.Context, line, step, keep string) error {
	p, err := ParsePairing(line)
	if err != nil {
		return err
	}
	a, err := p.Access()
	if err != nil {
		return err
	}
	each, err := time.ParseDuration(step)
	if err != nil {
		return err
	}
	often, err := time.ParseDuration(keep)
	if err != nil {
		return err
	}
	for { // the server may be away just now
		c, err := Dial(ctx, a)
		if err == nil {
			defer c.Close()
			return c.Work(ctx, WorkerOptions{Name: p.Name, Models: []Model{{ID: "m1", Name: "Fake", Engine: &fakeEngine{step: each}}}, Keep: often})
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// process is this test binary in a role.
func process(t *testing.T, role ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), roleVariable+"="+strings.Join(role, " "))
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

func kill(c *exec.Cmd) {
	_ = c.Process.Kill()
	_ = c.Wait()
}

func number(variable string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(variable)); err == nil {
		return n
	}
	return otherwise
}

func duration(variable string, otherwise time.Duration) time.Duration {
	if d, err := time.ParseDuration(os.Getenv(variable)); err == nil {
		return d
	}
	return otherwise
}

// TestChaos kills computers and the server with signal 9 while a job runs: every picture comes, once, in its order, with the same bits as
// made here. `make chaos` is the long one.
func TestChaos(t *testing.T) {
	t.Parallel()
	pictures, computers, servers := number("REALWORD_CHAOS_PICTURES", 12), number("REALWORD_CHAOS_WORKERS", 3), number("REALWORD_CHAOS_SERVERS", 1)
	every, step := duration("REALWORD_CHAOS_KILL", 1500*time.Millisecond), duration("REALWORD_CHAOS_STEP", 50*time.Millisecond)
	address := freeAddress(t)
	dir := t.TempDir()
	server := process(t, "server", dir, address)
	defer func() { kill(server) }()
	own := untilPaired(t, dir)
	a, err := own.Access()
	if err != nil {
		t.Fatal(err)
	}
	var client *Conn
	wait.Until(t, "the server answers", func() bool { client, err = Dial(t.Context(), a); return err == nil })
	defer client.Close()
	const keep = "200ms"
	workers := make([]*exec.Cmd, computers)
	lines := make([]string, computers)
	for i := range workers {
		p, err := PairHere(dir, fmt.Sprint("w", i), Helper)
		if err != nil {
			t.Fatal(err)
		}
		lines[i] = p.String()
		workers[i] = process(t, "worker", lines[i], step.String(), keep)
	}
	var mu sync.Mutex
	var came atomic.Int64 // events of the job
	killed := 0
	ctx, stop := context.WithCancel(t.Context())
	var chaos sync.WaitGroup
	began := time.Now()
	r := request("dog", 20, pictures)
	chaos.Go(func() {
		draw := rand.New(rand.NewPCG(1, 2))
		tick := time.NewTicker(every)
		defer tick.Stop()
		for n, before := 1, int64(0); ; n++ {
			for still := true; still; still = came.Load() == before { // a machine on which computers die before they are awake gets nothing done
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
			}
			before = came.Load()
			mu.Lock()
			i := draw.IntN(computers)
			kill(workers[i])
			workers[i] = process(t, "worker", lines[i], step.String(), keep)
			killed++
			if n <= servers {
				kill(server)
				time.Sleep(time.Second)
				server = process(t, "server", dir, address)
			}
			mu.Unlock()
		}
	})
	defer func() {
		stop()
		chaos.Wait()
		for _, w := range workers {
			kill(w)
		}
	}()
	j, err := client.queueOf("m1").Start(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	var events []inference.Event
	for e := range eventsOf(t, j) {
		came.Add(1)
		switch p := e.(type) {
		case inference.DeviceChanged:
			continue
		case inference.PictureReady:
			if (p.Picture+1)%100 == 0 {
				t.Logf("%d pictures after %v", p.Picture+1, time.Since(began).Round(time.Second))
			}
		}
		events = append(events, e)
	}
	mu.Lock()
	defer mu.Unlock()
	ideal := time.Duration(pictures) * 20 * step / time.Duration(computers)
	t.Logf("%d pictures on %d computers in %v (undisturbed at best %v), %d killed, the server %d times",
		pictures, computers, time.Since(began).Round(time.Millisecond), ideal, killed, min(servers, killed))
	same(t, r, events)
}

func untilPaired(t *testing.T, dir string) (p Pairing) {
	t.Helper()
	wait.Until(t, "the server has let its owner in", func() bool {
		var err error
		p, err = Own(dir)
		return err == nil
	})
	return p
}
