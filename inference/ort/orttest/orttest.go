// Package orttest opens ONNX Runtime for tests of other packages.
package orttest

import (
	"os"
	"testing"

	"realword/inference/ort"
)

// Open starts the runtime. A test is skipped where the library is missing, and fails there where CI is set.
func Open(t testing.TB, o ort.Options) *ort.Runtime {
	t.Helper()
	rt, err := ort.New(o)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return rt
}

// CPU is the runtime on one thread of the processor.
func CPU(t testing.TB) *ort.Runtime {
	t.Helper()
	return Open(t, ort.Options{Threads: 1})
}
