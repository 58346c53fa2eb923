package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"realword/inference/ort"
)

func TestTableOfTheCPU(t *testing.T) {
	if _, err := ort.Find(""); err != nil && os.Getenv("CI") == "" {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	var out bytes.Buffer
	ok, err := check(t.Context(), &out, []string{"toybox"}, 1, 1)
	if err != nil || !ok {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"NVIDIA driver", "toybox     generation branch", "toybox     guidance branch", "customized / plain", " CPU "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
	if _, err := check(t.Context(), &out, []string{t.TempDir()}, 1, 1); err == nil {
		t.Error("an empty folder was taken for a model")
	}
}
