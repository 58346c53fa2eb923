//go:build !windows

package awake

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"realword/inference/wait"
)

// A program that keeps the computer awake runs until the end, and is gone then; one that is not there, or ends by itself, does no harm.
func TestAProgramHoldsUntilTheEnd(t *testing.T) {
	dir := t.TempDir()
	program, begun := filepath.Join(dir, "caffeinate"), filepath.Join(dir, "begun")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho $$ $* >"+begun+".part; mv "+begun+".part "+begun+"; exec sleep 1000\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	end := by(program, "-i", "-w", "12")
	wait.Until(t, "it runs", func() bool { _, err := os.Stat(begun); return err == nil })
	said, err := os.ReadFile(begun)
	if err != nil {
		t.Fatal(err)
	}
	number, arguments, _ := strings.Cut(strings.TrimSpace(string(said)), " ")
	pid, err := strconv.Atoi(number)
	if err != nil || arguments != "-i -w 12" {
		t.Fatalf("it was called with %s (%v)", said, err)
	}
	if group, err := syscall.Getpgid(pid); err != nil || group == syscall.Getpgrp() {
		t.Errorf("it is in our group (%d), which Ctrl+C ends: %v", group, err)
	}
	end()
	if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
		t.Errorf("it runs after the end: %v", err)
	}
	by(filepath.Join(dir, "nothing"))()
	by("/bin/sh", "-c", "exit 1")()
}
