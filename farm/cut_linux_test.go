package farm

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"realword/inference"
)

// TestTheNetworkIsCut: a computer in a network namespace of its own makes a picture; in the middle of its previews the line is cut, and
// nobody tells either side. It is back later, and the picture is there, with the same bits. `make farm-cut` cuts for a minute.
func TestTheNetworkIsCut(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make a network namespace")
	}
	space := fmt.Sprintf("realword%d", os.Getpid())
	inside, outside := fmt.Sprintf("rwi%d", os.Getpid()), fmt.Sprintf("rwo%d", os.Getpid())
	ip := func(args string) error {
		out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("ip %s: %w: %s", args, err, out)
		}
		return nil
	}
	if err := ip("netns add " + space); err != nil {
		t.Skip("there can be no network namespace here:", err)
	}
	defer func() { _ = ip("netns del " + space) }()
	for _, args := range []string{
		"link add " + outside + " type veth peer name " + inside + " netns " + space,
		"addr add 198.18.77.1/30 dev " + outside, "link set " + outside + " up",
		"-n " + space + " addr add 198.18.77.2/30 dev " + inside, "-n " + space + " link set " + inside + " up",
	} {
		if err := ip(args); err != nil {
			t.Skip("there can be no line between network namespaces here:", err)
		}
	}
	b := &bench{t: t, dir: t.TempDir()}
	b.serve("198.18.77.1:0")
	t.Cleanup(func() { b.server.Close() })
	b.client = b.dial(b.own())
	b.queue = b.client.queueOf("m1")
	p, err := b.server.Pair("beyond", Helper)
	if err != nil {
		t.Fatal(err)
	}
	const step = 50 * time.Millisecond
	worker := exec.Command("ip", "netns", "exec", space, os.Args[0])
	worker.Env = append(os.Environ(), fmt.Sprintf("%s=worker %s %v %v", roleVariable, p, step, 200*time.Millisecond))
	worker.Stderr = os.Stderr
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	defer kill(worker)

	cut := duration("REALWORD_FARM_CUT", 3*time.Second)
	r := request("dog", int((cut+6*time.Second)/step)/2, 2)
	began := time.Now()
	j := b.start(r)
	var events []inference.Event
	var back time.Time
	steps := 0
	for e := range eventsOf(t, j) {
		events = append(events, e)
		if s, is := e.(inference.StepDone); is && back.IsZero() {
			if steps++; steps < 20 {
				continue
			}
			if err := ip("link set " + outside + " down"); err != nil {
				t.Fatal(err)
			}
			t.Logf("cut after step %d", s.Step+1)
			time.Sleep(cut)
			if err := ip("link set " + outside + " up"); err != nil {
				t.Fatal(err)
			}
			back = time.Now()
		}
	}
	same(t, r, events)
	alone := time.Duration(2*r.Steps) * step
	t.Logf("cut for %v: 2 pictures in %v, %v after the line was back; %v without a cut", cut, time.Since(began).Round(time.Millisecond),
		time.Since(back).Round(time.Millisecond), alone)
}
