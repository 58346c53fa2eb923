package main

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"realword/assets"
	"realword/inference/ort"
)

// tinyModel is where the model of tiny lies, once it is needed.
var tinyModel struct {
	once sync.Once
	dir  string
}

// tiny is a model with random weights, and a picture in a home of its own. It skips the test where the library is absent, except in CI.
func tiny(t *testing.T) (model, dog string) {
	t.Helper()
	library, err := ort.Find("")
	if err != nil && os.Getenv("CI") == "" {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	dir := home(t) // hides the user's cache, in which the library may be
	t.Setenv(ort.EnvLibrary, library)
	tinyModel.once.Do(func() {
		if tinyModel.dir, err = os.MkdirTemp("", "realword"); err != nil {
			t.Fatal(err)
		}
		if status, _, stderr := command(t, "model", "import", "../assets/golden/data/tiny", "--out", filepath.Join(tinyModel.dir, "tiny")); status != 0 {
			t.Fatalf("model import: %s", stderr)
		}
	})
	dog = filepath.Join(dir, "dog.png")
	if err := os.WriteFile(dog, assets.Samples()[0].Data, 0o600); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(tinyModel.dir, "tiny"), dog
}
