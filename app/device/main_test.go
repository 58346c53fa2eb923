package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"realword/inference/ort"
)

func TestTableOfTheCPU(t *testing.T) {
	if _, err := ort.Find(""); err != nil && os.Getenv("CI") == "" {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	var out, report bytes.Buffer
	o := options{models: []string{"toybox"}, parts: []string{"table"}, repeats: 1, threads: 1, cpuAlone: true, reportOut: &report}
	cards, ok, err := check(t.Context(), &out, o)
	if err != nil || !ok || cards != 0 {
		t.Fatalf("%d cards, %v\n%s", cards, err, out.String())
	}
	for _, want := range []string{"NVIDIA driver", "toybox     generation branch", "toybox     guidance branch", "customized / plain", " CPU "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
	if !strings.Contains(report.String(), `"stage":"guidance branch"`) {
		t.Errorf("the report lacks a pass:\n%s", report.String())
	}
	out.Reset()
	o.parts, o.exact = []string{"unet"}, true
	if _, ok, err := check(t.Context(), &out, o); err != nil || !ok {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, pass := range []string{"plain", "generation", "generation, two subjects", "guidance"} {
		if !regexp.MustCompile(`(?m)^toybox     ` + pass + ` .*, off by 0\.0e\+00$`).MatchString(out.String()) {
			t.Errorf("the table lacks the pass %q, or the CPU is not equal to itself:\n%s", pass, out.String())
		}
	}
	o.models = []string{t.TempDir()}
	if _, _, err := check(t.Context(), &out, o); err == nil {
		t.Error("an empty folder was taken for a model")
	}
	o.models, o.parts = []string{"toybox"}, []string{"chart"}
	if _, _, err := check(t.Context(), &out, o); err == nil {
		t.Error("a part that does not exist was taken for one")
	}
}

// No card is a failure unless it is said to be none, and nothing is measured for it.
func TestNoCardIsAFailure(t *testing.T) {
	if _, err := ort.Find(""); err != nil && os.Getenv("CI") == "" {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	t.Setenv(ort.EnvCUDA, t.TempDir())
	if rt, err := ort.New(ort.Options{Device: "cuda"}); err == nil {
		t.Skipf("there is a card: %v", rt.Describe())
	}
	ended, end := context.WithCancel(t.Context()) // in which no model can be made
	end()
	err := run(ended, options{models: []string{"full"}, parts: []string{"table"}, reportOut: io.Discard}, "")
	if err == nil || !strings.Contains(err.Error(), "no graphics card was tested") {
		t.Errorf("%v", err)
	}
}
