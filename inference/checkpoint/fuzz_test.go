package checkpoint

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"realword/inference/tensor"
)

// exercise parses bytes as a file and reads all that it promises. It fails on broken promises; panics are found by the fuzzer.
func exercise(t *testing.T, data []byte) {
	f, err := parse(bytes.NewReader(data), int64(len(data)), "fuzz")
	if err != nil {
		_, isFormat := errors.AsType[*FormatError](err)
		_, isUnsupported := errors.AsType[*UnsupportedError](err)
		if !isFormat && !isUnsupported || len(err.Error()) > 2000 || strings.ContainsFunc(err.Error(), unicode.IsControl) {
			t.Fatalf("not a short FormatError or UnsupportedError: %v", err)
		}
		return
	}
	for _, e := range f.Entries() {
		l, ok := f.Location(e.Name)
		if ok == (e.DType == tensor.Invalid) || l.Dense && (l.Offset < 0 || l.Bytes < 0 || l.Offset+l.Bytes > int64(len(data))) {
			t.Fatalf("%q lies at %v of %d bytes", e.Name, l, len(data))
		}
		got, err := f.Read(e.Name)
		if _, unread := errors.AsType[*UnsupportedError](err); unread && e.DType == tensor.Invalid {
			continue
		}
		if err != nil {
			t.Fatalf("%q was listed and cannot be read: %v", e.Name, err)
		}
		if len(got.F32)+len(got.I64) != tensor.Count(e.Shape) {
			t.Fatalf("%q: %d elements for shape %v", e.Name, len(got.F32)+len(got.I64), e.Shape)
		}
	}
}

func seedFiles(f *testing.F, pattern string) [][]byte {
	paths, err := filepath.Glob(pattern)
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

// FuzzSafetensors takes header and data apart, so that mutations reach behind the length, which may be off by lie.
func FuzzSafetensors(f *testing.F) {
	for _, seed := range seedFiles(f, "testdata/*.safetensors") {
		n := binary.LittleEndian.Uint64(seed)
		f.Add(string(seed[8:8+n]), seed[8+n:], int8(0))
	}
	f.Add(`{"a":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]},"__metadata__":{"k":"v"}}  `, []byte("1234"), int8(-1))
	f.Add(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"b":{"dtype":"BOOL","shape":[],"data_offsets":[0,1]}}`, []byte("1"), int8(1))
	f.Fuzz(func(t *testing.T, header string, data []byte, lie int8) {
		exercise(t, withLength(uint64(len(header)+int(lie)), header+string(data)))
	})
}

func FuzzTorchZip(f *testing.F) {
	for _, seed := range append(seedFiles(f, "testdata/*.pt"), seedFiles(f, goldenFolder+"/p*.pt")...) {
		f.Add(seed)
	}
	f.Fuzz(exercise)
}

func FuzzPickle(f *testing.F) {
	for _, seed := range append(seedFiles(f, "testdata/*.pt"), seedFiles(f, goldenFolder+"/*.pt")...) {
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

// FuzzIndex parses the index of a checkpoint in parts.
func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"metadata":{"total_size":3e9},"weight_map":{"a.weight":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}`))
	f.Add([]byte(`{"weight_map":{"\u00e9\ud83d":"..\/x"},"x":[true,null,-1.5e3,{"y":[]}]}  `))
	f.Add([]byte(`{"weight_map":{}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		parts, err := parseIndex(raw)
		if err != nil {
			_, isFormat := errors.AsType[*FormatError](err)
			_, isUnsupported := errors.AsType[*UnsupportedError](err)
			if !isFormat && !isUnsupported || len(err.Error()) > 2000 || strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Fatalf("not a short FormatError or UnsupportedError: %v", err)
			}
			return
		}
		if len(parts) == 0 || len(parts) > maxTensors {
			t.Fatalf("%d tensors", len(parts))
		}
		// What is taken here is what encoding/json reads.
		var whole map[string]json.RawMessage
		var std map[string]string
		if err := json.Unmarshal(raw, &whole); err != nil {
			t.Fatalf("taken, and not JSON: %v", err)
		}
		if err := json.Unmarshal(whole["weight_map"], &std); err != nil {
			t.Fatal(err)
		}
		for name, part := range parts {
			if std[name] != part && utf8.Valid(raw) {
				t.Fatalf("%q is in %q, encoding/json says %q", name, part, std[name])
			}
		}
	})
}
