package ort

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"realword/inference/session"
	"realword/inference/tensor"
)

// convolution is y = conv(x, w) with w in a file.
func convolution(t *testing.T, file string) string {
	t.Helper()
	weightFile(t, file, 2, 3)
	cast := node("Cast", []string{"w.stored"}, []string{"w"}).bytes(5, protobuf{}.text(1, "to").number(3, 1).number(20, 2))
	return write(t, []protobuf{cast, node("Conv", []string{"x", "w"}, []string{"y"})},
		[]protobuf{half("w.stored", file, 2, side, side, 1, 1)},
		[]protobuf{port("x", 1, 1, side, 4, 4)}, []protobuf{port("y", 1, 1, side, 4, 4)})
}

// cached is a runtime with a cache and the runtime without.
func cached(t *testing.T, limit int64) (with, without *Runtime, folder string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("no cache there")
	}
	without = library(t)
	if without.device != nil {
		t.Skip("only the processor has one")
	}
	folder = filepath.Join(t.TempDir(), "graphs")
	with, err := New(Options{Threads: 1, Cache: Cache{Folder: folder, Limit: limit, Least: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return with, without, folder
}

func runConvolution(t *testing.T, r *Runtime, path, file string, o session.Options) []float32 {
	t.Helper()
	x := tensor.Zeros(1, side, 4, 4)
	for i := range x.F32 {
		x.F32[i] = float32(i%97) / 31
	}
	o.Outside = []string{file}
	out, err := open(t, r, path, o).Run(t.Context(), map[string]*tensor.Tensor{"x": x})
	if err != nil {
		t.Fatal(err)
	}
	return out["y"].F32
}

func entries(t *testing.T, folder string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// An optimised graph is written once, read from then on, and gives the same bits; so does what is opened in spite of a damaged one, which
// is written anew. Another file of weights has another entry.
func TestOptimisedGraphs(t *testing.T) {
	with, without, folder := cached(t, 1<<30)
	file := filepath.Join(t.TempDir(), "w.bin")
	path, mapped := convolution(t, file), session.Options{Weights: session.Mapped}
	want := runConvolution(t, without, path, file, mapped)
	same := func(when string, entriesNow int) string {
		t.Helper()
		if !slices.Equal(runConvolution(t, with, path, file, mapped), want) {
			t.Errorf("%s: other bits", when)
		}
		list := entries(t, folder)
		if len(list) != entriesNow {
			t.Fatalf("%s: %d entries, wanted %d", when, len(list), entriesNow)
		}
		return list[0]
	}
	entry := same("written", 1)
	weights := filepath.Join(entry, optimizedWeights)
	before, err := os.Stat(weights)
	if err != nil {
		t.Fatal(err)
	}
	same("read", 1)
	if after, err := os.Stat(weights); err != nil || !os.SameFile(before, after) {
		t.Errorf("it was written again: %v", err)
	}
	for _, name := range []string{optimizedWeights, optimizedGraph, optimizedSeal} {
		one := filepath.Join(entry, name)
		data, err := os.ReadFile(one)
		if err != nil {
			t.Fatal(err)
		}
		for how, damaged := range map[string][]byte{"cut": data[:len(data)-1], "changed": append(slices.Clone(data[:len(data)-1]), data[len(data)-1]^1)} {
			if err := os.WriteFile(one, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			same(name+" "+how, 1)
			same(name+" mended", 1)
		}
		if err := os.Remove(one); err != nil {
			t.Fatal(err)
		}
		same(name+" gone", 1)
	}
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(file, later, later); err != nil {
		t.Fatal(err)
	}
	same("another file", 2)
}

// Weights of half precision are converted one after the other, also in a kept graph: a run takes the memory of a few, not of all of them.
func TestOptimisedGraphsConvertOneByOne(t *testing.T) {
	const wide, layers = 1024, 24
	with, without, folder := cached(t, 1<<30)
	dir := t.TempDir()
	convolved, file := filepath.Join(dir, "w.bin"), filepath.Join(dir, "layers.bin")
	weightFile(t, convolved, 2, 3)
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(2*wide*wide*layers), f.Close()); err != nil {
		t.Fatal(err)
	}
	cast := func(from, to string) protobuf {
		return node("Cast", []string{from}, []string{to}).bytes(5, protobuf{}.text(1, "to").number(3, 1).number(20, 2))
	}
	casts, nodes := []protobuf{cast("w.stored", "w")}, []protobuf{node("Conv", []string{"x", "w"}, []string{"y"})}
	stored, at := []protobuf{half("w.stored", convolved, 2, side, side, 1, 1)}, "rows"
	for i := range layers {
		name := fmt.Sprint("layer", i)
		casts, stored = append(casts, cast(name+".stored", name)), append(stored, half(name+".stored", file, 2*wide*wide*i, wide, wide))
		nodes = append(nodes, node("MatMul", []string{at, name}, []string{name + ".out"}))
		at = name + ".out"
	}
	path := write(t, append(casts, nodes...), stored, []protobuf{port("x", 1, 1, side, 4, 4), port("rows", 1, 1, wide)},
		[]protobuf{port("y", 1, 1, side, 4, 4), port(at, 1, 1, wide)})
	for _, one := range []struct {
		name string
		r    *Runtime
	}{{"without a cache", without}, {"written", with}, {"read", with}} {
		s := open(t, one.r, path, session.Options{Weights: session.Mapped, Outside: []string{convolved, file}})
		before := status(t, "RssAnon")
		for range 2 { // the second has its memory planned by the first
			if _, err := s.Run(t.Context(), map[string]*tensor.Tensor{"x": tensor.Zeros(1, side, 4, 4), "rows": tensor.Zeros(1, wide)}); err != nil {
				t.Fatal(err)
			}
		}
		const all = 4 * wide * wide * layers >> 10
		if grown := status(t, "RssAnon") - before; grown > all/4 {
			t.Errorf("%s: a run takes %d kB, and all weights are %d kB in float32", one.name, grown, all)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if list := entries(t, folder); len(list) != 1 {
		t.Errorf("%d graphs were kept", len(list))
	}
}

// Only what a mapped graph convolves with is worth it, within the limit, and no graph that is to run as it is written.
func TestWhatIsNotOptimised(t *testing.T) {
	with, _, folder := cached(t, 1<<30)
	file := filepath.Join(t.TempDir(), "w.bin")
	path := convolution(t, file)
	asIs, err := New(Options{Threads: 1, Cache: with.cache, AsIs: true})
	if err != nil {
		t.Fatal(err)
	}
	runConvolution(t, asIs, path, file, session.Options{Weights: session.Mapped})
	if list := entries(t, folder); len(list) > 0 {
		t.Error("as it is:", list)
	}
	runConvolution(t, with, path, file, session.Options{Weights: session.Packed})
	if list := entries(t, folder); len(list) > 0 {
		t.Error("packed:", list)
	}
	with.cache.Least = 0
	runConvolution(t, with, path, file, session.Options{Weights: session.Mapped})
	if list := entries(t, folder); len(list) > 0 {
		t.Error("a small one:", list)
	}
	with.cache.Least, with.cache.Limit = 1, 1000
	runConvolution(t, with, path, file, session.Options{Weights: session.Mapped})
	if list := entries(t, folder); len(list) > 0 {
		t.Error("more than the limit:", list)
	}
}

// The entry that was used longest ago goes.
func TestOptimisedGraphsAreBounded(t *testing.T) {
	with, _, folder := cached(t, 700_000) // two of 262 kB
	var paths [3]string
	var files [3]string
	for i := range paths {
		files[i] = filepath.Join(t.TempDir(), "w.bin")
		paths[i] = convolution(t, files[i])
		if i == 2 { // the first is used again, the second is the oldest
			runConvolution(t, with, paths[0], files[0], session.Options{Weights: session.Mapped})
		}
		runConvolution(t, with, paths[i], files[i], session.Options{Weights: session.Mapped})
		for n, entry := range entries(t, folder) {
			old := time.Now().Add(-time.Hour + time.Duration(n)*time.Second)
			if i == 0 {
				if err := os.Chtimes(filepath.Join(entry, optimizedSeal), old, old); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if list := entries(t, folder); len(list) != 2 {
		t.Fatal(list)
	}
	runConvolution(t, with, paths[0], files[0], session.Options{Weights: session.Mapped})
	if list := entries(t, folder); len(list) != 2 {
		t.Error("the first one had gone")
	}
}
