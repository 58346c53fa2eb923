package tensor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"
)

func TestSafetensorsWriterLayout(t *testing.T) {
	declared := []Entry{{"b", F32, []int{2}}, {"a", F16, []int{1, 1}}, {"c", I64, nil}}
	write := func(declared []Entry) []byte {
		var out bytes.Buffer
		w, err := NewSafetensorsWriter(&out, declared, map[string]string{"y": "2", "x": "1"})
		if err != nil {
			t.Fatal(err)
		}
		data := map[string]*Tensor{"b": Of([]float32{1, 2}, 2), "a": Of([]float32{-2}, 1, 1), "c": OfInts([]int64{5})}
		for _, e := range w.Entries() {
			if err := w.Write(e.Name, data[e.Name]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	got := write(declared)
	const header = `{"__metadata__":{"x":"1","y":"2"},"c":{"dtype":"I64","shape":[],"data_offsets":[0,8]},` +
		`"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},"a":{"dtype":"F16","shape":[1,1],"data_offsets":[16,18]}}`
	n := binary.LittleEndian.Uint64(got)
	if n%8 != 0 || strings.TrimRight(string(got[8:8+n]), " ") != header {
		t.Errorf("header of %d bytes: %s", n, got[8:8+n])
	}
	want := []byte{5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40, 0, 0xc0}
	if !bytes.Equal(got[8+n:], want) {
		t.Errorf("data % x, want % x", got[8+n:], want)
	}
	declared[0], declared[2] = declared[2], declared[0]
	if !bytes.Equal(got, write(declared)) {
		t.Error("the order of the declarations changed the file")
	}
}

func TestSafetensorsWriterRefuses(t *testing.T) {
	one := []Entry{{"a", F32, []int{1}}}
	for name, declared := range map[string][]Entry{
		"twice":    {one[0], one[0]},
		"reserved": {{"__metadata__", F32, nil}},
		"type":     {{"a", Invalid, nil}},
		"negative": {{"a", F32, []int{-1}}},
		"huge":     {{"a", F32, []int{math.MaxInt, 2}}},
		"sum":      {{"a", I8, []int{math.MaxInt}}, {"b", I8, []int{1}}},
	} {
		if _, err := NewSafetensorsWriter(new(bytes.Buffer), declared, nil); err == nil {
			t.Errorf("%s: the declaration passed", name)
		}
	}
	for name, use := range map[string]func(w *SafetensorsWriter) error{
		"missing tensor": func(w *SafetensorsWriter) error { return w.Close() },
		"wrong name":     func(w *SafetensorsWriter) error { return w.Write("b", Of([]float32{1}, 1)) },
		"wrong shape":    func(w *SafetensorsWriter) error { return w.Write("a", Of([]float32{1, 2}, 2)) },
		"wrong kind":     func(w *SafetensorsWriter) error { return w.Write("a", OfInts([]int64{1}, 1)) },
		"too many": func(w *SafetensorsWriter) error {
			return errors.Join(w.Write("a", Of([]float32{1}, 1)), w.Write("a", Of([]float32{1}, 1)))
		},
		"sticky": func(w *SafetensorsWriter) error {
			_ = w.Write("b", Of([]float32{1}, 1))
			return w.Write("a", Of([]float32{1}, 1))
		},
	} {
		w, err := NewSafetensorsWriter(new(bytes.Buffer), one, nil)
		if err != nil {
			t.Fatal(err)
		}
		if use(w) == nil {
			t.Errorf("%s: passed", name)
		}
	}
}

func TestSafetensorsOverflowIndexCountsFromTheStart(t *testing.T) {
	data := make([]float32, 100_000)
	data[80_000] = 1e9
	w, err := NewSafetensorsWriter(new(bytes.Buffer), []Entry{{"a", F16, []int{len(data)}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if over, ok := errors.AsType[*OverflowError](w.Write("a", Of(data, len(data)))); !ok || over.Index != 80_000 {
		t.Errorf("got %v", over)
	}
}

func TestWriteSafetensorsPropagatesWriteErrors(t *testing.T) {
	full := failAfter(10)
	if err := WriteSafetensors(&full, map[string]*Tensor{"a": Zeros(8)}, nil); err == nil {
		t.Error("a full disk went unnoticed")
	}
}

type failAfter int

func (f *failAfter) Write(b []byte) (int, error) {
	if *f -= failAfter(len(b)); *f < 0 {
		return 0, errors.New("no space left")
	}
	return len(b), nil
}
