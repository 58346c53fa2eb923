package ort

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"realword/inference/session"
	"realword/inference/tensor"
)

// linears is a graph of products x·Wᵀ with matrices of half precision in a file: one that two products read, one that is read as it lies
// besides, and two in the branches of an If, whose casts have names of their own or one name.
func linears(t *testing.T, twin bool) string {
	t.Helper()
	const in, out = 256, 320
	const file = "w.bin"
	values := make([]float32, 4*in*out)
	for i := range values {
		values[i] = float32((i*7919)%613-306) / 1024
	}
	raw := make([]byte, 2*len(values))
	if err := tensor.EncodeFloats(raw, values, tensor.F16); err != nil {
		t.Fatal(err)
	}
	cast := func(from, to string) protobuf {
		return node("Cast", []string{from}, []string{to}).bytes(5, protobuf{}.text(1, "to").number(3, 1).number(20, 2))
	}
	linear := func(x, w, y string) protobuf {
		return node("FusedMatMul", []string{x, w}, []string{y}).text(7, "com.microsoft").bytes(5, protobuf{}.text(1, "transB").number(3, 1).number(20, 2))
	}
	matrix := func(i int) protobuf { return half(fmt.Sprint("w", i), file, 2*i*in*out, out, in) }
	branch := func(i int, value string) protobuf {
		var g protobuf
		y := fmt.Sprint("branch", i)
		return g.bytes(1, cast(fmt.Sprint("w", i), value)).bytes(1, linear("x", value, y)).text(2, y).bytes(5, matrix(i)).bytes(12, port(y, 1, -1, out))
	}
	values2 := []string{"c2", "c3"}
	if twin {
		values2[1] = "c2"
	}
	attribute := func(name string, g protobuf) protobuf { return protobuf{}.text(1, name).bytes(6, g).number(20, 5) }
	chosen := node("If", []string{"flag"}, []string{"chosen"}).
		bytes(5, attribute("then_branch", branch(2, values2[0]))).bytes(5, attribute("else_branch", branch(3, values2[1])))
	path := write(t, []protobuf{
		cast("w0", "c0"), linear("x", "c0", "a"), linear("x2", "c0", "b"),
		cast("w1", "c1"), linear("x", "c1", "c"), node("MatMul", []string{"a", "c1"}, []string{"d"}),
		node("Cast", []string{"want"}, []string{"flag"}).bytes(5, protobuf{}.text(1, "to").number(3, 9).number(20, 2)), chosen,
		node("Sum", []string{"a", "b", "c", "chosen"}, []string{"y"}),
	}, []protobuf{matrix(0), matrix(1)},
		[]protobuf{port("x", 1, -1, in), port("x2", 1, -1, in), port("want", 7, 1)}, []protobuf{port("y", 1, -1, out), port("d", 1, -1, in)})
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), file), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// inHalves rewrites a graph for a card that keeps matrices in half precision.
func inHalves(t *testing.T, path string) []byte {
	t.Helper()
	m := parsed(t, path)
	_, paths, err := m.locate(filepath.Dir(path), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := m.marshal(paths, true, &webGPU{halves: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

// TestWhatStaysInHalves: matrices of products stay in half precision, in branches, too; one that is also read as it lies does not, nor those
// of two branches whose casts have one name, of which nobody could say which is meant.
func TestWhatStaysInHalves(t *testing.T) {
	for twin, want := range map[bool]int{false: 3, true: 1} {
		changed := inHalves(t, linears(t, twin))
		if n := bytes.Count(changed, protobuf{}.text(4, "Reshape")); n != want {
			t.Errorf("twin %v: %d matrices stay, wanted %d", twin, n, want)
		}
	}
}

// TestHalvesComputeTheSame runs the rewritten graph and the one as it was on the processor, and on a card where the runtime has one that keeps
// halves.
func TestHalvesComputeTheSame(t *testing.T) {
	r := library(t)
	for _, twin := range []bool{false, true} {
		path := linears(t, twin)
		changed := filepath.Join(filepath.Dir(path), "changed.onnx")
		if err := os.WriteFile(changed, inHalves(t, path), 0o600); err != nil {
			t.Fatal(err)
		}
		x := func(shift int) *tensor.Tensor {
			x := tensor.Zeros(3, 256)
			for i := range x.F32 {
				x.F32[i] = float32(math.Sin(float64(i + shift)))
			}
			return x
		}
		run := func(path string, w session.Weights, want int64) map[string]*tensor.Tensor {
			t.Helper()
			s := open(t, r, path, session.Options{Weights: w})
			out, err := s.Run(t.Context(), map[string]*tensor.Tensor{"x": x(0), "x2": x(7), "want": tensor.OfInts([]int64{want}, 1)}, "y", "d")
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		same := func(what string, got, want map[string]*tensor.Tensor) {
			t.Helper()
			for name, w := range want {
				var off, all float64
				for i, v := range w.F32 {
					off += math.Pow(float64(got[name].F32[i]-v), 2)
					all += float64(v) * float64(v)
				}
				if !(off <= 1e-10*all) || all == 0 {
					t.Errorf("twin %v, %s: %s is off by %g of %g", twin, what, name, off, all)
				}
			}
		}
		for _, want := range []int64{0, 1} {
			plain := run(path, session.Packed, want)
			if r.HalfWeights() { // the device's own rewriting
				same("kept in halves", run(path, session.Mapped, want), plain)
			} else if r.device == nil {
				same("rewritten", run(changed, session.Packed, want), plain)
			}
		}
	}
}
