package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/inference/files"
	"realword/inference/ort"
	"realword/inference/ort/orttest"
)

const (
	programVariable = "REALWORD_TEST_PROGRAM" // set: the test binary is the program
	killsVariable   = "REALWORD_KILLS"        // how many kills TestKill does, 4 if unset
)

func TestMain(m *testing.M) {
	if os.Getenv(programVariable) == "main" { // with its signals
		main()
	}
	if os.Getenv(programVariable) != "" {
		notSIGPIPE()
		os.Exit(execute(context.Background(), os.Args[1:], standardOutput(), os.Stderr))
	}
	newRuntime = func(o ort.Options) (inference.Runtime, error) { // the commands of this process open no graph twice
		rt, err := ort.New(o)
		if err != nil || o.Device != "cpu" {
			return rt, err
		}
		o.Cache = ort.Cache{} // of another home for every test
		return orttest.Share(rt, o), nil
	}
	status := m.Run()
	_ = os.RemoveAll(tinyModel.dir)
	_ = os.RemoveAll(builds.dir)
	os.Exit(status)
}

// killing is a history that programs are killed over.
type killing struct {
	*testing.T
	random                             *rand.Rand
	program, model, dog, archive, root string
	window                             bool // there is a display to kill a window on
	kills, ahead, lost, early          int
	slowest                            time.Duration // from the start of a run to its end
}

// start begins the program.
func (k *killing) start(args ...string) (*exec.Cmd, *bufio.Scanner) {
	k.Helper()
	cmd := exec.Command(k.program, args...)
	cmd.Env = append(os.Environ(), programVariable+"=1", "XDG_PICTURES_DIR="+filepath.Join(k.root, "pictures"), "LIBGL_ALWAYS_SOFTWARE=1", "WAYLAND_DISPLAY=")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		k.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

func (k *killing) open() *history.Store {
	k.Helper()
	s, err := openHistory()
	if err != nil {
		k.Fatalf("kill %d: the history does not open: %v", k.kills, err)
	}
	if err := readable(s); err != nil {
		k.Fatalf("kill %d: %v", k.kills, err)
	}
	return s
}

// readable reads all that a history says it has.
func readable(s *history.Store) error {
	rounds, err := s.Rounds()
	for _, r := range rounds {
		for _, ref := range r.References {
			_, e := s.ReferenceData(ref.SHA256)
			err = errors.Join(err, e)
		}
		for _, p := range r.Pictures {
			steps, e := s.Steps(p.ID)
			if err = errors.Join(err, e); len(steps) != p.Steps {
				err = errors.Join(err, fmt.Errorf("picture %d has %d steps, says %d", p.ID, len(steps), p.Steps))
			}
			for _, i := range steps {
				_, e := s.Step(p.ID, i, true)
				err = errors.Join(err, e)
			}
		}
	}
	return err
}

func (k *killing) rounds() []history.Round {
	s := k.open()
	defer s.Close()
	rounds, err := s.Rounds()
	if err != nil {
		k.Fatal(err)
	}
	return rounds
}

// run kills a generation somewhere between its first sign of life and its end. Beside, another process has the history meanwhile.
func (k *killing) run(beside bool) {
	before := len(k.rounds())
	closed := func() {}
	if beside {
		s := k.open()
		closed = func() { s.Close() }
	}
	cmd, lines := k.start("generate", "--model", k.model, "--prompt", "a dog on the beach", "--subject", "dog="+k.dog,
		"--steps", "12", "--stop", "6", "--seed", strconv.Itoa(k.random.IntN(1000)), "--out", filepath.Join(k.root, "out"), "--events")
	steps, pictures, last := 0, 0, false
	at := 1 + k.random.IntN(50) // lines: there are about fifty
	for n := 0; lines.Scan(); n++ {
		var e struct{ Event string }
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			k.Fatal(err)
		}
		switch e.Event {
		case "step":
			steps++
		case "picture":
			pictures++
		case "done":
			last = true
		}
		if n == at {
			time.AfterFunc(time.Duration(k.random.IntN(20_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		}
	}
	_ = cmd.Wait()
	closed()
	rounds := k.rounds()
	if len(rounds) == before { // before its round was begun
		if steps > 1 {
			k.Fatalf("kill %d: %d steps were seen, and there is no round", k.kills, steps)
		}
		k.early++
		return
	}
	r := rounds[0]
	kept, whole := 0, 0
	for _, p := range r.Pictures {
		kept += p.Steps
		if p.File != "" {
			whole++
		}
	}
	switch {
	case kept < steps-1 || kept > steps+1:
		k.Errorf("kill %d: %d steps were seen, %d are kept", k.kills, steps, kept)
	case kept < steps:
		k.lost++
	case kept > steps:
		k.ahead++
	}
	if pictures > 0 && last && whole != pictures {
		k.Errorf("kill %d: %d pictures were done, %d are kept", k.kills, pictures, whole)
	}
}

// load kills an import: all of it is there, or nothing.
func (k *killing) load() {
	s := k.open()
	before, err := s.Sessions()
	s.Close()
	if err != nil {
		k.Fatal(err)
	}
	cmd, _ := k.start("history", "import", k.archive)
	time.AfterFunc(time.Duration(k.random.Int64N(int64(k.slowest))), func() { _ = cmd.Process.Kill() })
	started := time.Now()
	if cmd.Wait() == nil {
		k.slowest = time.Since(started)
		k.early++
	}
	s = k.open()
	defer s.Close()
	after, err := s.Sessions()
	if err != nil {
		k.Fatal(err)
	}
	if len(after) == len(before) {
		return
	}
	if rounds, err := s.SessionRounds(after[0].ID); err != nil || len(rounds) != 1 || len(rounds[0].Pictures) != 2 || rounds[0].Pictures[0].Steps != 12 {
		k.Errorf("kill %d: half of an import: %+v, %v", k.kills, rounds, err)
	}
	// gone for good, so that the next import has something to do
	if err := s.Trash(time.Now(), history.Item{Kind: history.SessionItem, ID: after[0].ID}); err != nil {
		k.Fatal(err)
	}
	if _, err := s.Empty(time.Now().Add(time.Hour)); err != nil {
		k.Fatal(err)
	}
}

// edit kills the window while somebody types and generates.
func (k *killing) edit() {
	cmd, _ := k.start("--model", k.model)
	limit := time.Now().Add(time.Duration(2+k.random.IntN(5)) * time.Second)
	for time.Now().Before(limit) {
		x := exec.Command("xdotool", "search", "--onlyvisible", "--pid", strconv.Itoa(cmd.Process.Pid))
		out, err := x.Output()
		if window, _, _ := strings.Cut(string(out), "\n"); err == nil && window != "" {
			words := strings.Fields("a dog on the beach a cat in the rain a horse")
			_ = exec.Command("xdotool", "windowfocus", window, "mousemove", "--window", window, "590", "110", "sleep", "0.1", "mousemove", "--window", window,
				"600", "112", "sleep", "0.1", "click", "1", "sleep", "0.1", "key", "ctrl+a", "type", "--delay", "15", words[k.random.IntN(len(words))]+" on the beach").Run()
			_ = exec.Command("xdotool", "key", "ctrl+Return", "sleep", "0.5").Run()
		}
		time.Sleep(50 * time.Millisecond)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	k.open().Close()
}

// noEmptyFiles looks at every finished file.
func (k *killing) noEmptyFiles() {
	k.Helper()
	err := filepath.WalkDir(k.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".realword-") ||
			d.Name() == "history.lock" || !strings.Contains(path, "history") && filepath.Ext(path) != ".png" {
			return err
		}
		if info, err := d.Info(); err != nil || info.Size() == 0 {
			k.Errorf("kill %d: %s is empty, %v", k.kills, path, err)
		}
		return nil
	})
	if err != nil {
		k.Fatal(err)
	}
}

// The program is killed during runs, imports and, where there is a display (`make kill` has one), edits in its window. Every time
// the history opens and fits together, no file is empty, and at most the running step is lost.
func TestKill(t *testing.T) {
	model, dog := tiny(t)
	kills := 4
	if n, err := strconv.Atoi(os.Getenv(killsVariable)); err == nil {
		kills = n
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	k := &killing{T: t, random: rand.New(rand.NewPCG(5, uint64(kills))), program: program, model: model, dog: dog, root: filepath.Dir(dog), slowest: time.Second}
	if _, err := exec.LookPath("xdotool"); err == nil && os.Getenv("DISPLAY") != "" && os.Getenv(killsVariable) != "" {
		k.window = true
	}
	k.makeArchive()
	kinds := map[string]int{}
	for k.kills = range kills {
		switch {
		case k.window && k.kills%4 == 3:
			kinds["edits in the window"]++
			k.edit()
		case k.kills%4 == 1:
			kinds["imports"]++
			k.load()
		case k.kills%4 == 2:
			kinds["runs beside an open history"]++
			k.run(true)
		default:
			kinds["runs"]++
			k.run(false)
		}
		k.noEmptyFiles()
		if k.kills%10 == 9 {
			t.Logf("%d kills", k.kills+1)
		}
	}
	t.Logf("%d kills %v: the history opened every time, no file was empty; the running step was lost %d times, kept and not yet told %d times; %d kills came before there was a round or after the import was done",
		kills, kinds, k.lost, k.ahead, k.early)
}

// makeArchive exports a session with step data from a history of its own.
func (k *killing) makeArchive() {
	dir := k.TempDir()
	s, err := history.Open(filepath.Join(dir, "history.db"))
	if err != nil {
		k.Fatal(err)
	}
	defer s.Close()
	request := inference.Request{Prompt: "a dog", Seeds: []uint64{1, 2}, Settings: inference.Settings{Stop: 6, Steps: 12}}
	plan, err := journal.PlanOf(s, 0, request, "tiny")
	if err != nil {
		k.Fatal(err)
	}
	round, err := s.BeginRound(plan, time.Now())
	if err != nil {
		k.Fatal(err)
	}
	for _, seed := range request.Seeds {
		id, err := s.StartPicture(round, seed)
		for i := range 12 {
			if err == nil {
				err = s.AddStep(id, history.Step{Index: i, Clean: []float32{float32(i), float32(seed)}, State: bytes.Repeat([]byte{byte(i), byte(seed)}, 40_000)})
			}
		}
		if err == nil {
			png := append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte{byte(seed)}, 100_000)...)
			file := filepath.Join(dir, fmt.Sprintf("dog-%d.png", seed))
			err = errors.Join(os.WriteFile(file, png, 0o600), s.FinishPicture(id, history.Picture{File: file, SHA256: files.Sum(png)}))
		}
		if err != nil {
			k.Fatal(err)
		}
	}
	r, err := s.Round(round)
	if err != nil {
		k.Fatal(err)
	}
	k.archive = filepath.Join(dir, "session.zip")
	if missing, err := s.ExportFile(k.Context(), r.Session, k.archive); err != nil || len(missing) > 0 {
		k.Fatal(fmt.Sprint(missing), err)
	}
}
