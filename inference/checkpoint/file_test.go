package checkpoint

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"realword/inference/tensor"
)

// TestGoldens reads the files that testdata/make.py made with PyTorch.
func TestGoldens(t *testing.T) {
	raw, err := os.ReadFile("testdata/expect.json")
	if err != nil {
		t.Fatal(err)
	}
	var files map[string]map[string][3]json.RawMessage
	if err := json.Unmarshal(raw, &files); err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		t.Run(name, func(t *testing.T) {
			f, err := Open(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if len(f.Entries()) != len(want) || !slices.IsSortedFunc(f.Entries(), func(a, b Entry) int { return compareNames(a, b) }) {
				t.Errorf("entries %v", f.Entries())
			}
			for key, w := range want {
				var dtype string
				var shape []int
				var values []float32
				if err := errors.Join(json.Unmarshal(w[0], &dtype), json.Unmarshal(w[1], &shape), json.Unmarshal(w[2], &values)); err != nil {
					t.Fatal(err)
				}
				e, ok := f.Lookup(key)
				if !ok || e.DType.String() != dtype || !slices.Equal(e.Shape, shape) {
					t.Errorf("%s: found %v (%v), want %s %v", key, e, ok, dtype, shape)
					continue
				}
				got, err := f.Read(key)
				if err != nil {
					t.Errorf("%s: %v", key, err)
					continue
				}
				if e.DType.Float() != (got.DType == tensor.F32) {
					t.Errorf("%s: %v was read as %v", key, e.DType, got.DType)
				}
				if v := floats(got); !slices.Equal(v, values) || !slices.Equal(got.Shape, shape) {
					t.Errorf("%s: %v %v, want %v %v", key, got.Shape, v, shape, values)
				}
				atLocation(t, f, key, got)
			}
		})
	}
}

func compareNames(a, b Entry) int {
	if a.Name < b.Name {
		return -1
	}
	return 1
}

func floats(t *tensor.Tensor) []float32 {
	out := slices.Clone(t.F32)
	for _, v := range t.I64 {
		out = append(out, float32(v))
	}
	return out
}

// atLocation checks that the bytes at a dense tensor's location are the tensor.
func atLocation(t *testing.T, f *File, key string, want *tensor.Tensor) {
	t.Helper()
	l, ok := f.Location(key)
	if !ok {
		t.Fatalf("%s has no location", key)
	}
	if !l.Dense {
		return
	}
	file, err := os.ReadFile(l.Path)
	if err != nil {
		t.Fatal(err)
	}
	_, d, _ := f.Shape(key)
	got := make([]float32, tensor.Count(want.Shape))
	if err := tensor.DecodeFloats(got, file[l.Offset:l.Offset+l.Bytes], d); err != nil || !slices.Equal(got, floats(want)) {
		t.Errorf("%s: at its location lies %v (%v)", key, got, err)
	}
}

func TestDenseTensorsOfSharedStorage(t *testing.T) {
	f, err := Open("testdata/shared.pt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for key, want := range map[string]bool{
		"whole": true, "row": true, "matrix": true, "transposed": false, "column": false, "every_other": false,
		"permuted": false, "expanded": false, "last": true, "corner": true, "conv_nhwc": false,
	} {
		if l, ok := f.Location(key); !ok || l.Dense != want {
			t.Errorf("%s: dense %v, want %v", key, l.Dense, want)
		}
	}
	whole, _ := f.Location("whole")
	row, _ := f.Location("row")
	if row.Offset != whole.Offset+6*4 || whole.Offset%64 != 0 {
		t.Errorf("whole at %d, row at %d", whole.Offset, row.Offset)
	}
}

func TestMetadataAndIgnored(t *testing.T) {
	f, err := Open("testdata/types.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Metadata()["note"] != "a b" {
		t.Errorf("metadata %v", f.Metadata())
	}
	m, err := Open("testdata/mixed.pt")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	want := []Ignored{
		{"step", "it is the value 4, not a tensor"},
		{"nested", "it is a dictionary, not a tensor"},
		{"nothing", "it is None, not a tensor"},
		{"negative", "it is the value -8589934592, not a tensor"},
		{"name", "it is text, not a tensor"},
		{"", "1 entries have a key that is not text"},
	}
	if !slices.Equal(m.Ignored(), want) {
		t.Errorf("ignored %v", m.Ignored())
	}
	if _, err := m.Read("step"); err == nil {
		t.Error("a number was read as a tensor")
	}
}

func TestReadAfterTheFileShrank(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	data, err := os.ReadFile("testdata/types.safetensors")
	if err == nil {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	_, err = f.Read("float64")
	if _, ok := errors.AsType[*FormatError](err); !ok {
		t.Errorf("got %v", err)
	}
}

func TestParallelReads(t *testing.T) {
	f, err := Open("testdata/shared.pt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	errs := make(chan error)
	for range 8 {
		go func() {
			_, err := f.Read("transposed")
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
