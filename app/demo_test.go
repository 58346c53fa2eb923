package main

import (
	"testing"

	"realword/assets"
	"realword/history"
)

// TestFirstStart: a new history begins with a finished picture and its steps, once; with a model of one's own it begins empty.
func TestFirstStart(t *testing.T) {
	if n := len(assets.Demo); n > 400<<10 {
		t.Errorf("the demo takes %d bytes", n)
	}
	open := func(m machine) []history.Session {
		t.Helper()
		s, err := m.firstHistory()
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		list, err := s.Sessions()
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return nil
		}
		rounds, err := s.SessionRounds(list[0].ID)
		if err != nil || len(rounds) != 1 || len(rounds[0].Pictures) != 1 || len(rounds[0].References) != 1 {
			t.Fatalf("rounds %+v, %v", rounds, err)
		}
		steps, err := s.Steps(rounds[0].Pictures[0].ID)
		if err != nil || len(steps) < 20 {
			t.Errorf("steps %v, %v", steps, err)
		}
		return list
	}
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	t.Setenv("HOME", dir)
	t.Setenv("XDG_PICTURES_DIR", dir)
	for range 2 {
		if list := open(machine{}); len(list) != 1 || list[0].Name != "Demo" {
			t.Errorf("sessions %+v", list)
		}
	}
	dir = t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	t.Setenv("HOME", dir)
	if list := open(machine{model: "mine"}); len(list) != 0 {
		t.Errorf("sessions %+v", list)
	}
}
