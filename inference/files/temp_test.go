package files

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func age(t *testing.T, path string, by time.Duration) {
	t.Helper()
	at := time.Now().Add(-by)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

// TestFolderGetsItsName is for Windows, which does not rename what is open.
func TestFolderGetsItsName(t *testing.T) {
	dir := t.TempDir()
	folder, done, err := Mkdir(dir, "model")
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	if err := os.WriteFile(filepath.Join(folder, "weights"), []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(folder, filepath.Join(dir, "model")); err != nil {
		t.Fatalf("the first model of a new user is not unpacked: %v", err)
	}
}

// dies has TestNothingTemporaryStays be the program that dies.
const dies = "REALWORD_TEST_DIES"

// TestNothingTemporaryStays of a program that died: its file goes with it, its folder with the next of the kind. What is in use stays.
func TestNothingTemporaryStays(t *testing.T) {
	if os.Getenv(dies) != "" {
		f, err := Nameless()
		if err == nil {
			_, err = f.WriteString("x")
		}
		folder, _, err1 := Scratch("test")
		if err = errors.Join(err, err1, os.WriteFile(filepath.Join(folder, "x"), nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		os.Exit(3)
	}
	dir := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} {
		t.Setenv(name, dir)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(program, "-test.run=^TestNothingTemporaryStays$")
	child.Env = append(os.Environ(), dies+"=1")
	if out, err := child.CombinedOutput(); child.ProcessState.ExitCode() != 3 {
		t.Fatal(err, string(out))
	}
	seen := func() (list []string) { // Windows has a lock beside a folder
		for _, name := range names(t, dir) {
			if !strings.HasPrefix(name, ".") {
				list = append(list, filepath.Join(dir, name))
			}
		}
		return list
	}
	old := seen()
	if len(old) != 1 || !strings.HasPrefix(filepath.Base(old[0]), "realword-test-") {
		t.Fatalf("the program that died has left %q", old)
	}
	for _, path := range []string{filepath.Join(old[0], "x"), old[0]} {
		age(t, path, time.Minute)
	}
	SweepScratch("other")
	if n := len(names(t, old[0])); n != 1 {
		t.Error("a folder of another kind is gone")
	}
	first, done, err := Scratch("test")
	if err != nil {
		t.Fatal(err)
	}
	age(t, first, time.Minute)
	second, done2, err := Scratch("test")
	if err != nil {
		t.Fatal(err)
	}
	if now := seen(); len(now) != 2 || !slices.Contains(now, first) || !slices.Contains(now, second) {
		t.Errorf("there are %q", now)
	}
	done()
	done2()
	if now := seen(); len(now) > 0 {
		t.Errorf("%q stay", now)
	}
}

func TestSweepTakesWhatDiedAndNothingElse(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("folders go by their age there")
	}
	dir := t.TempDir()
	file, err := Create(dir, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	folder, done, err := Mkdir(dir, "model")
	if err != nil {
		t.Fatal(err)
	}
	age(t, file.Name(), time.Hour)
	age(t, folder, time.Hour)
	for name, old := range map[string]time.Duration{
		".realword-dead": time.Minute, ".realword-about-to-be-locked": -time.Hour, ".partial-black.safetensors-1": time.Hour, ".partial-sdxl-2": time.Minute,
		".hidden": time.Hour, "mine.png": time.Hour, ".realword": time.Hour,
	} {
		path := filepath.Join(dir, name)
		if filepath.Ext(name) == "" && name[1] == 'p' {
			err = os.Mkdir(path, 0o777)
		} else {
			err = os.WriteFile(path, []byte("x"), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
		age(t, path, old)
	}
	if n := Sweep(dir); n != 3 {
		t.Errorf("%d were removed, want 3", n)
	}
	want := []string{filepath.Base(folder), filepath.Base(file.Name()), ".realword", ".realword-about-to-be-locked", ".hidden", "mine.png"}
	if got := names(t, dir); !slices.Equal(sorted(got), sorted(want)) {
		t.Errorf("there are\n%q, want\n%q", got, want)
	}
	_ = file.Close() // as if the program had died
	done()
	if n := Sweep(dir); n != 2 {
		t.Errorf("%d were removed after their programs, want 2", n)
	}
	if n := Sweep(filepath.Join(dir, "not", "there")); n != 0 {
		t.Errorf("%d in no folder", n)
	}
}

func sorted(list []string) []string { slices.Sort(list); return list }

func TestLockWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	release, err := Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 2)
	go func() {
		other, err := Lock(path)
		got <- "second"
		if err == nil {
			other()
		}
	}()
	time.AfterFunc(50*time.Millisecond, func() { got <- "first"; release() })
	if first := <-got; first != "first" {
		t.Errorf("the %s had it at once", first)
	}
	<-got
}

func TestFullSaysHowMuch(t *testing.T) {
	for want, e := range map[string]*FullError{
		"/d has 20.5 kB free, less than the 3.1 MB needed; free up space or choose a folder on another disk":    {"/d", 3_100_000, 20_480},
		"/d has 0 bytes free, less than the 999 bytes needed; free up space or choose a folder on another disk": {"/d", 999, 0},
		"/d has 1.5 GB free, less than the 7.0 GB needed; free up space or choose a folder on another disk":     {"/d", 7e9, 1.5e9},
	} {
		if e.Error() != want {
			t.Errorf("%q, want %q", e, want)
		}
	}
}

func TestTryLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	release, free, err := TryLock(path)
	if err != nil || !free {
		t.Fatal(free, err)
	}
	if _, again, err := TryLock(path); again || err != nil {
		t.Errorf("it can be had twice: %v, %v", again, err)
	}
	release()
	if release, free, err = TryLock(path); err != nil || !free {
		t.Fatalf("it cannot be had again: %v, %v", free, err)
	}
	release()
	if _, _, err := TryLock(filepath.Join(path, "below")); err == nil {
		t.Error("no error where there is no folder")
	}
}

func TestClaim(t *testing.T) {
	dir := t.TempDir()
	name := strings.Repeat("long", 100) + ".png"
	release, free, err := Claim(dir, name)
	if err != nil || !free {
		t.Fatal(free, err)
	}
	if _, free, err := Claim(dir, name); free || err != nil {
		t.Errorf("twice: %v, %v", free, err)
	}
	other, free, err := Claim(dir, "other.png")
	if err != nil || !free {
		t.Fatal(free, err)
	}
	if Sweep(dir); len(names(t, dir)) != 2 {
		t.Error("it was swept")
	}
	release()
	other()
	if left := names(t, dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if _, free, err = Claim(filepath.Join(dir, "none"), name); free || err == nil {
		t.Errorf("in no folder: %v, %v", free, err)
	}

	// Many at once: one at a time has it.
	var has, most atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for done := 0; done < 50; {
				release, free, err := Claim(dir, name)
				if err != nil {
					t.Error(err)
					return
				}
				if !free {
					runtime.Gosched()
					continue
				}
				if n := has.Add(1); n > most.Load() {
					most.Store(n)
				}
				done++
				has.Add(-1)
				release()
			}
		})
	}
	if all.Wait(); most.Load() != 1 || len(names(t, dir)) > 0 {
		t.Errorf("%d had it at once; left: %v", most.Load(), names(t, dir))
	}
}

// What another program has open for a moment is waited for, and nothing else.
func TestPatience(t *testing.T) {
	busy, broken := errors.New("busy"), errors.New("broken")
	for name, c := range map[string]struct {
		until time.Duration // another program has the file
		then  error
		want  error
		took  time.Duration
	}{
		"free":              {0, nil, nil, 0},
		"for a moment":      {300 * time.Millisecond, nil, nil, 500 * time.Millisecond},
		"broken":            {0, broken, broken, 0},
		"broken afterwards": {300 * time.Millisecond, broken, broken, 500 * time.Millisecond},
		"for long":          {time.Hour, nil, busy, 2200 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				err := patiently(movePatience, func(err error) bool { return errors.Is(err, busy) }, func() error {
					if time.Since(begun) < c.until {
						return busy
					}
					return c.then
				})
				if took := time.Since(begun); !errors.Is(err, c.want) || took > c.took {
					t.Errorf("%v after %v", err, took)
				}
			})
		})
	}
}
