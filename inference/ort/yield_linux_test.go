package ort

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"realword/inference/session"
)

// TestYield opens a session after Yield: its threads must be nice, those of the program as they were.
func TestYield(t *testing.T) {
	library(t) // skips where there is none
	if niceThreads(t) > 0 {
		t.Skip("the tests themselves were started with nice")
	}
	rt, err := New(Options{Threads: 3})
	if err != nil {
		t.Fatal(err)
	}
	path := sumAndIds(t)
	var s session.Session
	done := make(chan error)
	go func() {
		Yield()
		var err error
		s, err = rt.Open(path, session.Options{})
		done <- err
		select {} // the thread of Yield lives on
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if n := niceThreads(t); n != 3 { // the calling thread and two of the pool
		t.Errorf("%d threads give way, wanted 3", n)
	}
}

// niceThreads counts the threads of this process that give way.
func niceThreads(t *testing.T) (n int) {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		stat, err := os.ReadFile(task)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		if fields := strings.Fields(rest); fields[16] == "10" {
			n++
		}
	}
	return n
}
