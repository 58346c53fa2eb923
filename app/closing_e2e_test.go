//go:build e2e

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"realword/history/journal"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/wait"
)

// However a window ends while a job runs and others wait, at the next start every picture is made or waits, once, in its order: jobs of
// this start or an earlier one, of one picture or several, in the first moment or while they rest between two pictures.
func TestWindowKeepsItsQueue(t *testing.T) {
	dir, err := os.MkdirTemp("", "rw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program := built(t, usualBuild)
	signal := func(by syscall.Signal) func(*closer, *screen) {
		return func(_ *closer, s *screen) {
			if err := s.cmd.Process.Signal(by); err != nil {
				t.Fatal(err)
			}
		}
	}
	const jobs, pictures = 4, 3
	for n, c := range []struct {
		name  string
		typed bool // the jobs are of this start, and of one picture
		end   func(*closer, *screen)
	}{
		{"SIGTERM in the first moment", true, signal(syscall.SIGTERM)},
		{"SIGKILL in the first moment", true, signal(syscall.SIGKILL)},
		{"SIGTERM while the second picture rests", false, func(c *closer, s *screen) {
			s.wait("a picture", func() bool {
				files, _ := filepath.Glob(filepath.Join(c.dir, "pictures", appName, "*", "*.png"))
				return len(files) > 0
			})
			s.key("alt+p")
			s.see("", "paused")
			signal(syscall.SIGTERM)(c, s)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			home := newCloser(t, filepath.Join(dir, fmt.Sprint(n)))
			want := jobs
			if !c.typed {
				home.enqueue(jobs, pictures)
				want *= pictures
			}
			s := openScreen(t, program, filepath.Join(home.dir, "s"))
			s.click("", "Queue", 0.5, 0.5) // by mouse: the first letter is the prompt's
			if c.typed {
				s.key("ctrl+l")
				s.xdotool("type", "--delay", "40", "a dog on the beach")
				s.see("chip", "dog")
				s.xdotool("key", "--delay", "12", "ctrl+Return", "ctrl+Return", "ctrl+Return", "ctrl+Return")
				s.see("", "3 jobs queued")
			} else {
				s.see("", "4 jobs queued")
				s.key("alt+p")
			}
			c.end(home, s)
			select {
			case <-s.ended:
			case <-time.After(wait.Longest):
				t.Fatalf("the window does not end: %s", s.stuck())
			}
			made, waiting := home.left()
			all := slices.Sorted(slices.Values(slices.Concat(made, waiting)))
			if len(all) != want || len(slices.Compact(all)) != want || !c.typed && (!slices.IsSorted(waiting) || len(made) == 0) {
				t.Errorf("%d pictures are made, %d wait, of %d", made, waiting, want)
			}
		})
	}
}

// closer is a home whose window is closed.
type closer struct {
	*testing.T
	dir string
}

func newCloser(t *testing.T, dir string) *closer {
	t.Helper()
	t.Setenv("XDG_PICTURES_DIR", filepath.Join(dir, "pictures"))
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	preferences := filepath.Join(dir, "config", "fyne", appID)
	err := os.MkdirAll(preferences, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(preferences, "preferences.json"), []byte(`{"preferences":"{\"Keys\":{\"queue.pause\":\"Alt+P\"}}"}`), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return &closer{t, dir}
}

// enqueue has jobs wait whose pictures have the seeds 0, 1, 2 and so on.
func (c *closer) enqueue(jobs, pictures int) {
	c.Helper()
	data, err := os.ReadFile("../assets/toybox/bundle/manifest.json")
	if err != nil {
		c.Fatal(err)
	}
	m, err := bundle.ParseManifest(data)
	if err != nil {
		c.Fatal(err)
	}
	s, err := openHistory()
	if err != nil {
		c.Fatal(err)
	}
	defer s.Close()
	for i := range jobs {
		r := inference.Request{Prompt: "a dog on the beach"}
		r.Preset = "paper"
		for n := range pictures {
			r.Seeds = append(r.Seeds, uint64(i*pictures+n))
		}
		plan, err := journal.PlanOf(s, 0, inference.Defaults(m, r), m.Name)
		if err == nil {
			_, err = s.Enqueue(plan, time.Now())
		}
		if err != nil {
			c.Fatal(err)
		}
	}
}

// left are the seeds of the pictures that the history has, and of those that wait, in their order.
func (c *closer) left() (made, waiting []uint64) {
	c.Helper()
	s, err := openHistory()
	if err != nil {
		c.Fatal(err)
	}
	defer s.Close()
	rounds, err := s.Rounds()
	if err != nil {
		c.Fatal(err)
	}
	for _, r := range rounds {
		for _, p := range r.Pictures {
			if p.Finished() {
				made = append(made, p.Seed)
			}
		}
	}
	list, err := journal.Queue(s)
	if err != nil {
		c.Fatal(err)
	}
	for _, w := range list {
		waiting = append(waiting, w.Request.Seeds...)
		if w.Parked {
			c.Errorf("job %d is parked", w.Job)
		}
	}
	return made, waiting
}
