package bundle_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"realword/inference/bundle"
	"realword/inference/tensor"
)

// TestBlack keeps the tokens of the black picture and finds them again, but not damaged ones and not another runtime's.
func TestBlack(t *testing.T) {
	b, dir := importTiny(t)
	v := b.Manifest().Vision
	tokens := tensor.Zeros(1, v.Tokens, v.Width)
	for i := range tokens.F32 {
		tokens.F32[i] = float32(i) / 7
	}
	if b.Black("one") != nil {
		t.Fatal("found before it was kept")
	}
	if err := b.KeepBlack("one", tensor.Zeros(1, v.Tokens, v.Width+1)); err == nil {
		t.Error("tokens of another shape are kept")
	}
	if err := b.KeepBlack("one", tokens); err != nil {
		t.Fatal(err)
	}
	again, err := bundle.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := again.Black("one"); got == nil || !slices.Equal(got.F32, tokens.F32) || !slices.Equal(got.Shape, tokens.Shape) {
		t.Error("kept tokens are not found")
	}
	if again.Black("another") != nil {
		t.Error("tokens of another runtime are found")
	}
	if err := again.CheckFiles(t.Context()); err != nil {
		t.Error("they count as damage:", err)
	}
	path := filepath.Join(dir, "black.safetensors")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{3, 40, len(data) - 1} {
		bad := slices.Clone(data)
		bad[at] ^= 1
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if b.Black("one") != nil {
			t.Errorf("found with byte %d changed", at)
		}
	}
	if entries, err := filepath.Glob(filepath.Join(dir, ".partial*")); err != nil || len(entries) > 0 {
		t.Error(entries, err)
	}
}
