package ort

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"

	"realword/inference/session"
	"realword/inference/tensor"
)

// What is written for WebGPU computes what the processor's own operators do.
func TestDialectOfWebGPU(t *testing.T) {
	own := func(op string, in ...string) protobuf { return node(op, in, []string{"y"}).text(7, "com.microsoft") }
	attribute := func(n protobuf, name string, value int) protobuf {
		return n.bytes(5, protobuf{}.text(1, name).number(3, value).number(20, 2))
	}
	epsilon := func(n protobuf, e float32) protobuf {
		return n.bytes(5, append(protobuf{}.text(1, "epsilon"), append([]byte{2<<3 | 5}, floatBytes(e)...)...).number(20, 1))
	}
	ramp := func(shift, step float32, shape ...int) *tensor.Tensor {
		x := tensor.Zeros(shape...)
		for i := range x.F32 {
			x.F32[i] = shift + step*float32((i*7919)%31-15)
		}
		return x
	}
	norm := epsilon(node("LayerNormalization", []string{"x", "s", "b"}, []string{"y"}), 1e-6)
	instance := epsilon(node("InstanceNormalization", []string{"x", "s", "b"}, []string{"y"}), 1e-5)
	attend := attribute(own("MultiHeadAttention", "x", "s", "b"), "num_heads", 3)
	linear := attribute(own("FusedMatMul", "x", "s"), "transB", 1)
	for name, c := range map[string]struct {
		node    protobuf
		x, s, b *tensor.Tensor
		gone    string
	}{
		"layer norm":    {norm, ramp(2, .1, 2, 4, 8), ramp(1, .1, 8), ramp(0, .1, 8), ""},
		"instance norm": {instance, ramp(.02, 1e-3, 2, 4, 8), ramp(1, .1, 4), ramp(0, .1, 4), "InstanceNormalization"},
		"linear":        {linear, ramp(0, .1, 2, 5, 8), ramp(0, .1, 6, 8), nil, "FusedMatMul"},
		"product":       {own("FusedMatMul", "x", "s"), ramp(0, .1, 2, 5, 8), ramp(0, .1, 8, 6), nil, "FusedMatMul"},
		"attention":     {attend, ramp(0, .3, 2, 5, 12), ramp(0, .3, 2, 7, 12), ramp(0, .3, 2, 7, 12), "MultiHeadAttention"},
	} {
		t.Run(name, func(t *testing.T) {
			r := library(t)
			in := map[string]*tensor.Tensor{"x": c.x, "s": c.s}
			open3 := func(name string, x *tensor.Tensor) protobuf {
				shape := make([]int, len(x.Shape))
				for i := range shape {
					shape[i] = -1
				}
				return port(name, 1, shape...)
			}
			ports := []protobuf{open3("x", c.x), open3("s", c.s)}
			if c.b != nil {
				in["b"] = c.b
				ports = append(ports, open3("b", c.b))
			}
			path := write(t, []protobuf{c.node}, nil, ports, []protobuf{port("y", 1, -1, -1, -1)})
			want, err := open(t, r, path, session.Options{}).Run(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			m := parsed(t, path)
			changed, err := m.marshal(nil, false, &webGPU{}, nil)
			if err != nil || bytes.Equal(changed, m.bytes) {
				t.Fatalf("%v, %q", err, changed)
			}
			if c.gone != "" && bytes.Contains(changed, protobuf{}.text(4, c.gone)) {
				t.Errorf("%s is still there", c.gone)
			}
			path = filepath.Join(t.TempDir(), "changed.onnx")
			if err := os.WriteFile(path, changed, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := open(t, r, path, session.Options{}).Run(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if len(got["y"].F32) != len(want["y"].F32) {
				t.Fatalf("%v, want %v", got["y"].Shape, want["y"].Shape)
			}
			for i, x := range want["y"].F32 {
				if !(math.Abs(float64(got["y"].F32[i]-x)) <= 2e-5) {
					t.Fatalf("%v, want %v", got["y"].F32, want["y"].F32)
				}
			}
		})
	}
	// The card's own attention stays where it is right, and what asks for more than is known stays, too.
	for _, n := range []protobuf{attend, attribute(attend, "unidirectional", 1), attribute(linear, "transA", 1)} {
		path := write(t, []protobuf{n}, nil, []protobuf{port("x", 1, -1, -1, 12), port("s", 1, -1, -1, 12), port("b", 1, -1, -1, 12)}, []protobuf{port("y", 1, -1, -1, 12)})
		m := parsed(t, path)
		if changed, err := m.marshal(nil, false, &webGPU{fused: true}, nil); err != nil || !bytes.Equal(changed, m.bytes) {
			t.Errorf("%v, %q", err, changed)
		}
	}
}

func floatBytes(f float32) []byte {
	bits := math.Float32bits(f)
	return []byte{byte(bits), byte(bits >> 8), byte(bits >> 16), byte(bits >> 24)}
}

// Shapes are what nodes do that compute with integers alone; a name that several nodes could have counts as numbers.
func TestWhatComputesNumbers(t *testing.T) {
	named := func(n protobuf, name string) protobuf { return n.text(3, name) }
	to := func(kind int) protobuf { return protobuf{}.text(1, "to").number(3, kind).number(20, 2) }
	path := write(t, []protobuf{
		named(node("Shape", []string{"x"}, []string{"a"}), "shape"),
		named(node("Gather", []string{"a", "ids"}, []string{"b"}), "of shapes"),
		named(node("Gather", []string{"x", "ids"}, []string{"c"}), "of numbers"),
		named(node("Cast", []string{"b"}, []string{"d"}).bytes(5, to(1)), "to number"),
		named(node("Cast", []string{"x"}, []string{"e"}).bytes(5, to(7)), "to integer"),
		named(node("ConstantOfShape", []string{"b"}, []string{"f"}), "zeros"),
		named(node("Greater", []string{"x", "c"}, []string{"g"}), "greater"),
		named(node("Where", []string{"g", "x", "c"}, []string{"h"}), "where"),
	}, nil, []protobuf{port("x", 1, -1), port("ids", 7, -1)}, []protobuf{port("h", 1, -1)})
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := computedNumbers(data)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"shape": false, "of shapes": false, "of numbers": true, "to number": true, "to integer": false, "zeros": true, "greater": false, "where": true} {
		if numeric, known := got[name]; !known || numeric != want {
			t.Errorf("%s: %v, %v", name, numeric, known)
		}
	}
}
