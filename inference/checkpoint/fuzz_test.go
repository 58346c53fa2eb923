package checkpoint

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"realword/inference/tensor"
)

// exercise parses bytes as a file and reads all that it promises. It fails on broken promises; panics are found by the fuzzer.
func exercise(t *testing.T, data []byte) {
	f, err := parse(bytes.NewReader(data), int64(len(data)), "fuzz")
	if err != nil {
		_, isFormat := errors.AsType[*FormatError](err)
		_, isUnsupported := errors.AsType[*UnsupportedError](err)
		if !isFormat && !isUnsupported || err.Error() == "" {
			t.Fatalf("neither a FormatError nor an UnsupportedError: %v", err)
		}
		return
	}
	for _, e := range f.Entries() {
		l, ok := f.Location(e.Name)
		if !ok || l.Dense && (l.Offset < 0 || l.Bytes < 0 || l.Offset+l.Bytes > int64(len(data))) {
			t.Fatalf("%q lies at %v of %d bytes", e.Name, l, len(data))
		}
		got, err := f.Read(e.Name)
		if err != nil {
			t.Fatalf("%q was listed and cannot be read: %v", e.Name, err)
		}
		if len(got.F32)+len(got.I64) != tensor.Count(e.Shape) {
			t.Fatalf("%q: %d elements for shape %v", e.Name, len(got.F32)+len(got.I64), e.Shape)
		}
	}
}

func seedFiles(f *testing.F, pattern string) [][]byte {
	paths, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(paths) == 0 {
		f.Fatalf("no seeds %s (%v)", pattern, err)
	}
	var out [][]byte
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		out = append(out, data)
	}
	return out
}

func FuzzSafetensors(f *testing.F) {
	for _, seed := range seedFiles(f, "*.safetensors") {
		f.Add(seed)
	}
	f.Add(tensorFile(`{"a":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]},"__metadata__":{"k":"v"}}  `, "1234"))
	f.Add(tensorFile(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"b":{"dtype":"BOOL","shape":[],"data_offsets":[0,1]}}`, "1"))
	f.Fuzz(exercise)
}

func FuzzTorchZip(f *testing.F) {
	for _, seed := range seedFiles(f, "*.p*t*") {
		f.Add(seed)
	}
	f.Fuzz(exercise)
}

func FuzzPickle(f *testing.F) {
	for _, seed := range append(seedFiles(f, "*.pt"), seedFiles(f, "*.bin")...) {
		if a, err := newTorchArchive(bytes.NewReader(seed), int64(len(seed))); err == nil {
			if pickle, err := a.read("data.pkl", maxPickle); err == nil {
				f.Add(pickle)
			}
		}
	}
	f.Add([]byte(pTorch(pInt(8), pInt(0), pTuple(pInt(2), pInt(2)), pTuple(pInt(1), pInt(3)))))
	storage := "12345678123456781234567812345678"
	f.Fuzz(func(t *testing.T, pickle []byte) {
		exercise(t, archive(t, zip.Store, "a/data.pkl", string(pickle), "a/data/0", storage, "a/data/1", storage))
	})
}
