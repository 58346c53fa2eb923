package farm

import (
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"realword/inference"
)

// TestFigures prints what a farm costs, where REALWORD_FARM_FIGURES is set: `make farm-figures`. It asks for nothing: times depend on the machine.
func TestFigures(t *testing.T) {
	if os.Getenv("REALWORD_FARM_FIGURES") == "" {
		t.Skip("it measures")
	}
	b := newBench(t)
	var mu sync.Mutex
	made := map[int]time.Time{}
	const step, steps, pictures = 40 * time.Millisecond, 25, 10
	b.worker("one", &fakeEngine{step: step, stepped: func(r inference.Request, k int) {
		mu.Lock()
		made[int(r.Seeds[0])*1000+k] = time.Now()
		mu.Unlock()
	}})
	began := time.Now()
	j := b.start(request("dog", steps, pictures))
	handed := time.Since(began)
	var first, worst, sum time.Duration
	n := 0
	for e := range eventsOf(t, j) {
		if s, is := e.(inference.StepDone); is {
			mu.Lock()
			late := time.Since(made[int(s.State.Seed)*1000+s.Step])
			mu.Unlock()
			if n == 0 {
				first = time.Since(began) - step
			}
			n++
			worst, sum = max(worst, late), sum+late
		}
	}
	whole := time.Since(began)
	here := time.Duration(pictures*steps) * step
	t.Logf("handed over in %v; first preview after %v and its step; previews %v behind on average, %v at most", handed, first, sum/time.Duration(n), worst)
	t.Logf("%d pictures of %v: %v for each on top (%.1f %%), with timers that are late included", pictures, here/pictures, (whole-here)/pictures,
		100*(whole-here).Seconds()/here.Seconds())
	alone := time.Now()
	k, err := (&fakeEngine{step: step}).Start(t.Context(), request("dog", steps, pictures))
	if err != nil {
		t.Fatal(err)
	}
	collect(t, k)
	local := time.Since(alone)
	t.Logf("the same without a farm: %v, with: %v: %.1f %%", local, whole, 100*(whole-local).Seconds()/local.Seconds())

	waiting := b.client.queueOf("m2")
	began = time.Now()
	many, err := waiting.Start(t.Context(), request("dog", steps, 10_000))
	if err != nil {
		t.Fatal(err)
	}
	handed = time.Since(began)
	began = time.Now()
	s, err := b.client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("10,000 pictures handed over in %v; status in %v (%d waiting), %s resident", handed, time.Since(began), s.Waiting, resident(t))
	began = time.Now()
	many.Cancel()
	collect(t, many)
	t.Logf("taken back in %v", time.Since(began))
}

func resident(t *testing.T) string {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("no /proc")
	}
	for line := range strings.Lines(string(data)) {
		if len(line) > 6 && line[:6] == "VmRSS:" {
			return strings.TrimSpace(line[6:])
		}
	}
	return ""
}
