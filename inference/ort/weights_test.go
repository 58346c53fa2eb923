package ort

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"realword/inference/session"
	"realword/inference/tensor"
)

// half is an initializer of fp16 at an offset of an external file.
func half(name, location string, offset int, shape ...int) protobuf {
	var m protobuf
	for _, d := range shape {
		m = m.number(1, d)
	}
	entry := func(key, value string) protobuf { return protobuf{}.text(1, key).text(2, value) }
	return m.number(2, 10).text(8, name).bytes(13, entry("location", location)).bytes(13, entry("offset", strconv.Itoa(offset))).bytes(13, entry("length", strconv.Itoa(2*tensor.Count(shape)))).number(14, 1)
}

// product is y = x·w + b with a weight in one file and, in the branch of an If, another in a second.
func product(t *testing.T, one, two string) string {
	t.Helper()
	cast := func(from, to string) protobuf {
		return node("Cast", []string{from}, []string{to}).bytes(5, protobuf{}.text(1, "to").number(3, 1).number(20, 2))
	}
	branch := func(name string, nodes []protobuf, inits ...protobuf) protobuf {
		var g protobuf
		for _, n := range nodes {
			g = g.bytes(1, n)
		}
		g = g.text(2, name)
		for _, i := range inits {
			g = g.bytes(5, i)
		}
		return g.bytes(12, port(name, 1, 1, side))
	}
	then := branch("then", []protobuf{cast("v.stored", "v"), node("MatMul", []string{"x", "v"}, []string{"then"})}, half("v.stored", two, 4, side, side))
	other := branch("else", []protobuf{node("Identity", []string{"x"}, []string{"else"})})
	attribute := func(name string, g protobuf) protobuf { return protobuf{}.text(1, name).bytes(6, g).number(20, 5) }
	chosen := node("If", []string{"flag"}, []string{"chosen"}).bytes(5, attribute("then_branch", then)).bytes(5, attribute("else_branch", other))
	return write(t, []protobuf{
		cast("w.stored", "w"), node("MatMul", []string{"x", "w"}, []string{"first"}),
		node("Cast", []string{"want"}, []string{"flag"}).bytes(5, protobuf{}.text(1, "to").number(3, 9).number(20, 2)),
		chosen, node("Add", []string{"first", "chosen"}, []string{"y"}),
	}, []protobuf{half("w.stored", one, 2, side, side)},
		[]protobuf{port("x", 1, 1, side), port("want", 7, 1)}, []protobuf{port("y", 1, 1, side)})
}

const side = 256 // of the matrices: large enough to stay in the file

// weightFile writes a matrix that multiplies by a number, after some bytes that belong to nobody.
func weightFile(t *testing.T, path string, before int, factor float32) {
	t.Helper()
	m := make([]float32, side*side)
	for i := range side {
		m[i*side+i] = factor
	}
	raw := make([]byte, before+2*len(m))
	if err := tensor.EncodeFloats(raw[before:], m, tensor.F16); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestWeightsAnywhere reads weights of two folders, one of which has only the root in common with the graph's where the system has a
// second place for files, the other through a link; packed and mapped, in the graph and in a branch.
func TestWeightsAnywhere(t *testing.T) {
	r := library(t)
	far, err := os.MkdirTemp("/dev/shm", "realword-test-")
	if err != nil {
		far = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(far) })
	one, two := filepath.Join(far, "one.bin"), filepath.Join(t.TempDir(), "two.bin")
	weightFile(t, one, 2, 3)
	weightFile(t, two, 4, 5)
	link := filepath.Join(t.TempDir(), "link.bin")
	if err := os.Symlink(two, link); err != nil {
		t.Skip(err)
	}
	path := product(t, filepath.ToSlash(one), filepath.ToSlash(link))
	x := tensor.Zeros(1, side)
	for i := range x.F32 {
		x.F32[i] = float32(math.Sin(float64(i)))
	}
	for _, w := range []session.Weights{session.Auto, session.Packed, session.Mapped} {
		s := open(t, r, path, session.Options{Weights: w, Outside: []string{one, two}})
		if len(s.Inputs()) != 2 {
			t.Errorf("%v: weights count as inputs: %v", w, s.Inputs())
		}
		for want, factor := range map[int64]float32{0: 4, 1: 8} {
			out, err := s.Run(t.Context(), map[string]*tensor.Tensor{"x": x, "want": tensor.OfInts([]int64{want}, 1)})
			if err != nil {
				t.Fatal(err)
			}
			for i, y := range out["y"].F32 {
				if d := math.Abs(float64(y - factor*x.F32[i])); d > 1e-5 {
					t.Fatalf("%v, branch %d: y[%d] is %g, wanted %g", w, want, i, y, factor*x.F32[i])
				}
			}
		}
	}
}

// TestMappedStaysInTheFile looks at the graph that ONNX Runtime gets: both weights are inputs with a default, outside the branch.
func TestMappedStaysInTheFile(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.bin"), filepath.Join(dir, "two.bin")
	weightFile(t, one, 2, 3)
	weightFile(t, two, 4, 5)
	path := product(t, one, two)
	m := parsed(t, path)
	if n := m.float32Bytes(); n != 2*4*side*side {
		t.Errorf("weights are %d bytes in float32", n)
	}
	folder, paths, err := m.locate(filepath.Dir(path), []string{one, two}, nil)
	if err != nil || !filepath.IsAbs(folder) || !filepath.IsLocal(paths[one]) {
		t.Fatal(folder, paths, err)
	}
	for mapped, want := range map[bool]int{true: 4, false: 2} {
		data, err := m.marshal(paths, mapped, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		inputs, top := 0, 0
		err = eachField(data, func(field protowire.Number, graph []byte, _ uint64) error {
			if field != modelGraph {
				return nil
			}
			return eachField(graph, func(field protowire.Number, _ []byte, _ uint64) error {
				switch field {
				case graphInput:
					inputs++
				case graphInitializer:
					top++
				}
				return nil
			})
		})
		if err != nil || inputs != want || top != want/2 {
			t.Errorf("mapped %v: %d inputs, %d initializers of the graph, %v", mapped, inputs, top, err)
		}
	}
}

// TestWeightsLostInARun cuts a file short behind the back of the check before a run: the run gives an error and the process lives.
func TestWeightsLostInARun(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux lets a process survive this")
	}
	r := library(t)
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.bin"), filepath.Join(dir, "two.bin")
	weightFile(t, one, 2, 3)
	weightFile(t, two, 4, 5)
	path := product(t, one, two)
	in := map[string]*tensor.Tensor{"x": tensor.Zeros(1, side), "want": tensor.OfInts([]int64{1}, 1)}
	s := open(t, r, path, session.Options{Weights: session.Mapped, Outside: []string{one, two}})
	for _, h := range s.(*graph).files {
		if err := os.Truncate(h.Name(), 100); err != nil {
			t.Fatal(err)
		}
	}
	for i := range s.(*graph).files {
		s.(*graph).files[i].end = 0
	}
	for range 2 {
		_, err := s.Run(t.Context(), in)
		mention(t, err, "disconnected", "cut short", "start Realword again", "--copy")
	}
	weightFile(t, one, 2, 3)
	weightFile(t, two, 4, 5)
	if _, err := open(t, r, path, session.Options{Weights: session.Mapped, Outside: []string{one, two}}).Run(t.Context(), in); err != nil {
		t.Error("opened again:", err)
	}
}

// TestWeightsThatAreGone is told of files that are missing or short before ONNX Runtime maps them, and before a run.
func TestWeightsThatAreGone(t *testing.T) {
	r := library(t)
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.bin"), filepath.Join(dir, "two.bin")
	weightFile(t, one, 2, 3)
	weightFile(t, two, 4, 5)
	path := product(t, one, two)
	if runtime.GOOS != "windows" {
		s := open(t, r, path, session.Options{Weights: session.Mapped, Outside: []string{one, two}})
		in := map[string]*tensor.Tensor{"x": tensor.Zeros(1, side), "want": tensor.OfInts([]int64{1}, 1)}
		if err := os.Truncate(two, 100); err != nil {
			t.Fatal(err)
		}
		_, err := s.Run(t.Context(), in)
		mention(t, err, "two.bin", "cut short", "import the model again")
		weightFile(t, two, 4, 5)
		if _, err := s.Run(t.Context(), in); err != nil {
			t.Error("put back:", err)
		}
		if err := os.Remove(two); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Run(t.Context(), in); err != nil {
			t.Error("removed while in use:", err)
		}
	}
	for _, w := range []session.Weights{session.Packed, session.Mapped} {
		_ = os.Remove(two)
		_, err := r.Open(path, session.Options{Weights: w, Outside: []string{one, two}})
		mention(t, err, "two.bin", "is missing", "connect the drive")
		weightFile(t, two, 4, 5)
		if err := os.Truncate(two, 100); err != nil {
			t.Fatal(err)
		}
		_, err = r.Open(path, session.Options{Weights: w, Outside: []string{one, two}})
		mention(t, err, "two.bin", "100 bytes", "import the model again")
	}
	outside := write(t, []protobuf{node("Add", []string{"x", "w"}, []string{"y"})}, []protobuf{half("w", "../w.bin", 0, 2)}, []protobuf{port("x", 10, 2)}, []protobuf{port("y", 10, 2)})
	_, err := r.Open(outside, session.Options{})
	mention(t, err, "w.bin")
}

// TestWeightsOfOthers is told of graphs that want to read what is not theirs: a secret file would come out as a picture.
func TestWeightsOfOthers(t *testing.T) {
	r := library(t)
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret.bin")
	weightFile(t, secret, 4, 1)
	home := filepath.Join(dir, "model")
	if err := os.MkdirAll(filepath.Join(home, "*", "_ORT_MEM_ADDR_"), 0o755); err != nil {
		t.Skip(err) // Windows has no such names
	}
	weightFile(t, filepath.Join(home, "own.bin"), 4, 1)
	weightFile(t, filepath.Join(home, "*", "_ORT_MEM_ADDR_", "*"), 4, 1)
	for link, target := range map[string]string{"link.bin": secret, "folder": dir, "short.bin": "own.bin", "null.bin": os.DevNull} {
		if err := os.Symlink(target, filepath.Join(home, link)); err != nil {
			t.Skip(err)
		}
	}
	try := func(location string, outside ...string) error {
		data, err := os.ReadFile(product(t, location, location))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(home, "graph.onnx")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := r.Open(path, session.Options{Outside: outside})
		if err == nil {
			_ = s.Close()
		}
		return err
	}
	for _, c := range []struct{ location, want string }{
		{secret, "which the model's manifest does not name"},
		{filepath.Join(home, "own.bin"), "which the model's manifest does not name"},
		{"../secret.bin", "outside the model folder"},
		{"link.bin", "a link that leaves the model's folder"},
		{"folder/secret.bin", "a link that leaves the model's folder"},
		{"null.bin", "a link that leaves the model's folder"},
		{"*/_ORT_MEM_ADDR_/*", "a name that cannot be used"},
		{"/etc/passwd", "which the model's manifest does not name"},
	} {
		mention(t, try(c.location, filepath.Join(dir, "another.bin")), c.want)
	}
	for location, outside := range map[string]string{"own.bin": "", "short.bin": "", secret: secret, filepath.Join(home, "link.bin"): secret} {
		if err := try(location, outside); err != nil {
			t.Errorf("%s: %v", location, err)
		}
	}
}
