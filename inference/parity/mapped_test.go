package parity

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/graph"
	"realword/inference/ort"
	"realword/inference/ort/orttest"
	"realword/inference/session"
	"realword/inference/synthetic"
	"realword/inference/tensor"
)

// kept opens every graph with one way to keep weights.
type kept struct {
	inference.Runtime
	weights session.Weights
}

func (k kept) Open(path string, o session.Options) (session.Session, error) {
	o.Weights = k.weights
	return k.Runtime.Open(path, o)
}

// TestMappedWeights runs networks of bundles whose weights were copied and whose weights lie in the checkpoints: the same bits; and
// packed against mapped sessions: the same but for the order of sums.
func TestMappedWeights(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows copies always")
	}
	rt := orttest.CPU(t)
	for _, dtype := range []tensor.DType{tensor.F16, tensor.BF16} {
		o := synthetic.Options{Sizes: synthetic.Tiny, DType: dtype}
		files, err := synthetic.Files(o)
		if err != nil {
			t.Fatal(err)
		}
		src := filepath.Join(t.TempDir(), "tree")
		if err := synthetic.Write(context.Background(), src, files, o, nil); err != nil {
			t.Fatal(err)
		}
		results := map[string]map[string]*tensor.Tensor{}
		cache := filepath.Join(t.TempDir(), "graphs")
		quick := orttest.Open(t, ort.Options{Threads: 1, Cache: ort.Cache{Folder: cache, Limit: 1 << 30, Least: 1}})
		for name, copied := range map[string]bool{"copied": true, "mapped": false} {
			b, err := bundle.ImportWith(context.Background(), src, filepath.Join(t.TempDir(), "bundle"), bundle.Options{Copy: copied})
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range []session.Weights{session.Packed, session.Mapped} {
				if w == session.Mapped || dtype == tensor.F16 || !copied { // opening is most of what this costs
					results[name+" "+w.String()] = outputs(t, kept{rt, w}, b)
				}
			}
			if copied == (dtype == tensor.F16) {
				continue
			}
			for _, when := range []string{"written", "read"} {
				for port, got := range outputs(t, kept{quick, session.Mapped}, b) {
					if d := difference(got, results[name+" mapped"][port]); d != 0 {
						t.Errorf("%v, %s: %s differs by %g when its optimised graph is %s", dtype, name, port, d, when)
					}
				}
			}
		}
		entries, err := filepath.Glob(filepath.Join(cache, "*", "weights.bin"))
		if err != nil || len(entries) != 2 { // of U-Net and decoder
			t.Errorf("%d optimised graphs are kept: %v", len(entries), err)
		}
		for _, w := range []string{" packed", " mapped"} {
			for name, want := range results["copied"+w] {
				if d := difference(want, results["mapped"+w][name]); d != 0 {
					t.Errorf("%v,%s: %s differs by %g from the copied weights'", dtype, w, name, d)
				}
			}
		}
		for name, got := range results["mapped mapped"] {
			if d := difference(got, results["mapped packed"][name]); d > 1e-5 {
				t.Errorf("%v: %s differs by %g between mapped and packed", dtype, name, d)
			}
		}
	}
}

// outputs runs graphs of a bundle once, on inputs that say nothing.
func outputs(t *testing.T, rt inference.Runtime, b *bundle.Bundle) map[string]*tensor.Tensor {
	t.Helper()
	all := map[string]*tensor.Tensor{}
	for _, name := range []graph.Name{graph.Text, graph.UNet, graph.Decoder} {
		s, err := rt.Open(b.Graph(name), session.Options{Outside: b.Manifest().Outside(), Moved: b.Manifest().Moved()})
		if err != nil {
			t.Fatal(err)
		}
		in := map[string]*tensor.Tensor{}
		for i, p := range s.Inputs() {
			in[p.Name] = input(p, i)
		}
		out, err := s.Run(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		for port, v := range out {
			all[string(name)+"."+port] = v
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// input makes up an input: no subjects, every role wanted, values between -1 and 1.
func input(p session.Port, seed int) *tensor.Tensor {
	open := map[string]int{"sample": 16, "latent": 8}[p.Name]
	if open == 0 {
		open = 1
	}
	shape := slices.Clone(p.Shape)
	for i, d := range shape {
		switch {
		case d >= 0:
		case i == 0 && (strings.HasPrefix(p.Name, "vision_") || strings.HasPrefix(p.Name, "row")):
			shape[i] = 0
		default:
			shape[i] = open
		}
	}
	if p.DType == tensor.I64 {
		t := tensor.OfInts(make([]int64, tensor.Count(shape)), shape...)
		for i := range t.I64 {
			t.I64[i] = 1
		}
		return t
	}
	t := tensor.Zeros(shape...)
	for i := range t.F32 {
		t.F32[i] = float32(math.Sin(float64(i*i%1009 + seed)))
	}
	return t
}

// difference is the relative L2 distance.
func difference(got, want *tensor.Tensor) float64 {
	if want == nil || !slices.Equal(got.Shape, want.Shape) || len(got.F32) == 0 {
		return math.Inf(1)
	}
	var d, n float64
	for i, g := range got.F32 {
		w := float64(want.F32[i])
		d, n = d+(float64(g)-w)*(float64(g)-w), n+w*w
	}
	return math.Sqrt(d / n)
}

// TestAMappedModelMoves: a model that maps checkpoints comes to another folder, as to another computer, with the checkpoints in it. Its
// graphs, which go on to name the sender's paths, compute the same bits there without them.
func TestAMappedModelMoves(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows copies always")
	}
	rt := orttest.CPU(t)
	o := synthetic.Options{Sizes: synthetic.Tiny, DType: tensor.F16}
	list, err := synthetic.Files(o)
	if err != nil {
		t.Fatal(err)
	}
	src := filepath.Join(t.TempDir(), "tree")
	if err := synthetic.Write(t.Context(), src, list, o, nil); err != nil {
		t.Fatal(err)
	}
	b, err := bundle.ImportWith(t.Context(), src, filepath.Join(t.TempDir(), "bundle"), bundle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := outputs(t, rt, b)
	description, paths, err := b.Parcel()
	if err != nil {
		t.Fatal(err)
	}
	a, err := bundle.Unpack(description)
	if err != nil {
		t.Fatal(err)
	}
	shelf := t.TempDir()
	half, dir := filepath.Join(shelf, "half"), filepath.Join(shelf, "model")
	for _, p := range a.Parts {
		at := filepath.Join(half, filepath.FromSlash(p.Path))
		data, err := os.ReadFile(paths[p.SHA256])
		if err == nil {
			err = errors.Join(os.MkdirAll(filepath.Dir(at), 0o700), os.WriteFile(at, data, 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(a.Settle(half, dir), os.RemoveAll(src), os.RemoveAll(b.Dir())); err != nil {
		t.Fatal(err)
	}
	moved, err := bundle.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := moved.CheckFiles(t.Context()); err != nil {
		t.Error(err)
	}
	for port, got := range outputs(t, rt, moved) {
		if d := difference(got, want[port]); d != 0 {
			t.Errorf("%s differs by %g", port, d)
		}
	}
	// It can be sent on.
	further, _, err := moved.Parcel()
	if err != nil {
		t.Fatal(err)
	}
	if string(further) != string(description) {
		t.Error("it is another model once it has come")
	}
}
