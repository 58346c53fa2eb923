//go:build linux

package history

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const (
	fullVariable  = "REALWORD_HISTORY_FULL"  // folder of a history to write to until the disk is full
	tightVariable = "REALWORD_HISTORY_TIGHT" // path of a history to open where no other file has room
)

func init() {
	children[fullVariable] = fillUp
	children[tightVariable] = func(path string) {
		err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20})
		s, err1 := Open(path)
		if err = errors.Join(err, err1); err == nil {
			_, err = s.NewSession("afterwards", noon)
		}
		if err == nil {
			err = errors.Join(s.Check(), s.Close())
		}
		if err != nil {
			fail(err)
		}
		os.Exit(0)
	}
}

// A history that the disk has no room to make smaller stays as it is.
func TestNoRoomToBecomeSmall(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path, want := trimmed(t)
	child := exec.Command(program)
	child.Env = append(os.Environ(), tightVariable+"="+path)
	if out, err := child.CombinedOutput(); err != nil || fileSize(path) < 80<<20 || exists(filepath.Join(filepath.Dir(path), "history"+compacted)) {
		t.Fatalf("%v, %s, %d bytes", err, out, fileSize(path))
	}
	s := open(t, path)
	got := everything(t, s)
	for k, v := range want {
		if name, _, record := strings.Cut(k, "/"); record && name != string(metaBucket) && got[k] != v {
			t.Errorf("%q has changed", k)
		}
	}
	if fileSize(path) > 20<<20 {
		t.Errorf("with room again the file has %d bytes", fileSize(path))
	}
}

// fillUp writes to a history that may not grow beyond 512 KiB, until it says so.
func fillUp(dir string) {
	s, err := Open(filepath.Join(dir, "history.db"))
	if err != nil {
		fail(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 512 << 10, Max: 512 << 10}); err != nil {
		fail(err)
	}
	for n := uint64(1); ; n++ {
		recipe, _ := json.Marshal(string(bytes.Repeat([]byte("r"), 9000)))
		id, err := s.BeginRound(Plan{Recipe: recipe}, noon)
		if err == nil && id == n && n < 1000 {
			continue
		}
		var known *Error
		if !errors.As(err, &known) || known.Kind != Full || id != 0 {
			fail(fmt.Errorf("round %d: %d, %w", n, id, err))
		}
		if id, err := s.Enqueue(Plan{Prompt: strings.Repeat("p", 600<<10), Recipe: recipe}, noon); err == nil || id != 0 {
			fail(fmt.Errorf("a job there is no room for has the number %d, %w", id, err))
		}
		if jobs, err := s.Jobs(); len(jobs) != 0 || err != nil {
			fail(fmt.Errorf("%d jobs, %w", len(jobs), err))
		}
		// It can still be read, and what is smaller still goes in or fails likewise.
		if rounds, err := s.Rounds(); len(rounds) != int(n-1) || err != nil {
			fail(fmt.Errorf("%d rounds after %d, %w", len(rounds), n-1, err))
		}
		_, err = s.PutReference(Reference{Name: "large"}, make([]byte, 600<<10))
		if !errors.As(err, &known) || known.Kind != Full {
			fail(fmt.Errorf("a large blob: %w", err))
		}
		if err := errors.Join(s.Check(), s.Close()); err != nil {
			fail(err)
		}
		fmt.Print(n - 1)
		os.Exit(0)
	}
}

func TestFullDisk(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	child := exec.Command(program)
	child.Env = append(os.Environ(), fullVariable+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.Output()
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, filepath.Join(dir, "history.db"))
	rounds, err := s.Rounds()
	if fmt.Sprint(len(rounds)) != string(out) || len(rounds) < 10 || err != nil {
		t.Errorf("%d rounds are there, the child wrote %s, %v", len(rounds), out, err)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	if extra, err := s.Sweep(); extra > 0 || err != nil {
		t.Errorf("%d half-written files, %v", extra, err)
	}
	if _, err := s.BeginRound(Plan{}, noon); err != nil {
		t.Errorf("with space again: %v", err)
	}
}
