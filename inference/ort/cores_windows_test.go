package ort

import (
	"runtime"
	"testing"
)

func TestCoresOfThisMachine(t *testing.T) {
	if n := cores(); n < 1 || n > runtime.NumCPU() {
		t.Errorf("%d cores of %d processors", n, runtime.NumCPU())
	}
}
