package farm

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"realword/inference"
)

// turned builds this test with a package time whose clock is as many seconds off as clockVariable says: for everything in the process, also
// TLS, the NATS server and its client. Nothing outside a Go process can do that: Go asks the kernel's page, not a library.
func turned(t *testing.T) (binary string) {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skip("there is no Go here:", err)
	}
	dir, source := t.TempDir(), filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	text, err := os.ReadFile(filepath.Join(source, "time.go"))
	if err != nil {
		t.Fatal(err)
	}
	const at = "sec, nsec, mono := runtimeNow()\n"
	if strings.Count(string(text), at) != 1 {
		t.Skip("this Go's time.Now is another one")
	}
	overlay := map[string]map[string]string{"Replace": {}}
	for name, text := range map[string]string{
		"time.go": strings.Replace(string(text), at, at+"sec += turned\n", 1),
		"turned.go": `package time

import "syscall"

var turned = func() (sec int64) {
	text, _ := syscall.Getenv("` + clockVariable + `")
	sign := int64(1)
	for i, c := range text {
		if i == 0 && c == '-' {
			sign = -1
			continue
		}
		sec = 10*sec + sign*int64(c-'0')
	}
	return sec
}()
`,
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay["Replace"][filepath.Join(source, name)] = path
	}
	data, err := json.Marshal(overlay)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "overlay.json"), data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	binary = filepath.Join(dir, "farm.test")
	if out, err := exec.Command("go", "test", "-c", "-overlay", filepath.Join(dir, "overlay.json"), "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return binary
}

// clockVariable is by how many seconds the clock of a turned process is off.
const clockVariable = "REALWORD_CLOCK"

// TestClocksThatAreOff: an hour and half a century, of the server, of workers and so of the client, too, since only what lies between them
// could matter. Computers are let in, make pictures, hand over what one that is killed had in work, and fetch a model. `make farm-clock`.
func TestClocksThatAreOff(t *testing.T) {
	if os.Getenv("REALWORD_FARM_CLOCK") == "" {
		t.Skip("it builds Go's own packages anew: make farm-clock")
	}
	binary := turned(t)
	const hour, age = 3600, 50 * 365 * 24 * 3600
	process := func(t *testing.T, clock int, role ...string) *exec.Cmd {
		t.Helper()
		c := exec.Command(binary)
		c.Env = append(os.Environ(), roleVariable+"="+strings.Join(role, " "), fmt.Sprint(clockVariable, "=", clock))
		c.Stderr = os.Stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	// It is turned.
	c := exec.Command(binary)
	c.Env = append(os.Environ(), roleVariable+"=clock", fmt.Sprint(clockVariable, "=", -hour))
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(string(out)))
	if off := time.Since(at) - time.Hour; err != nil || off.Abs() > time.Minute {
		t.Fatalf("the clock of the process says %s, %v", out, err)
	}
	m := toybox(t)
	for _, k := range []struct {
		name    string
		server  int
		workers []int
	}{
		{"workers", 0, []int{-hour, hour}},
		{"server an hour ahead", hour, []int{0, 0}},
		{"server an hour behind", -hour, []int{0, hour}},
		{"a computer without a battery", 0, []int{-age, 0}},
		{"server without a battery", -age, []int{0, hour}},
	} {
		t.Run(k.name, func(t *testing.T) {
			dir, address := t.TempDir(), freeAddress(t)
			server := process(t, k.server, "server", dir, address)
			defer kill(server)
			a, err := untilPaired(t, dir).Access()
			if err != nil {
				t.Fatal(err)
			}
			b := &bench{t: t, dir: dir}
			b.until("the farm answers", func() bool { b.client, err = Dial(t.Context(), a); return err == nil })
			t.Cleanup(b.client.Close)
			workers := make([]*exec.Cmd, len(k.workers))
			for i, clock := range k.workers {
				p, err := PairHere(dir, fmt.Sprint("w", i), Helper)
				if err != nil {
					t.Fatal(err)
				}
				workers[i] = process(t, clock, "worker", p.String(), "50ms", "200ms")
				defer kill(workers[i])
			}
			b.until("all are there", func() bool {
				all, err := b.client.Workers(t.Context())
				return err == nil && len(all) == len(workers)
			})
			r, began := request("dog", 20, 6), time.Now()
			j, err := b.client.queueOf("m1").Start(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			var events []inference.Event
			steps := 0
			for e := range eventsOf(t, j) {
				events = append(events, e)
				if _, is := e.(inference.StepDone); is {
					if steps++; steps == 12 {
						kill(workers[0])
					}
				}
			}
			same(t, r, events)
			took := time.Since(began)
			// Once more, with files that are there: how old they are is the server's to say.
			again, err := b.client.queueOf("m1").Start(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			same(t, r, collect(t, again))
			stop, err := b.client.Offer(m)
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			p, err := PairHere(dir, "getter", Helper)
			if err != nil {
				t.Fatal(err)
			}
			b.until("it is let in", func() bool {
				access, err := p.Access()
				if err != nil {
					return false
				}
				c, err := Dial(t.Context(), access)
				if err == nil {
					c.Close()
				}
				return err == nil
			})
			larder := plenty(t)
			getter := process(t, k.workers[0], "fetch", p.String(), larder.Dir)
			if err := getter.Wait(); err != nil {
				t.Fatal(err)
			}
			isWhole(t, filepath.Join(larder.Dir, ModelID(m.Manifest())), m)
			t.Logf("server %+d s, workers %+d s: 6 pictures in %v, one of them handed over after a kill; a model fetched", k.server, k.workers, took.Round(time.Millisecond))
		})
	}
}

// dated is an object store whose files are so old, by the server's clock.
type dated struct {
	jetstream.ObjectStore
	age  time.Duration
	puts int
}

func (d *dated) GetInfo(ctx context.Context, name string, o ...jetstream.GetObjectInfoOpt) (*jetstream.ObjectInfo, error) {
	info, err := d.ObjectStore.GetInfo(ctx, name, o...)
	if err == nil {
		info.ModTime = info.ModTime.Add(-d.age)
	}
	return info, err
}

func (d *dated) Put(ctx context.Context, m jetstream.ObjectMeta, r io.Reader) (*jetstream.ObjectInfo, error) {
	d.puts++
	return d.ObjectStore.Put(ctx, m, r)
}

// TestFilesAreRenewed before the farm forgets them, by the age that the server tells.
func TestFilesAreRenewed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if _, err := b.client.putBlob(t.Context(), []byte("a file")); err != nil {
		t.Fatal(err)
	}
	there := b.client.blobs
	for age, want := range map[time.Duration]int{0: 0, -time.Hour: 0, renewBlobs - time.Hour: 0, renewBlobs + time.Hour: 1} {
		d := &dated{ObjectStore: there, age: age}
		b.client.blobs = d
		if _, err := b.client.putBlob(t.Context(), []byte("a file")); err != nil || d.puts != want {
			t.Errorf("%v old: put %d times, want %d, %v", age, d.puts, want, err)
		}
	}
}
