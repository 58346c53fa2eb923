package network

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"realword/inference/checkpoint"
	"realword/inference/nn"
	"realword/inference/onnx"
	"realword/inference/ort/orttest"
	"realword/inference/random"
	"realword/inference/session"
	"realword/inference/synthetic"
	"realword/inference/tensor"
)

// synthesised makes an autoencoder like SDXL's, whose last level is narrower than the one before it.
func synthesised(t *testing.T) string {
	t.Helper()
	sizes, dir := synthetic.Tiny, t.TempDir()
	sizes.VAE = []int{32, 64, 64}
	o := synthetic.Options{Layout: synthetic.Diffusers, Sizes: sizes, DType: tensor.F16}
	files, err := synthetic.Files(o)
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(f synthetic.File) bool { return filepath.Dir(f.Path) != "vae" })
	if err := synthetic.Write(t.Context(), dir, files, o, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

type build = func(VAEConfig, *nn.Store) (*onnx.Model, error)

// both opens a half of the autoencoder of a diffusers-style folder, and the same tiled.
func both(t *testing.T, folder string, half, inTiles build) (whole, tiled session.Session, c VAEConfig) {
	t.Helper()
	rt := orttest.CPU(t)
	raw, err := os.ReadFile(filepath.Join(folder, "vae", "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	f, err := checkpoint.Open(filepath.Join(folder, "vae", "diffusion_pytorch_model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	store, dir := nn.NewStore(f, "vae.bin"), t.TempDir()
	var paths []string
	var used int
	for i, graph := range []build{half, inTiles} {
		m, err := graph(c, store)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(store.Used()); i > 0 && n != used {
			t.Errorf("the tiled graph has %d tensors, the other %d", n, used)
		}
		used = len(store.Used())
		paths = append(paths, filepath.Join(dir, fmt.Sprint(i, ".onnx")))
		if err := os.WriteFile(paths[i], m.Marshal(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.Write(t.Context(), filepath.Join(dir, "vae.bin"), nil); err != nil {
		t.Fatal(err)
	}
	var open [2]session.Session
	for i, path := range paths {
		if open[i], err = rt.Open(path, session.Options{Once: true}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = open[i].Close() })
	}
	return open[0], open[1], c
}

// TestTiledDecoderIsTheDecoder compares every pixel for pictures of odd sizes and any number of strips.
func TestTiledDecoderIsTheDecoder(t *testing.T) {
	sameInTiles(t, DecoderGraph, TiledDecoderGraph, "picture", func(c VAEConfig, h, w int) (string, *tensor.Tensor) {
		return "latent", tensor.Of(random.Normal(uint64(h), c.LatentChannels*h*w), 1, c.LatentChannels, h, w)
	})
}

// TestTiledEncoderIsTheEncoder does the same on the way back.
func TestTiledEncoderIsTheEncoder(t *testing.T) {
	sameInTiles(t, EncoderGraph, TiledEncoderGraph, "latent", func(c VAEConfig, h, w int) (string, *tensor.Tensor) {
		h, w = h*c.Factor(), w*c.Factor()
		return "picture", tensor.Of(random.Normal(uint64(h), 3*h*w), 1, 3, h, w)
	})
}

// sameInTiles compares two graphs on inputs for latents of h × w cells.
func sameInTiles(t *testing.T, half, inTiles build, out string, input func(c VAEConfig, h, w int) (string, *tensor.Tensor)) {
	for _, folder := range []string{filepath.Join(data, "tiny"), filepath.Join(data, "tiny-xl"), synthesised(t)} {
		name := filepath.Base(folder)
		whole, tiled, c := both(t, folder, half, inTiles)
		for _, size := range []struct{ h, w, strips int }{{8, 8, 1}, {8, 8, 2}, {8, 8, 8}, {15, 9, 5}, {7, 20, 7}, {9, 1, 3}, {1, 6, 1}} {
			in, x := input(c, size.h, size.w)
			want, err := whole.Run(t.Context(), map[string]*tensor.Tensor{in: x})
			if err != nil {
				t.Fatal(err)
			}
			got, err := tiled.Run(t.Context(), map[string]*tensor.Tensor{in: x, "strips": tensor.OfInts([]int64{int64(size.strips)}, 1)})
			if err != nil {
				t.Fatal(err)
			}
			x, y := want[out], got[out]
			if fmt.Sprint(x.Shape) != fmt.Sprint(y.Shape) {
				t.Fatalf("%s: shape %v, wanted %v", name, y.Shape, x.Shape)
			}
			worst, largest := 0.0, 0.0
			for i := range x.F32 {
				worst = max(worst, math.Abs(float64(x.F32[i]-y.F32[i])))
				largest = max(largest, math.Abs(float64(x.F32[i])))
			}
			t.Logf("%s %+v: off by %.1e of %.2g", name, size, worst, largest)
			if !(worst <= 1e-5*max(1, largest)) {
				t.Errorf("%s %+v: a pixel is off by %g", name, size, worst)
			}
		}
	}
}
