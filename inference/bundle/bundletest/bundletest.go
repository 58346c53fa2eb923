// Package bundletest has models for tests of other packages: the golden checkpoints, and the model inside the program.
//
// Contract: only tests import it. A model is made once for all tests of a package, which only read it; a test that changes one imports its
// own. Such a package's TestMain calls Main, which takes the models away again.
package bundletest

import (
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"realword/assets"
	"realword/inference/bundle"
)

var made = struct {
	sync.Mutex
	dir    string // "": Main does not run
	models map[string]*bundle.Bundle
}{models: map[string]*bundle.Bundle{}}

// Main runs the tests of a package.
func Main(m *testing.M) {
	dir, err := os.MkdirTemp("", "realword-models")
	if err != nil {
		panic(err)
	}
	made.dir = dir
	status := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// Golden is the golden checkpoint of that name, imported.
func Golden(t testing.TB, name string) *bundle.Bundle {
	t.Helper()
	return model(t, name, func(dir string) (*bundle.Bundle, error) {
		_, here, _, _ := runtime.Caller(0)
		src := filepath.Join(filepath.Dir(here), "..", "..", "..", "assets", "golden", "data", name)
		return bundle.Import(t.Context(), src, dir, nil)
	})
}

// Embedded is the model inside the program.
func Embedded(t testing.TB) *bundle.Bundle {
	t.Helper()
	return model(t, "embedded", func(dir string) (*bundle.Bundle, error) { return bundle.Extract(assets.Model(), dir) })
}

func model(t testing.TB, name string, make func(dir string) (*bundle.Bundle, error)) *bundle.Bundle {
	t.Helper()
	made.Lock()
	defer made.Unlock()
	if made.dir == "" {
		t.Fatal("TestMain has to call bundletest.Main")
	}
	if b := made.models[name]; b != nil {
		return b
	}
	b, err := make(filepath.Join(made.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	made.models[name] = b
	return b
}
