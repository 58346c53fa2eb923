package ui

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// auditTo is where the audit build (build tag audit) writes what its watchdog has measured; nil in every other build.
var auditTo io.Writer

// threadTime is the processor time of the calling thread, where it can be had; the window's goroutine keeps its thread. On a
// machine that has too much to do, waiting for a processor is no fault of the window.
var threadTime func() time.Duration

// held is how long the window's goroutine may be held.
const held = 50 * time.Millisecond

// watchdog measures during a run how long the window's goroutine does not answer: it posts an empty function again and again
// and takes the time until it is called, which is the time that a click would wait. It also takes the time of every function
// that the window posts itself, and of painting. A nil watchdog measures nothing.
type watchdog struct {
	post  func(func())
	every time.Duration
	out   io.Writer

	mu       sync.Mutex
	quit     chan struct{} // of the run under way
	began    time.Time
	waits    []time.Duration
	longest  time.Duration // of one function
	culprit  string        // its name
	painting time.Duration
	steps    int
	busiest  time.Duration  // processor time between two answers, at most
	where    map[string]int // what held the goroutine, and how often
}

func newWatchdog(post func(func()), out io.Writer) *watchdog {
	if out == nil {
		return nil
	}
	return &watchdog{post: post, every: 5 * time.Millisecond, out: out}
}

// running tells whether a run is under way; the end of one writes the report.
func (d *watchdog) running(busy bool) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case busy && d.quit == nil:
		d.quit, d.began = make(chan struct{}), time.Now()
		d.waits, d.longest, d.culprit, d.painting, d.steps, d.busiest, d.where = nil, 0, "", 0, 0, 0, map[string]int{}
		go d.watch(d.quit)
	case !busy && d.quit != nil:
		close(d.quit)
		d.quit = nil
		fmt.Fprintln(d.out, d.report(time.Since(d.began)))
	}
}

func (d *watchdog) watch(quit chan struct{}) {
	var used time.Duration
	for {
		asked, answered := time.Now(), make(chan struct{})
		d.post(func() {
			if threadTime != nil {
				now := threadTime()
				if used > 0 {
					d.mu.Lock()
					d.busiest = max(d.busiest, now-used)
					d.mu.Unlock()
				}
				used = now
			}
			close(answered)
		})
		select {
		case <-answered:
		case <-time.After(held):
			d.look()
			select {
			case <-answered:
			case <-quit:
				return
			}
		case <-quit:
			return
		}
		d.mu.Lock()
		d.waits = append(d.waits, time.Since(asked))
		d.mu.Unlock()
		select {
		case <-time.After(d.every):
		case <-quit:
			return
		}
	}
}

// look notes where the window's goroutine is just now: the innermost function of ours or of Fyne's.
func (d *watchdog) look() {
	buf := make([]byte, 1<<20)
	for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if !strings.Contains(stack, "main.main()") && !strings.Contains(stack, "ShowAndRun") {
			continue
		}
		for line := range strings.Lines(stack) {
			if name, _, ok := strings.Cut(line, "("); ok && (strings.HasPrefix(line, "realword/") || strings.HasPrefix(line, "fyne.io/") ||
				strings.HasPrefix(line, "github.com/go-gl")) {
				name = line[strings.LastIndex(name, "/")+1:]
				name, _, _ = strings.Cut(strings.TrimSpace(name), "({")
				name, _, _ = strings.Cut(name, "(0x")
				d.mu.Lock()
				d.where[name]++
				d.mu.Unlock()
				return
			}
		}
	}
}

// call does a function of the window's goroutine and takes its time.
func (d *watchdog) call(f func()) {
	if d == nil {
		f()
		return
	}
	begin := time.Now()
	f()
	took := time.Since(begin)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.quit != nil && took > d.longest {
		name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
		d.longest, d.culprit = took, name[strings.LastIndex(name, "/")+1:]
	}
}

// painted counts time that a painter took on its own goroutine.
func (d *watchdog) painted(since time.Time) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.painting += time.Since(since)
}

// step counts a finished step.
func (d *watchdog) step() {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.steps++
}

// report is one line about the run. The lock is held.
func (d *watchdog) report(run time.Duration) string {
	waits := slices.Sorted(slices.Values(d.waits))
	at := func(q float64) time.Duration {
		if len(waits) == 0 {
			return 0
		}
		return waits[int(q*float64(len(waits)-1))].Round(100 * time.Microsecond)
	}
	late := 0
	for _, w := range waits {
		if w > held {
			late++
		}
	}
	where := ""
	for _, name := range slices.SortedFunc(maps.Keys(d.where), func(a, b string) int {
		return cmp.Or(d.where[b]-d.where[a],
			cmp.Compare(a, b))
	}) {
		where += fmt.Sprintf("\naudit: %d times in %s", d.where[name], name)
	}
	return fmt.Sprintf("audit: run of %v, %d steps: the window answered %d times, after %v (median), %v (99 %%), %v (longest), %d times later than %v, with at most %v of its own work between two answers; longest function %v (%s); painting %v a step, %.2f %% of the run",
		run.Round(time.Millisecond), d.steps, len(waits), at(0.5), at(0.99), at(1), late, held, d.busiest.Round(100*time.Microsecond),
		d.longest.Round(10*time.Microsecond), d.culprit,
		(d.painting/time.Duration(max(d.steps, 1))).Round(10*time.Microsecond), 100*d.painting.Seconds()/max(run.Seconds(), 1e-9)) + where
}
