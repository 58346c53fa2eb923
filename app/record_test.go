package main

import (
	"bytes"
	"errors"
	"image"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"realword/assets"
	"realword/history"
	"realword/inference"
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

// While a window has the history, commands read it as it is at that moment, and what they bring waits for it.
func TestHistoryBesideAWindow(t *testing.T) {
	home(t)
	t.Setenv("XDG_PICTURES_DIR", t.TempDir())
	dir := t.TempDir()
	window, err := openHistory()
	if err != nil {
		t.Fatal(err)
	}
	round, err1 := window.BeginRound(history.Plan{Recipe: []byte(`{"prompt":"a dog"}`)}, time.Now())
	first, err2 := window.StartPicture(round, 1)
	err3 := window.KeepPixels(first, history.Picture{Width: 64, Height: 64}, assets.Samples()[0].Data)
	if err := errors.Join(err1, err2, err3, window.End(round, history.Complete, nil, time.Now())); err != nil {
		t.Fatal(err)
	}
	run := func(want string, args ...string) (stderr string) {
		t.Helper()
		status, stdout, stderr := command(t, append([]string{"history"}, args...)...)
		if status != 0 || !strings.Contains(stdout, want) {
			t.Errorf("%v: %d, %s%s", args, status, stdout, stderr)
		}
		return stderr
	}
	run("complete      1  a dog", "list")
	run("not saved yet  64x64  seed 1", "show", "1")
	run("", "export", "1", filepath.Join(dir, "session.zip"))
	if said := run("", "save", "1", filepath.Join(dir, "dog.png")); !strings.Contains(said, "for that one the picture has no file yet") {
		t.Error(said)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "dog.png")); err != nil || !bytes.Equal(data, assets.Samples()[0].Data) {
		t.Errorf("%d bytes are saved, %v", len(data), err)
	}
	demo := filepath.Join(dir, "demo.zip")
	if err := os.WriteFile(demo, assets.Demo, 0o600); err != nil {
		t.Fatal(err)
	}
	if said := run(" jobs, ", "import", demo); !strings.Contains(said, "joins it when it is opened next") {
		t.Error(said)
	}
	if said := run("complete      1  a dog", "list"); !strings.Contains(said, "more jobs join it") && !strings.Contains(said, "one more job joins it") {
		t.Error(said)
	}
	if status, _, stderr := command(t, "history", "rescue"); status != 1 || !strings.Contains(stderr, "another Realword has the history") {
		t.Errorf("rescue: %d, %s", status, stderr)
	}
	if err := window.Close(); err != nil {
		t.Fatal(err)
	}
	run("session 2 ", "list")
}

// TestStepsWithoutRoom: a history whose disk has no room for steps still knows the picture, which is on another one.
func TestStepsWithoutRoom(t *testing.T) {
	home(t)
	var stderr bytes.Buffer
	log := newRecorder(false, true, &stderr)
	path, err := history.DefaultPath()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "history.blobs"), nil, 0o600); err != nil { // no folder for large files
		t.Fatal(err)
	}
	r := inference.Request{Prompt: "a dog", Seeds: []uint64{7}}
	r.Steps, r.Stop, r.Width, r.Height = 3, 3, 64, 64
	ready := inference.PictureReady{Image: image.NewNRGBA(image.Rect(0, 0, 64, 64)), Seed: 7, Recipe: r}
	clean := make([]float32, 64<<10)
	for i := range clean {
		clean[i] = float32(i)
	}
	log.begin(r, "tiny")
	log.event(inference.StageStarted{Stage: inference.StageDenoise})
	for i := range 3 {
		log.event(inference.StepDone{Step: i, Steps: 3, Clean: clean})
	}
	log.event(ready)
	log.saved(ready, filepath.Join("other disk", "dog.png"))
	log.event(inference.Done{Pictures: 1})
	log.close()
	if text := stderr.String(); strings.Count(text, "note: ") != 1 || strings.Contains(text, "Nothing more") {
		t.Errorf("it is said:\n%s", text)
	}
	s, err := openHistory()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rounds, err := s.Rounds()
	if err != nil || len(rounds) != 1 || rounds[0].Status != history.Complete || filepath.Base(rounds[0].Pictures[0].File) != "dog.png" {
		t.Errorf("%+v, %v", rounds, err)
	}
}

// meanwhile is called when the first bytes are written.
type meanwhile struct{ do func() }

func (m *meanwhile) Write(p []byte) (int, error) {
	if do := m.do; do != nil {
		m.do = nil
		do()
	}
	return len(p), nil
}

// TestAWindowBesideACommand: a window that is opened while a command makes one picture, which may take minutes, or several, or a grid, has the
// history; what the command makes joins it.
func TestAWindowBesideACommand(t *testing.T) {
	model, dog := tiny(t)
	for pictures, args := range map[string][]string{
		"1": {"--events"}, "2": {"--count", "2"}, "2, a grid": {"--grid", "cfg=2,3"},
	} {
		home(t)
		opened := errors.New("nothing was made")
		out := &meanwhile{do: func() {
			var window *history.Store
			if window, opened = openHistory(); opened == nil {
				opened = window.Close()
			}
		}}
		var stderr bytes.Buffer
		args = append([]string{
			"generate", "--model", model, "--prompt", "a dog", "--subject", "dog=" + dog, "--steps", "2", "--seed", "5",
			"--out", t.TempDir(),
		}, args...)
		if status := execute(t.Context(), args, out, &stderr); status != 0 || opened != nil {
			t.Errorf("%s: status %d, the window's history: %v\n%s", pictures, status, opened, stderr.String())
		}
		if _, list, _ := command(t, "history", "list"); !strings.Contains(list, "complete      "+pictures[:1]+"  a dog") {
			t.Errorf("%s: afterwards it lists\n%s", pictures, list)
		}
	}
}
