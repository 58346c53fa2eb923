package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Jobs that are made while another process has the history are recorded all the same, whoever comes first afterwards.
func TestRunsBesideAnOpenHistoryAreRecorded(t *testing.T) {
	model, dog := tiny(t)
	t.Setenv("XDG_PICTURES_DIR", filepath.Join(t.TempDir(), "pictures"))
	out := t.TempDir()
	generate := func(seed string) (stderr string) {
		t.Helper()
		status, stdout, stderr := command(t, "generate", "--model", model, "--prompt", "a dog", "--subject", "dog="+dog, "--steps", "2", "--stop", "1",
			"--seed", seed, "--out", out)
		if _, err := os.Stat(strings.TrimSpace(stdout)); status != 0 || err != nil {
			t.Fatal(status, stderr, err)
		}
		return stderr
	}
	window, err := openHistory()
	if err != nil {
		t.Fatal(err)
	}
	for _, seed := range []string{"1", "2"} {
		if said := generate(seed); !strings.Contains(said, "this job joins it when the history is opened next") || strings.Count(said, "\n") != 1 {
			t.Error(said)
		}
	}
	status, stderr := blocked(t, "generate", "--model", model, "--prompt", "a dog", "--subject", "dog="+dog, "--steps", "2", "--stop", "1", "--seed", "3")
	instead := regexp.MustCompile(`The picture is in (.*) instead`).FindStringSubmatch(stderr)
	if status != 1 || instead == nil {
		t.Errorf("a picture without a file: status %d, %s", status, stderr)
	}
	if err := window.Close(); err != nil {
		t.Fatal(err)
	}
	if said := generate("4"); said != "" {
		t.Error(said)
	}
	_, list, _ := command(t, "history", "list")
	if n := strings.Count(list, "complete      1  a dog"); n < 3 || strings.Count(list, "\n") != 4 {
		t.Errorf("%d of them are finished:\n%s", n, list)
	}
	_, shown, _ := command(t, "history", "show", "2")
	if !strings.Contains(shown, out) || !strings.Contains(shown, "64x64  seed ") {
		t.Errorf("one of them has no file:\n%s", shown)
	}
}

// TestABatchIsRecorded: the jobs of a batch are one session of the history, which has its file's name, also while a window has the history;
// and an empty history says that it is empty.
func TestABatchIsRecorded(t *testing.T) {
	model, dog := tiny(t)
	file := filepath.Join(filepath.Dir(dog), "animals.jsonl")
	lines := `{"name": "one", "prompt": "a dog", "seed": 1}` + "\n" + `{"name": "two", "prompt": "a cat", "seed": 2}` + "\n"
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(more ...string) (out string) {
		t.Helper()
		out = t.TempDir()
		args := []string{"generate", "--model", model, "--batch", file, "--steps", "2", "--stop", "1", "--out", out}
		if status, _, stderr := command(t, append(args, more...)...); status != 0 {
			t.Fatal(stderr)
		}
		return out
	}
	list := func() string {
		t.Helper()
		status, stdout, stderr := command(t, "history", "list")
		if status != 0 {
			t.Fatal(stderr)
		}
		return stdout + stderr
	}
	const empty = "The history is empty: what realword generate and the window make is recorded there.\n"
	if run("--no-history"); list() != empty {
		t.Errorf("without a history it lists\n%s", list())
	}
	out := run()
	if all := list(); !regexp.MustCompile(`^ +2  session 1 .* complete      1  a cat\n +1  session 1 .* complete      1  a dog\n$`).MatchString(all) {
		t.Errorf("it lists\n%s", all)
	}
	store, err := openHistory()
	if err != nil {
		t.Fatal(err)
	}
	if s, err := store.Session(1); err != nil || s.Name != "animals.jsonl" {
		t.Errorf("the session is %+v, %v", s, err)
	}
	if p, err := store.Picture(2); err != nil || p.File != filepath.Join(out, "two.png") || p.Steps == 0 {
		t.Errorf("its second picture is %+v, %v", p, err)
	}
	run() // the window is open
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if all := list(); strings.Count(all, "session 2 ") != 2 || strings.Count(all, "session 1 ") != 2 {
		t.Errorf("after a batch beside a window it lists\n%s", all)
	}
}
