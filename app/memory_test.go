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
	"realword/inference/ram"
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
