package inference_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/ort"
)

// TestLoopEqualsPyTorch runs the golden generations, 25 steps each, through imported bundles: one subject with early stop, two
// subjects without, and the release preset. Masks and latents are compared at every step.
func TestLoopEqualsPyTorch(t *testing.T) {
	rt, err := ort.New(ort.Options{Threads: 1})
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	data := filepath.Join("..", "assets", "golden", "data")
	loops := 0
	for _, name := range []string{"tiny", "tiny-xl"} {
		b, err := bundle.Import(context.Background(), filepath.Join(data, name), filepath.Join(t.TempDir(), name), nil)
		if err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(data, name+".goldens", "loop-*.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			loops++
			t.Run(filepath.Base(file), func(t *testing.T) {
				checks, err := inference.VerifyLoop(context.Background(), rt, b, file)
				if err != nil {
					t.Fatal(err)
				}
				masks, worst := 0, bundle.Check{}
				for _, c := range checks {
					if strings.HasPrefix(c.Tensor, "loop.out.mask.") {
						masks++
					} else if c.RelL2 >= worst.RelL2 {
						worst = c
					}
					if !c.OK() {
						t.Error(c)
					}
				}
				if masks < 12 || len(checks) < masks+27 {
					t.Errorf("only %d masks among %d comparisons", masks, len(checks))
				}
				t.Logf("%d masks; worst: %v", masks, worst)
			})
		}
	}
	if loops < 3 {
		t.Errorf("only %d golden loops", loops)
	}
}
