package parity

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/bundle/bundletest"
	"realword/inference/checkpoint"
	"realword/inference/graph"
	"realword/inference/lora"
	"realword/inference/ort"
	"realword/inference/ort/orttest"
	"realword/inference/session"
	"realword/inference/tensor"
)

// relative is the L2 distance of two tensors over the length of the second.
func relative(got, want *tensor.Tensor) float64 {
	if got == nil || !slices.Equal(got.Shape, want.Shape) {
		return math.NaN()
	}
	var off, all float64
	for i, v := range want.F32 {
		off += math.Pow(float64(got.F32[i]-v), 2)
		all += math.Pow(float64(v), 2)
	}
	return math.Sqrt(off / all)
}

// part opens a LoRA file for a model.
func part(t *testing.T, w *inference.Weights, path string, weight float64) lora.Part {
	t.Helper()
	f, err := lora.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	fit, err := f.Fit(w.Shapes, "tiny", "sdxl")
	if err != nil {
		t.Fatal(err)
	}
	return lora.Part{File: f, Fit: fit, Weight: weight}
}

// networks are what a golden of a LoRA is compared with.
func networks(t *testing.T, g *inference.Graphs, file *checkpoint.File) map[string]*tensor.Tensor {
	t.Helper()
	read := func(name string) *tensor.Tensor {
		x, err := file.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	out := map[string]*tensor.Tensor{}
	ids := [][]int64{read("text.in.input_ids").I64}
	p := inference.Point{Latent: read("unet.in.sample"), Timestep: read("unet.in.timestep")}
	var pooled *tensor.Tensor
	if _, two := file.Lookup("text.in.input_ids_2"); two {
		ids = append(ids, read("text.in.input_ids_2").I64)
		pooled, p.TimeIDs = read("unet.in.text_embeds"), read("unet.in.time_ids")
	}
	features, gotPooled, err := g.Features(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	out["text.out.encoder_hidden_states"] = features
	if gotPooled != nil {
		out["text.out.pooled"] = gotPooled
	}
	if p.Text, err = g.TextKV(t.Context(), read("unet.in.encoder_hidden_states"), pooled); err != nil {
		t.Fatal(err)
	}
	defer p.Text.KV.Close()
	none, err := g.NoVision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer none.KV.Close()
	if out["unet.out.noise"], err = g.Noise(t.Context(), p, none, nil); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestLoRAGoldens runs the networks under LoRAs and compares with diffusers, PEFT and LyCORIS, with weights packed and mapped.
func TestLoRAGoldens(t *testing.T) {
	models := map[string]*bundle.Bundle{"tiny": bundletest.Golden(t, "tiny"), "tiny-xl": bundletest.Golden(t, "tiny-xl")}
	paths, err := filepath.Glob(data + "/loras/goldens/*.safetensors")
	if err != nil || len(paths) != 10 {
		t.Fatal(len(paths), err)
	}
	type kind struct {
		model string
		how   session.Weights
	}
	type graphs struct{ plain, adapted *inference.Graphs }
	opened := map[kind]graphs{} // opening takes most of the time
	for _, path := range paths {
		for _, how := range []session.Weights{session.Packed, session.Mapped} {
			if how == session.Mapped && !strings.Contains(path, "tiny-xl-kohya") && !strings.Contains(path, "full") {
				continue
			}
			name := "tiny"
			if strings.HasPrefix(filepath.Base(path), "tiny-xl-") {
				name = "tiny-xl"
			}
			both, there := opened[kind{name, how}]
			if !there {
				rt := orttest.SharedWith(t, ort.Options{Threads: 1, Weights: how})
				both = graphs{inference.NewGraphs(rt, models[name]), inference.NewGraphs(rt, models[name])}
				defer both.plain.Close()
				defer both.adapted.Close()
				opened[kind{name, how}] = both
			}
			g := both.adapted
			t.Run(strings.TrimSuffix(filepath.Base(path), ".safetensors")+" "+how.String(), func(t *testing.T) {
				file, err := checkpoint.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer file.Close()
				weights, err := g.Weights()
				if err != nil {
					t.Fatal(err)
				}
				plain := networks(t, both.plain, file)
				weight, err := strconv.ParseFloat(file.Metadata()["weight"], 64)
				if err != nil {
					t.Fatal(err)
				}
				adapted, err := weights.Adapt(t.Context(), []lora.Part{part(t, weights, data+"/loras/"+file.Metadata()["lora"], weight)})
				if err != nil {
					t.Fatal(err)
				}
				if err := g.Adapt(adapted); err != nil {
					t.Fatal(err)
				}
				for name, got := range networks(t, g, file) {
					want, err := file.Read(name)
					if err != nil {
						t.Fatal(err)
					}
					off := relative(got, want)
					t.Logf("%s: %.2g, without the LoRA %.2g", name, off, relative(plain[name], want))
					if !(off < 1e-5) {
						t.Errorf("%s is off by %.2g", name, off)
					}
					if strings.HasPrefix(name, "unet") && !(relative(plain[name], want) > 1e-2) {
						t.Errorf("without the LoRA %s is off by %.2g alone", name, relative(plain[name], want))
					}
				}
				if there { // one LoRA follows another
					return
				}
				if err := errors.Join(both.plain.Close(), g.Adapt(nil)); err != nil {
					t.Fatal(err)
				}
				for name, got := range networks(t, g, file) {
					if !slices.Equal(got.F32, plain[name].F32) {
						t.Errorf("%s is not what it was before the LoRA", name)
					}
				}
				if err := g.Close(); err != nil { // the plain graphs are for the next one
					t.Fatal(err)
				}
			})
		}
	}
}

// TestLoRAsOfAModelFromAnotherComputer: weights that a LoRA changes as a whole are those of the model's own folder, whatever lies here
// where the checkpoint lay there.
func TestLoRAsOfAModelFromAnotherComputer(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows copies always")
	}
	there, dir := t.TempDir(), filepath.Join(t.TempDir(), "model")
	if err := os.CopyFS(there, os.DirFS(data+"/tiny-xl")); err != nil {
		t.Fatal(err)
	}
	b, err := bundle.ImportWith(t.Context(), there, filepath.Join(t.TempDir(), "bundle"), bundle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	description, paths, err := b.Parcel()
	if err != nil {
		t.Fatal(err)
	}
	a, err := bundle.Unpack(description)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range a.Parts {
		to := filepath.Join(dir+"-half", filepath.FromSlash(p.Path))
		data, err := os.ReadFile(paths[p.SHA256])
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o700), os.WriteFile(to, data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Settle(dir+"-half", dir); err != nil {
		t.Fatal(err)
	}
	for _, f := range b.Manifest().Mapped {
		if err := os.WriteFile(f.Path, make([]byte, f.Size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if b, err = bundle.Open(dir); err != nil {
		t.Fatal(err)
	}
	file, err := checkpoint.Open(data + "/loras/goldens/tiny-xl-full.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	g := inference.NewGraphs(orttest.Shared(t), b)
	defer g.Close()
	weights, err := g.Weights()
	if err != nil {
		t.Fatal(err)
	}
	weight, err := strconv.ParseFloat(file.Metadata()["weight"], 64)
	if err != nil {
		t.Fatal(err)
	}
	adapted, err := weights.Adapt(t.Context(), []lora.Part{part(t, weights, data+"/loras/"+file.Metadata()["lora"], weight)})
	if err == nil {
		err = g.Adapt(adapted)
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range networks(t, g, file) {
		want, err := file.Read(name)
		if off := relative(got, want); err != nil || !(off < 1e-5) {
			t.Errorf("%s is off by %.2g, %v", name, off, err)
		}
	}
}

// TestLoRAsInKeptGraphs: a mapped graph that LoRAs change is kept optimised as well, by what is changed of it: another weight finds the
// same one.
func TestLoRAsInKeptGraphs(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no cache there")
	}
	b, folder := bundletest.Golden(t, "tiny-xl"), filepath.Join(t.TempDir(), "graphs")
	file, err := checkpoint.Open(data + "/loras/goldens/tiny-xl-kohya.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	under := func(g *inference.Graphs, weight float64) map[string]*tensor.Tensor {
		t.Helper()
		weights, err := g.Weights()
		if err != nil {
			t.Fatal(err)
		}
		adapted, err := weights.Adapt(t.Context(), []lora.Part{part(t, weights, data+"/loras/tiny-xl-kohya.safetensors", weight)})
		if err == nil {
			err = g.Adapt(adapted)
		}
		if err != nil {
			t.Fatal(err)
		}
		return networks(t, g, file)
	}
	plain := inference.NewGraphs(orttest.SharedWith(t, ort.Options{Threads: 1, Weights: session.Mapped}), b)
	defer plain.Close()
	kept := orttest.Open(t, ort.Options{Threads: 1, Weights: session.Mapped, Cache: ort.Cache{Folder: folder, Limit: 1 << 30, Least: 1}})
	for i, weight := range []float64{0.5, 0.5, -2} {
		again := inference.NewGraphs(kept, b)
		want := under(plain, weight)
		for name, got := range under(again, weight) {
			if !slices.Equal(got.F32, want[name].F32) {
				t.Errorf("run %d: %s has other bits", i, name)
			}
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
		if entries, err := filepath.Glob(filepath.Join(folder, "*", "weights.bin")); err != nil || len(entries) != 1 {
			t.Errorf("run %d: %d graphs are kept: %v", i, len(entries), err)
		}
	}
}

// TestAnotherWeightOpensNothing: a weight of a LoRA changes between runs while every graph stays open, and a LoRA opens those that it
// changes.
func TestAnotherWeightOpensNothing(t *testing.T) {
	g := inference.NewGraphs(orttest.Shared(t), bundletest.Golden(t, "tiny-xl"))
	defer g.Close()
	opened := 0
	g.Watch = func(what string, _ graph.Name, _ time.Duration) {
		if what == "open" {
			opened++
		}
	}
	weights, err := g.Weights()
	if err != nil {
		t.Fatal(err)
	}
	file, err := checkpoint.Open(data + "/loras/goldens/tiny-xl-kohya.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	networks(t, g, file)
	before := opened
	var results []*tensor.Tensor
	for i, weight := range []float64{0.5, -2, 0, 0.5} {
		adapted, err := weights.Adapt(t.Context(), []lora.Part{part(t, weights, data+"/loras/tiny-xl-kohya.safetensors", weight)})
		if err != nil {
			t.Fatal(err)
		}
		p := part(t, weights, data+"/loras/tiny-xl-kohya.safetensors", weight)
		if want := lora.Bytes([]lora.Part{p}, weights.Shapes); adapted.Bytes() != want || want == 0 || g.Adapt(adapted) != nil {
			t.Fatal(adapted.Bytes(), want)
		}
		results = append(results, networks(t, g, file)["unet.out.noise"])
		if want := before + 3; opened != want { // the U-Net, the text encoders, and the text's keys and values
			t.Fatalf("weight %d: %d graphs were opened, not %d", i, opened-before, want-before)
		}
	}
	if !slices.Equal(results[0].F32, results[3].F32) || slices.Equal(results[0].F32, results[1].F32) {
		t.Error("the same weight gives another result, or another weight the same")
	}
}

// TestLoRAOnTheGraphForCUDA: the graph for CUDA, of which the processor has not every kernel, takes changes of all kinds: the library
// resolves its names, types and shapes, and stops at the same place as without them.
func TestLoRAOnTheGraphForCUDA(t *testing.T) {
	rt, b := orttest.CPU(t), bundletest.Golden(t, "tiny-xl")
	list, err := rt.Weights(b.Graph(graph.UNet))
	if err != nil {
		t.Fatal(err)
	}
	open := func(changes map[string]session.Change) error {
		s, err := rt.Open(b.Graph(graph.UNet.CUDA()), session.Options{Changes: changes})
		if err == nil {
			return s.Close()
		}
		return err
	}
	without := open(nil)
	if without == nil || !strings.Contains(without.Error(), "kernel") && !strings.Contains(without.Error(), "implementation") {
		t.Fatal(without)
	}
	for _, change := range []session.Change{session.Added, session.Replaced} {
		changes := map[string]session.Change{}
		for _, w := range list {
			if change == session.Replaced || len(w.Shape) > 1 && strings.HasSuffix(w.Key(), ".weight") && !strings.Contains(w.Key(), "norm") {
				changes[w.Key()] = change
			}
		}
		place := func(err error) string { text, _, _ := strings.Cut(err.Error(), "(node:"); return text }
		if with := open(changes); with == nil || place(with) != place(without) {
			t.Errorf("%d weights, %v: %v; without: %v", len(changes), change, with, without)
		}
	}
	if err := open(map[string]session.Change{"nowhere.weight": session.Added}); err == nil || !strings.Contains(err.Error(), "nowhere.weight cannot be changed") {
		t.Error(err)
	}
}
