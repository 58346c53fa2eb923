package files

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// What the system would remove by itself counts as room, and where it does not say how much that is, nothing is refused for it.
func TestRoomThatTheSystemMakes(t *testing.T) {
	dir := t.TempDir()
	unknown := errors.New("no figure")
	says := func(n int64, err error) func(string) (int64, error) {
		return func(where string) (int64, error) {
			if where != dir {
				t.Errorf("it is asked about %s", where)
			}
			return n, err
		}
	}
	for name, c := range map[string]struct {
		free, then     int64
		freeErr, other error
		refused        bool
		asked          bool
	}{
		"enough":                {free: 10},
		"snapshots go":          {free: 4, then: 50, asked: true},
		"too little all in all": {free: 4, then: 9, refused: true, asked: true},
		"a volume without":      {free: 4, refused: true, asked: true},
		"it does not say":       {free: 4, other: unknown, asked: true},
		"nobody says":           {freeErr: unknown},
	} {
		asked := false
		then := func(where string) (int64, error) { asked = true; return says(c.then, c.other)(where) }
		err := fits(filepath.Join(dir, "not", "yet"), 10, func(string) (int64, error) { return c.free, c.freeErr }, then)
		var full *FullError
		if errors.As(err, &full) != c.refused || asked != c.asked {
			t.Errorf("%s: %v, asked: %v", name, err, asked)
		}
		if c.refused && (full.Need != 10 || full.Free != max(c.free, c.then)) {
			t.Errorf("%s: %v", name, full)
		}
	}
	if free, err := Free(dir); err != nil || free <= 0 {
		t.Error(free, err)
	}
	if room, err := Room(dir); err != nil || room <= 0 {
		t.Error(room, err)
	}
}

// macOS is asked by a program, which may say anything.
func TestCapacityOfAProgram(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("programs are no scripts")
	}
	dir := t.TempDir()
	for says, want := range map[string]int64{
		`[ "$1 $2 $3" = "-l JavaScript -e" ] && [ "$5" = "/Volumes/a b" ] && echo 90000000000`: 90000000000,
		"echo 0": 0, "echo undefined": -1, "echo 7; exit 1": -1, "exit 0": -1,
	} {
		tool := filepath.Join(dir, "osascript")
		if err := os.WriteFile(tool, []byte("#!/bin/sh\n"+says+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if got, err := capacityBy(tool, "/Volumes/a b"); (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("%s: %d, %v", says, got, err)
		}
	}
	if _, err := capacityBy(filepath.Join(dir, "none"), "/"); err == nil {
		t.Error("a program that is not there has said something")
	}
}
