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
