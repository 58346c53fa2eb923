package checkpoint

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const goldenFolder = "../../assets/golden/data/checkpoints"

// TestSharedGoldens reads what torch.save wrote for assets/golden and compares it with the safetensors file beside it.
func TestSharedGoldens(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(goldenFolder, "*.pt"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no goldens in %s: %v", goldenFolder, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			want, err := Open(strings.TrimSuffix(path, ".pt") + ".safetensors")
			if err != nil {
				t.Fatal(err)
			}
			defer want.Close()
			var dtypes map[string]string
			if err := json.Unmarshal([]byte(want.Metadata()["dtypes"]), &dtypes); err != nil {
				t.Fatal(err)
			}
			got, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer got.Close()
			if len(got.Entries()) != len(want.Entries()) {
				t.Errorf("%d tensors %v, want %d", len(got.Entries()), got.Entries(), len(want.Entries()))
			}
			for _, e := range want.Entries() {
				if stored, ok := got.Lookup(e.Name); !ok || stored.DType.String() != dtypes[e.Name] {
					t.Errorf("%s: found %v (%v), want %s", e.Name, stored, ok, dtypes[e.Name])
					continue
				}
				w, err := want.Read(e.Name)
				if err != nil {
					t.Fatal(err)
				}
				g, err := got.Read(e.Name)
				if err != nil {
					t.Errorf("%s: %v", e.Name, err)
					continue
				}
				if !slices.Equal(g.Shape, w.Shape) || !slices.Equal(g.F32, w.F32) || !slices.Equal(g.I64, w.I64) {
					t.Errorf("%s: %+v, want %+v", e.Name, g, w)
				}
			}
		})
	}
}

// TestSharedGoldensAreRefused opens files that are each wrong in one thing.
func TestSharedGoldensAreRefused(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(goldenFolder, "refuse", "refuse.json"))
	if err != nil {
		t.Fatal(err)
	}
	var why map[string]string
	if err := json.Unmarshal(raw, &why); err != nil {
		t.Fatal(err)
	}
	for name, reason := range why {
		t.Run(name, func(t *testing.T) {
			f, err := Open(filepath.Join(goldenFolder, "refuse", name))
			if err == nil {
				f.Close()
				t.Fatalf("it was opened, although: %s", reason)
			}
			_, isFormat := errors.AsType[*FormatError](err)
			_, isUnsupported := errors.AsType[*UnsupportedError](err)
			if !isFormat && !isUnsupported {
				t.Errorf("neither a FormatError nor an UnsupportedError: %v", err)
			}
		})
	}
}

// TestMixedSafetensors reads one file with every kind of element that checkpoints mix.
func TestMixedSafetensors(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(goldenFolder, "mixed.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]struct {
		DType  string
		Shape  []int
		Values []float32
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	f, err := Open(filepath.Join(goldenFolder, "mixed.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if len(f.Entries()) != len(want) {
		t.Errorf("entries %v, want %d", f.Entries(), len(want))
	}
	for name, w := range want {
		got, err := f.Read(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if e, _ := f.Lookup(name); e.DType.String() != w.DType || !slices.Equal(got.Shape, w.Shape) || !slices.Equal(floats(got), w.Values) {
			t.Errorf("%s: %v %+v, want %+v", name, e.DType, got, w)
		}
	}
}
