package ort

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"realword/inference/onnx"
	"realword/inference/session"
	"realword/inference/tensor"
)

// What is written for OpenVINO computes the same, and leaves alone what it does not know.
func TestDialectOfOpenVINO(t *testing.T) {
	r := library(t)
	ints := func(name string, values ...int64) protobuf { return protobuf(intTensor(name, values...)) }
	for name, c := range map[string]struct {
		from, to int64
		node     protobuf
		gone     bool
		want     []int64
	}{
		"one element":  {1, 2, node("Slice", []string{"x", "from", "to", "axis"}, []string{"y"}), true, []int64{8}},
		"two":          {1, 3, node("Slice", []string{"x", "from", "to", "axis"}, []string{"y"}), false, []int64{8, 9}},
		"from the end": {-1, 0, node("Slice", []string{"x", "from", "end", "axis"}, []string{"y"}), false, []int64{9}},
		"without axes": {1, 2, node("Slice", []string{"x", "from", "to"}, []string{"y"}), false, []int64{8}},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, []protobuf{c.node}, []protobuf{ints("from", c.from), ints("to", c.to), ints("axis", 0), ints("end", math.MaxInt64)},
				[]protobuf{port("x", 7, 3)}, []protobuf{port("y", 7, -1)})
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			data, err = forOpenVINO(data)
			if err != nil || strings.Contains(string(data), "Slice") == c.gone {
				t.Fatalf("%v: %q", err, data)
			}
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := open(t, r, path, session.Options{}).Run(t.Context(), map[string]*tensor.Tensor{"x": tensor.OfInts([]int64{7, 8, 9}, 3)})
			if err != nil || len(out["y"].I64) != len(c.want) || out["y"].I64[0] != c.want[0] {
				t.Errorf("%v, %v", out["y"], err)
			}
		})
	}
}

// A graph that does not fit is refused before it is compiled: the CPU takes over.
func TestOpenVINOKnowsItsMemory(t *testing.T) {
	kept, fresh := &compiled{path: "entry"}, &compiled{path: "entry", fresh: "hidden"}
	const small, large = 1000, 8 << 30
	for _, c := range []struct {
		half      bool
		c         *compiled
		all, need int64
	}{
		{true, nil, small, 1750},
		{true, fresh, small, 1750}, // it is not opened again
		{true, kept, small, 750},
		{false, nil, small, 2250},
		{false, kept, small, 1250},
		{true, nil, large, 14 << 30},
		{true, fresh, large, 9 << 30}, // it is packed after it has been opened again
		{true, kept, large, 6 << 30},
		{false, fresh, large, 18 << 30},
		{false, kept, large, 10 << 30},
	} {
		v := &openVINO{half: c.half}
		if err := v.fits(c.all, c.c, c.need); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
		if err := v.fits(c.all, c.c, c.need-1); err == nil || !strings.HasPrefix(err.Error(), "OpenVINO needs ") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestOpenVINOIsNotThere(t *testing.T) {
	library(t)
	t.Setenv(EnvOpenVINO, t.TempDir())
	for _, device := range []string{"openvino", "openvino-bf16"} {
		if _, err := New(Options{Device: device}); err == nil || !strings.Contains(err.Error(), "make deps DEVICE=openvino") {
			t.Errorf("%s: %v", device, err)
		}
	}
	for _, device := range []string{"openvino:1", "openvino-bf16:0", "openvino-fp8", "cpu:0"} {
		if _, _, err := ParseDevice(device); err == nil {
			t.Errorf("%s is a device", device)
		}
	}
}

// On this processor, where OpenVINO is installed: exact, in half precision, kept and made again.
func TestOpenVINO(t *testing.T) {
	cpu := library(t)
	if OpenVINO(cpu.Library()) == "" {
		t.Skip("needs OpenVINO: make deps DEVICE=openvino")
	}
	x := tensor.Zeros(64, 32)
	for i := range x.F32 {
		x.F32[i] = float32((i*7919)%101-50) / 50
	}
	w := onnx.Initializer{Name: "w", DType: tensor.F32, Shape: []int{32, 32}, Data: tensor.Of(x.F32[:32*32], 32, 32)}
	path := write(t, []protobuf{
		node("MatMul", []string{"x", "w"}, []string{"h"}), node("Tanh", []string{"h"}, []string{"a"}), node("MatMul", []string{"a", "w"}, []string{"y"}),
	}, []protobuf{protobuf(w.Marshal())}, []protobuf{port("x", 1, -1, 32)}, []protobuf{port("y", 1, -1, 32)})
	in := map[string]*tensor.Tensor{"x": x}
	want, err := open(t, cpu, path, session.Options{}).Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for device, within := range map[string]float64{"openvino": 1e-5, "openvino-bf16": 2e-2} {
		if device == "openvino-bf16" && !HasHalfProducts() {
			continue
		}
		cache := t.TempDir()
		r, err := New(Options{Device: device, Threads: 2, Cache: Cache{Folder: cache}})
		if err != nil {
			t.Fatal(err)
		}
		run := func() {
			t.Helper()
			s := open(t, r, path, session.Options{Strict: true})
			out, err := s.Run(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if off := distance(out["y"].F32, want["y"].F32); !(off <= within) || device == "openvino-bf16" && off < 1e-4 {
				t.Errorf("%s: %v away", device, off)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		entries := func() (list []string) {
			t.Helper()
			list, err := filepath.Glob(filepath.Join(cache, "openvino", "*", "*.bin"))
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		once, err := open(t, r, path, session.Options{Once: true}).Run(t.Context(), in) // not worth compiling
		if err != nil || !slices.Equal(once["y"].F32, want["y"].F32) || len(entries()) > 0 {
			t.Errorf("%s: what runs once is compiled (%v)", device, err)
		}
		v := r.device.(*openVINO)
		heavy := func(when string, compiled bool) {
			t.Helper()
			out, err := open(t, r, path, session.Options{Once: true, Heavy: true}).Run(t.Context(), in)
			if err != nil || slices.Equal(out["y"].F32, want["y"].F32) == compiled || len(entries()) > 0 != compiled {
				t.Errorf("%s: a heavy graph, %s: compiled %v, %v", device, when, !compiled, err)
			}
		}
		heavy("a small one", false)
		v.heavy = 0
		v.threads = -1 // which OpenVINO refuses
		heavy("that cannot be compiled", false)
		if _, err := r.Open(path, session.Options{}); err == nil {
			t.Errorf("%s: -1 threads", device)
		}
		v.threads = 2
		heavy("a large one", v.half)
		run()
		made := entries()
		if len(made) != 1 {
			t.Fatalf("%s keeps %q", device, made)
		}
		before, err := os.Stat(made[0])
		if err != nil {
			t.Fatal(err)
		}
		run()
		if after, err := os.Stat(made[0]); err != nil || !after.ModTime().Equal(before.ModTime()) || len(entries()) != 1 {
			t.Errorf("%s: %v: what was compiled was not used", device, err)
		}
		for _, damage := range []func(string) error{
			func(name string) error { return os.Truncate(name, 100) },
			func(name string) error {
				return os.WriteFile(filepath.Join(filepath.Dir(name), compiledSeal), nil, 0o600)
			},
			os.Remove,
			func(name string) error { // whole, and of another OpenVINO
				dir := filepath.Dir(name)
				err := os.WriteFile(filepath.Join(dir, compiledGraph), []byte("strange"), 0o600)
				return errors.Join(err, os.WriteFile(filepath.Join(dir, compiledSeal), []byte((&compiled{}).contents(dir)), 0o600))
			},
		} {
			if err := damage(made[0]); err != nil {
				t.Fatal(err)
			}
			run()
			if after, err := os.Stat(made[0]); err != nil || after.Size() < before.Size()-1000 {
				t.Errorf("%s: %v, %v: what was damaged was not made again, of %d bytes", device, err, entries(), before.Size())
			}
			if graph, err := os.ReadFile(filepath.Join(filepath.Dir(made[0]), compiledGraph)); err != nil || string(graph) == "strange" {
				t.Errorf("%s: %v: the graph that was kept is not read", device, err)
			}
		}
	}
}

// What a graph will take is said before it is opened: for the first time, later, with other weights.
func TestOpenVINOSaysBefore(t *testing.T) {
	cpu := library(t)
	if _, ok := cpu.Compiled("", session.Options{}, false); ok {
		t.Error("the processor compiles")
	}
	if OpenVINO(cpu.Library()) == "" {
		t.Skip("needs OpenVINO: make deps DEVICE=openvino")
	}
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.bin"), filepath.Join(dir, "two.bin")
	weightFile(t, one, 2, 3)
	weightFile(t, two, 4, 5)
	path := product(t, filepath.ToSlash(one), filepath.ToSlash(two))
	opts := session.Options{Outside: []string{one, two}}
	r, err := New(Options{Device: "openvino", Threads: 2, Cache: Cache{Folder: t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	const all = 2 * 4 * side * side
	says := func(when string, opts session.Options, changed bool, want session.Opened) {
		t.Helper()
		if o, ok := r.Compiled(path, opts, changed); ok != (want.Peak > 0) || o != want {
			t.Errorf("%s: %+v, %v, wanted %+v", when, o, ok, want)
		}
	}
	fresh, kept := session.Opened{Peak: all / 4 * 9, Stays: all / 4 * 9}, session.Opened{Peak: all / 4 * 5, Stays: all / 4 * 5}
	says("the first time", opts, false, fresh)
	says("asked again", opts, false, fresh)
	open(t, r, path, opts)
	says("later", opts, false, kept)
	says("with other weights", opts, true, fresh)
	says("what runs once", session.Options{Once: true, Outside: opts.Outside}, false, session.Opened{})
	says("weights that may not be read", session.Options{}, false, session.Opened{})
}

func distance(got, want []float32) float64 {
	var off, all float64
	for i, w := range want {
		off += float64(got[i]-w) * float64(got[i]-w)
		all += float64(w) * float64(w)
	}
	return math.Sqrt(off / all)
}

// A pass runs twice where none of its kind and at least its size has: where another flag is set, where an input is no longer empty, and
// where any is larger.
func TestLargerPasses(t *testing.T) {
	type in = map[string]*tensor.Tensor
	pass := func(side, subjects, want int, step int64) in {
		return in{
			"sample": tensor.Zeros(1, 4, side, side), "vision": tensor.Zeros(subjects, 3), "want": tensor.OfInts([]int64{int64(want)}, 1),
			"rows": tensor.OfInts([]int64{step, step}, 1, 1, 2), "timestep": tensor.Of([]float32{float32(step)}, 1),
		}
	}
	p := &passes{}
	for i, c := range []struct {
		pass   in
		larger bool
	}{
		{pass(8, 0, 1, 1), true},
		{pass(8, 0, 1, 2), false}, // of another step
		{pass(4, 0, 1, 3), false},
		{pass(8, 0, 0, 1), true},
		{pass(8, 1, 1, 1), true},
		{pass(8, 2, 1, 1), true},
		{pass(8, 1, 1, 1), false},
		{pass(16, 1, 1, 1), true}, // wider, with fewer subjects
		{pass(16, 2, 1, 1), true},
		{pass(16, 0, 1, 1), true},
		{pass(8, 0, 1, 1), false},
	} {
		if p.larger(c.pass, nil) != c.larger {
			t.Errorf("pass %d: larger is %v", i, !c.larger)
		}
		p.ran(c.pass, nil)
	}
	if (*passes)(nil).larger(pass(8, 0, 1, 1), nil) {
		t.Error("a graph without branches runs twice")
	}
}
