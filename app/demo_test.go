package main

import (
	"testing"
	"time"

	"realword/assets"
	"realword/history"
)

// TestExample: a finished picture and its steps come into a history when they are asked for, once, and out of the trash.
func TestExample(t *testing.T) {
	if n := len(assets.Demo); n > 400<<10 {
		t.Errorf("the demo takes %d bytes", n)
	}
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	t.Setenv("HOME", dir)
	t.Setenv("XDG_PICTURES_DIR", dir)
	s, err := openHistory()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if list, err := s.Sessions(); err != nil || len(list) != 0 {
		t.Fatalf("a first start begins with %+v, %v", list, err)
	}
	for i := range 3 {
		id, err := bringExample(s)
		if err != nil {
			t.Fatal(err)
		}
		list, err := s.Sessions()
		if err != nil || len(list) != 1 || list[0].ID != id || list[0].Name != "Example" || !list[0].Trashed.IsZero() {
			t.Fatalf("sessions %+v, %v", list, err)
		}
		if list[0].UID != assets.DemoUID {
			t.Fatalf("the example is known as %s: write that into assets.DemoUID", list[0].UID)
		}
		rounds, err := s.SessionRounds(id)
		if err != nil || len(rounds) != 1 || len(rounds[0].Pictures) != 1 || len(rounds[0].References) != 1 {
			t.Fatalf("rounds %+v, %v", rounds, err)
		}
		steps, err := s.Steps(rounds[0].Pictures[0].ID)
		if err != nil || len(steps) < 20 {
			t.Errorf("steps %v, %v", steps, err)
		}
		if i == 0 {
			continue
		}
		if err := s.Trash(time.Now(), history.Item{Kind: history.SessionItem, ID: id}); err != nil {
			t.Fatal(err)
		}
	}
}
