package main

import "testing"

// The computer is kept awake from the first engine that works to the last.
func TestAVigilIsOneOfAllEngines(t *testing.T) {
	begun, ended := 0, 0
	v := vigil{begin: func() func() { begun++; return func() { ended++ } }}
	for _, c := range []struct {
		works        bool
		begun, ended int
	}{{true, 1, 0}, {true, 1, 0}, {false, 1, 0}, {true, 1, 0}, {false, 1, 0}, {false, 1, 1}, {true, 2, 1}, {false, 2, 2}} {
		if v.tell(c.works); begun != c.begun || ended != c.ended {
			t.Fatalf("begun %d times, ended %d times, want %d and %d", begun, ended, c.begun, c.ended)
		}
	}
}

// Whatever opens an engine keeps the computer awake with it.
func TestTheComputerStaysAwakeWhileAPictureIsMade(t *testing.T) {
	model, dog := tiny(t)
	begun, ended := 0, 0
	was := watch.begin
	watch.begin = func() func() { begun++; return func() { ended++ } }
	t.Cleanup(func() { watch.begin = was })
	status, _, stderr := command(t, "generate", "--model", model, "--prompt", "a dog", "--subject", "dog="+dog, "--steps", "2", "--stop", "1",
		"--no-history", "--out", t.TempDir())
	if status != 0 || begun != 1 || ended != 1 {
		t.Errorf("status %d: the computer is kept awake %d times, and let go %d times; %s", status, begun, ended, stderr)
	}
}
