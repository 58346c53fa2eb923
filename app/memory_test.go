package main

import (
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"realword/inference"
	"realword/inference/files"
	"realword/inference/memory"
	"realword/inference/ort"
	"realword/inference/ort/orttest"
	"realword/inference/ram"
	"realword/inference/session"
)

// TestMemoryOfTheToybox compares the plan of a picture with what a process really takes for it: one of its own, because what
// other tests have given back is not taken from the system again.
func TestMemoryOfTheToybox(t *testing.T) {
	if os.Getenv("REALWORD_TEST_ALONE") == "" {
		alone := exec.Command(os.Args[0], "-test.run=^TestMemoryOfTheToybox$", "-test.v", "-test.count=1")
		alone.Env = append(os.Environ(), "REALWORD_TEST_ALONE=1")
		out, err := alone.CombinedOutput()
		t.Logf("%s", out)
		if err != nil {
			t.Error(err)
		}
		return
	}
	if ram.Used() == 0 {
		t.Skip("this system does not tell what a process holds")
	}
	if testing.CoverMode() != "" {
		t.Skip("counters take memory, too")
	}
	before := ram.Used()
	e, err := machine{device: "cpu"}.open(t.Context())
	if err != nil {
		if os.Getenv("CI") == "" {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	defer e.Close()
	dog, err := readReference("dog", "../assets/samples/dog.png")
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.Resolve(inference.Request{
		Prompt: "a dog on the beach", Settings: inference.Settings{Steps: 2}, Seeds: []uint64{1},
		Subjects: []inference.Subject{{Word: inference.Word{Text: "dog"}, References: []inference.Reference{dog}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	p, ok := e.Memory(r)
	if !ok {
		t.Fatal("nothing is said about memory on the processor")
	}
	var peak atomic.Int64
	stop := make(chan struct{})
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
				peak.Store(max(peak.Load(), ram.Used()))
			}
		}
	}()
	job, err := e.Start(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	for event := range job.Events() {
		if f, ok := event.(inference.Failed); ok {
			t.Fatal(f.Err)
		}
	}
	close(stop)
	grown := peak.Load() - before
	t.Logf("%s; the run took %s more", p.Line(), files.Bytes(grown))
	if grown > p.Peak*3/2 || grown < p.Peak/4 {
		t.Errorf("planned %s, the run took %s", files.Bytes(p.Peak), files.Bytes(grown))
	}
}

func TestPlanIsPrintedAndNothingMade(t *testing.T) {
	dir := t.TempDir()
	status, out, errs := command(t, "generate", "--plan", "--prompt", "a dog", "--subject", "dog=../assets/samples/dog.png", "--out", dir+"/new", "--device", "cpu")
	if status != 0 {
		t.Skipf("needs ONNX Runtime: %s", errs)
	}
	for _, want := range []string{"fits", "text", "vision", "denoise", "decode", "keys, values", "LoRAs"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if _, err := os.Stat(dir + "/new"); err == nil {
		t.Error("a plan made a folder")
	}
}

// onACard is a runtime that says it computes on a graphics card with so much memory.
type onACard struct {
	*orttest.Runtime
	total int64
}

func (c onACard) Card() (session.Card, bool) { return session.Card{Name: "CUDA", Total: c.total}, true }

// TestMemoryOfACardIsSaid: a picture that may not fit into a card's memory is warned of and made; --plan says what it needs.
func TestMemoryOfACardIsSaid(t *testing.T) {
	library, err := ort.Find("")
	if err != nil {
		if os.Getenv("CI") == "" {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	t.Setenv(ort.EnvLibrary, library)
	was := newRuntime
	t.Cleanup(func() { newRuntime = was })
	var total int64
	newRuntime = func(o ort.Options) (inference.Runtime, error) {
		rt, err := was(o)
		if err != nil {
			return nil, err
		}
		return onACard{rt.(*orttest.Runtime), total}, nil
	}
	home(t)
	generate := func(args ...string) (stdout, stderr string) {
		t.Helper()
		status, stdout, stderr := command(t, append([]string{
			"generate", "--device", "cpu", "--prompt", "a dog", "--size", "64x64", "--steps", "1", "--out", t.TempDir(),
		}, args...)...)
		if status != 0 {
			t.Fatalf("status %d: %s", status, stderr)
		}
		return stdout, stderr
	}
	for _, c := range []struct {
		total       int64
		plan, warns string
	}{
		{64 << 30, "64 × 64 pixels, memory of CUDA: about 1.1 GB of 68.7 GB: fits\n", ""},
		{1 << 30, "of 1.1 GB: may not fit\n", "of 1.1 GB: may not fit; where it runs out, the CPU goes on, and --device cpu begins there\n"},
		{0, "about 1.1 GB, and how much the card has is not known\n", ""},
	} {
		total = c.total
		if stdout, _ := generate("--plan"); !strings.Contains(stdout, c.plan) || !strings.Contains(stdout, "is an estimate") || !strings.Contains(stdout, "driver") {
			t.Errorf("of %d bytes --plan says\n%s", c.total, stdout)
		}
		stdout, stderr := generate()
		if !strings.Contains(stdout, ".png") || !strings.Contains(stderr, c.warns) || c.warns == "" && strings.Contains(stderr, "memory of") {
			t.Errorf("on a card of %d bytes: %s\n%s", c.total, stdout, stderr)
		}
	}
}

// A plan that is of another way to compute than the device that was chosen says so.
func TestPlanWithoutADevice(t *testing.T) {
	var with, without strings.Builder
	sayWithout(&with, memory.Plan{})
	sayWithout(&without, memory.Plan{Without: "OpenVINO"})
	if with.Len() > 0 || !strings.Contains(without.String(), "not enough memory for this model on OpenVINO") {
		t.Errorf("%q, %q", with.String(), without.String())
	}
}
