package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"realword/history"
)

// blocked runs a generation whose output folder turns into a file meanwhile.
func blocked(t *testing.T, args ...string) (status int, stderr string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	var said bytes.Buffer
	status = execute(t.Context(), append(args, "--events", "--out", out), writerFunc(func(b []byte) {
		if bytes.Contains(b, []byte(`"step"`)) {
			_ = os.RemoveAll(out)
			_ = os.WriteFile(out, nil, 0o600)
		}
	}), &said)
	return status, said.String()
}

func TestPictureWithoutAFileIsNotLost(t *testing.T) {
	model, dog := tiny(t)
	t.Setenv("XDG_PICTURES_DIR", filepath.Join(t.TempDir(), "pictures"))
	args := []string{"generate", "--model", model, "--prompt", "a dog", "--subject", "dog=" + dog, "--steps", "2", "--stop", "1", "--seed", "5"}
	out := t.TempDir()
	status, stdout, stderr := command(t, append(args, "--no-history", "--out", out)...)
	want, err := os.ReadFile(strings.TrimSpace(stdout))
	if status != 0 || err != nil {
		t.Fatal(status, stderr, err)
	}

	status, stderr = blocked(t, args...)
	instead := regexp.MustCompile(`The picture is in (.*) instead`).FindStringSubmatch(stderr)
	if status != 1 || instead == nil {
		t.Fatalf("status %d, %s", status, stderr)
	}
	if got, err := os.ReadFile(instead[1]); err != nil || !bytes.Equal(got, want) {
		t.Errorf("other bytes are there, %v", err)
	}
	if _, stdout, _ = command(t, "history", "show", "1"); !strings.Contains(stdout, instead[1]+"  64x64  seed 5") {
		t.Errorf("show:\n%s", stdout)
	}

	// No folder takes it.
	home(t)
	t.Setenv("XDG_PICTURES_DIR", filepath.Join(dog, "pictures"))
	temporary := os.Getenv("TMPDIR")
	t.Setenv("TMPDIR", filepath.Join(out, "none"))
	status, stderr = blocked(t, args...)
	if status != 1 || !strings.Contains(stderr, "The picture is kept in the history: `realword history list` shows its job") {
		t.Fatalf("status %d, %s", status, stderr)
	}
	t.Setenv("TMPDIR", temporary)
	if _, stdout, _ = command(t, "history", "list"); !regexp.MustCompile(`(complete|failed) +1  a dog\n`).MatchString(stdout) {
		t.Errorf("list:\n%s", stdout)
	}
	if _, stdout, _ = command(t, "history", "show", "1"); !strings.Contains(stdout, "not saved yet  64x64  seed 5: `realword history save 1 FILE` writes it") {
		t.Errorf("show:\n%s", stdout)
	}
	file := filepath.Join(out, "kept")
	if status, _, stderr := command(t, "history", "save", "1", file+".jpg"); status != 2 || !strings.Contains(stderr, "is saved as a PNG: give a name that ends in .png") {
		t.Errorf("as a JPEG: %d %s", status, stderr)
	}
	if status, _, stderr := command(t, "history", "save", "1", file); status != 0 {
		t.Errorf("save: %s", stderr)
	}
	if got, err := os.ReadFile(file + ".png"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("other bytes came back, %v", err)
	}
	if _, stdout, _ = command(t, "history", "show", "1"); !strings.Contains(stdout, file+".png  64x64  seed 5") {
		t.Errorf("show:\n%s", stdout)
	}
	if status, _, stderr := command(t, "history", "save", "1", file+"2"); status != 1 || !strings.Contains(stderr, "already in a file: "+file) {
		t.Errorf("twice: %d %s", status, stderr)
	}
}

func TestHistoryTellsWhatIsFinished(t *testing.T) {
	home(t)
	t.Setenv("XDG_PICTURES_DIR", t.TempDir())
	s, err := openHistory()
	if err != nil {
		t.Fatal(err)
	}
	round, err1 := s.BeginRound(history.Plan{Recipe: []byte(`{"prompt":"a dog\n\u001b[31mon the beach"}`)}, time.Now())
	first, err2 := s.StartPicture(round, 1)
	err3 := s.FinishPicture(first, history.Picture{File: "dog.png", Width: 64, Height: 64})
	second, err4 := s.StartPicture(round, 2)
	err5 := s.AddStep(second, history.Step{Index: 0})
	if err := errors.Join(err1, err2, err3, err4, err5, s.Close()); err != nil {
		t.Fatal(err)
	}
	if _, stdout, _ := command(t, "history", "list"); !strings.HasSuffix(stdout, "  1  a dog �[31mon the beach\n") {
		t.Errorf("%q", stdout)
	}
	_, stdout, _ := command(t, "history", "show", "1")
	if !strings.Contains(stdout, "not finished, 1 step  seed 2\n") || strings.Contains(stdout, "0x0") || strings.Contains(stdout, "\x1b") {
		t.Errorf("%q", stdout)
	}
}

func TestRescueCommand(t *testing.T) {
	home(t)
	t.Setenv("XDG_PICTURES_DIR", t.TempDir())
	s, err := openHistory()
	if err != nil {
		t.Fatal(err)
	}
	_, err = bringExample(s)
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := command(t, "history", "rescue"); status != 1 || !strings.Contains(stderr, "is not damaged") {
		t.Errorf("a sound one: %d %s", status, stderr)
	}
	path, err := history.DefaultPath()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(data, []byte(`"Example"`))
	data[at+1] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	status, _, stderr := command(t, "history", "list")
	if status != 1 || !strings.Contains(stderr, "of session 1 are") || !strings.Contains(stderr, "realword history rescue") {
		t.Errorf("a damaged one: %d %s", status, stderr)
	}
	status, stdout, stderr := command(t, "history", "rescue")
	if status != 0 || !strings.Contains(stdout, "sessions 1, jobs 1, pictures 1, queued jobs 0; unreadable: 1") {
		t.Errorf("%d %s%s", status, stdout, stderr)
	}
	_, aside, _ := strings.Cut(strings.TrimSpace(stdout), "stays as it is: ")
	status, stdout, stderr = command(t, "history", "rescue", aside)
	if status != 0 || !strings.Contains(stdout, "sessions 0, jobs 0, pictures 0, queued jobs 0; unreadable: 1\nWhat can be read of it is in the history already.\n") {
		t.Errorf("once more: %d %s%s", status, stdout, stderr)
	}
	for name, data := range map[string]string{"nix.db": "", "text.db": strings.Repeat("no history\n", 2000), "sqlite.db": "SQLite format 3\x00" + strings.Repeat("\x00", 8192)} {
		file := filepath.Join(t.TempDir(), name)
		if data != "" {
			if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		status, stdout, stderr := command(t, "history", "rescue", file)
		if status != 1 || stdout != "" || !strings.Contains(stderr, "no Realword history") || strings.Count(stderr, file) != 1 {
			t.Errorf("%s: %d %q %s", name, status, stdout, stderr)
		}
	}
	if status, stdout, _ = command(t, "history", "show", "1"); status != 0 || !strings.Contains(stdout, "a mushroom in a flower meadow") {
		t.Errorf("%d %s", status, stdout)
	}
}
