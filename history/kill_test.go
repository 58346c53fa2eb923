package history

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	writerVariable = "REALWORD_HISTORY_WRITER" // JSON of a writer: operations of the model, until it is killed
	killsVariable  = "REALWORD_HISTORY_KILLS"  // how many kills the test does, 20 if unset
)

// children are what a test binary does, instead of running tests, when it is started with a variable set.
var children = map[string]func(value string){writerVariable: write}

func TestMain(m *testing.M) {
	for variable, work := range children {
		if value := os.Getenv(variable); value != "" {
			work(value)
		}
	}
	os.Exit(m.Run())
}

// writer is where a child carries on.
type writer struct {
	Path     string
	Seed     uint64
	Done     int   // operations that are in the file
	Unsynced bool  // every other one writes many more operations before it dies
	Opened   []int // after which of them it was opened again
}

// replay returns the model after n operations.
func (w writer) replay(n int) *model {
	m := newModel(w.Seed)
	for m.ops < n {
		m.reopen(w.Opened)
		_ = m.step(nil) // cannot fail without a store
	}
	return m
}

func (m *model) reopen(opened []int) {
	if slices.Contains(opened, m.ops) {
		m.reopened()
	}
}

func write(job string) {
	var w writer
	if err := json.Unmarshal([]byte(job), &w); err != nil {
		fail(err)
	}
	s, err := Options{unsynced: w.Unsynced}.Open(w.Path)
	if err != nil {
		fail(err)
	}
	m := w.replay(w.Done)
	m.reopen(w.Opened)
	for {
		if err := m.step(s); err != nil {
			fail(fmt.Errorf("operation %d: %w", m.ops-1, err))
		}
		fmt.Println(m.ops) // one write: acknowledged
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// A child writes until it is killed, again and again. What it was told to be done is there, at most one operation more; nothing is
// empty or half written, and everything fits together.
func TestKill(t *testing.T) {
	kills := 20
	if n, err := strconv.Atoi(os.Getenv(killsVariable)); err == nil {
		kills = n
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(3, uint64(kills)))
	dir := t.TempDir()
	w := writer{Path: filepath.Join(dir, "history.db")}
	ahead, orphans := 0, 0
	for kill := range kills {
		if w.Done > 600 { // a new one, before replaying takes long
			dir = t.TempDir()
			w = writer{Path: filepath.Join(dir, "history.db"), Seed: uint64(kill)}
		}
		w.Unsynced = kill%2 > 0
		job, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		done := runAndKill(t, exec.Command(program), writerVariable+"="+string(job), time.Duration(rnd.IntN(40_000))*time.Microsecond, w.Done)
		s, err := Options{unsynced: true}.Open(w.Path)
		if err != nil {
			t.Fatalf("kill %d, after operation %d: %v", kill, done, err)
		}
		m := w.replay(done)
		m.reopen(w.Opened)
		m.reopened()
		if err := m.differs(s); err != nil {
			m = w.replay(done + 1)
			m.reopened()
			if m.differs(s) != nil {
				t.Fatalf("kill %d: after %d acknowledged operations: %v", kill, done, err)
			}
			done++
			ahead++
		}
		if w.Done = done; !slices.Contains(w.Opened, done) {
			w.Opened = append(w.Opened, done)
		}
		n, err := s.Sweep()
		if err != nil {
			t.Fatal(err)
		}
		orphans += n
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		noEmptyFiles(t, dir)
	}
	t.Logf("%d kills, the last after %d operations: nothing lost, %d times one operation was done and not yet acknowledged, %d unneeded blob files swept", kills, w.Done, ahead, orphans)
}

// runAndKill starts a child, kills it a while after its first sign of life, and returns how many operations it acknowledged.
func runAndKill(t *testing.T, child *exec.Cmd, work string, after time.Duration, done int) int {
	t.Helper()
	child.Env = append(os.Environ(), work)
	var trouble strings.Builder
	child.Stderr = &trouble
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	killed := false
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if done, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatalf("the child said %q", lines.Text())
		}
		if !killed {
			killed = true
			time.AfterFunc(after, func() { _ = child.Process.Kill() })
		}
	}
	if err := child.Wait(); child.ProcessState.Exited() {
		t.Fatalf("the child ended by itself: %v\n%s", err, trouble.String())
	}
	return done
}

// noEmptyFiles looks at every finished file.
func noEmptyFiles(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".realword-") || strings.HasSuffix(d.Name(), ".part") || d.Name() == "history.lock" {
			return err
		}
		if info, err := d.Info(); err != nil || info.Size() == 0 {
			t.Errorf("%s is empty, %v", path, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
