package bundle_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"realword/inference/bundle"
	"realword/inference/ort"
	"realword/inference/session"
)

const data = "../../assets/golden/data"

func runtimeFor(t testing.TB) session.Runtime {
	t.Helper()
	rt, err := ort.New(ort.Options{Threads: 1})
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return rt
}

// TestNetworksEqualPyTorch imports the tiny checkpoints and compares every network with diffusers, transformers and timm.
func TestNetworksEqualPyTorch(t *testing.T) {
	rt := runtimeFor(t)
	for _, name := range []string{"tiny", "tiny-xl"} {
		t.Run(name, func(t *testing.T) {
			b, err := bundle.Import(context.Background(), filepath.Join(data, name), filepath.Join(t.TempDir(), name), nil)
			if err != nil {
				t.Fatal(err)
			}
			files, err := bundle.Goldens(filepath.Join(data, name+".goldens"))
			if err != nil {
				t.Fatal(err)
			}
			files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, "vision-shallow.safetensors") })
			checks, err := b.Verify(context.Background(), rt, files...)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]int{}
			for _, c := range checks {
				seen[c.Tensor]++
				if t.Log(c); !c.OK() {
					t.Error(c)
				}
			}
			for _, want := range []string{"text.out.encoder_hidden_states", "vision.out.tokens", "unet.out.noise", "decoder.out.picture",
				"guidance-low_cross_high_self.out.scores", "guidance-all_cross.out.scores", "guidance-low_cross.out.cross", "guidance-low_cross_all_self.out.scores"} {
				if seen[want] < 2 {
					t.Errorf("%s was compared %d times only", want, seen[want])
				}
			}
		})
	}
}
