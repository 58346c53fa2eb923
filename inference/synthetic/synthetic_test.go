package synthetic

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"realword/inference/checkpoint"
	"realword/inference/prompt"
	"realword/inference/tensor"
)

// TestTotals compares the full networks with the totals of tensors and parameters that the published networks have in PyTorch.
// Nothing is written.
func TestTotals(t *testing.T) {
	vae := Full.Autoencoder()
	decoder := slices.DeleteFunc(slices.Clone(vae), func(t Tensor) bool {
		return strings.HasPrefix(t.Name, "encoder.") || strings.HasPrefix(t.Name, "quant_conv.")
	})
	pool := func(t Tensor) bool { return strings.HasPrefix(t.Name, "attn_pool.") }
	for _, c := range []struct {
		name                string
		list                []Tensor
		tensors, parameters int // 0 tensors: the sheet gives none
	}{
		{"base U-Net", Full.UNet(), 1680, 2567463684},
		{"visual K/V", Full.VisualKV(), 140, 340787200},
		{"projector highres", Full.Projector(false), 17, 59649024},
		{"projector shallow", Full.Projector(true), 32, 114839552},
		{"model highres", slices.Concat(Full.UNet(), Full.VisualKV(), Full.Projector(false)), 1837, 2967899908},
		{"model shallow", slices.Concat(Full.UNet(), Full.VisualKV(), Full.Projector(true)), 1852, 3023090436},
		{"CLIP-L", Full.TextModel(0), 0, 123060480},
		{"bigG with projection", Full.TextModel(1), 0, 693021440 + 1638400},
		{"SigLIP", Full.SigLIPImage(), 0, 428225600},
		{"SigLIP without pool", slices.DeleteFunc(Full.SigLIPImage(), pool), 0, 412987248},
		{"DINOv2", Full.DINOv2(), 0, 304370688},
		{"autoencoder", vae, 248, 83653863},
		{"decoder", decoder, 140, 49490199},
		{"Stable Diffusion 1.5", FullSD15.UNet(), 686, 859520964},
		{"Stable Diffusion 1.5 in one file", FullSD15.singleFile(), 0, 859520964 + 83653863 + 123060480 + 3*1000 + 77},
		{"single file", Full.singleFile(), 0, 2567463684 + 83653863 + 123060480 + 693021440 + 1638400},
	} {
		if c.tensors != 0 && len(c.list) != c.tensors || Parameters(c.list) != c.parameters {
			t.Errorf("%s: %d tensors with %d parameters, wanted %d with %d", c.name, len(c.list), Parameters(c.list), c.tensors, c.parameters)
		}
		names := map[string]bool{}
		for _, tensor := range c.list {
			if names[tensor.Name] {
				t.Errorf("%s: %s twice", c.name, tensor.Name)
			}
			names[tensor.Name] = true
		}
	}
}

func drawn(key string, n int) Tensor {
	return Tensor{Shape: []int{n}, parts: []part{{key, []int{n}}}}
}

// floats are the values of a tensor, nil of one that is not drawn.
func floats(seed int64, t Tensor) []float32 {
	if t.DType == tensor.I64 {
		return nil
	}
	raw, out := make([]byte, 4*tensor.Count(t.Shape)), make([]float32, tensor.Count(t.Shape))
	t.fill(raw, seed, tensor.F32)
	if err := tensor.DecodeFloats(out, raw, tensor.F32); err != nil {
		panic(err) // it is as long as it is
	}
	return out
}

// TestValues looks at the distribution, at the norms and at the repeatability.
func TestValues(t *testing.T) {
	v := floats(1, drawn("unet conv_in.weight", 100003))
	var sum, squares float64
	for _, x := range v {
		sum += float64(x)
		squares += float64(x) * float64(x)
	}
	n := float64(len(v))
	if mean, dev := sum/n, math.Sqrt(squares/n); math.Abs(mean) > 4*deviation/math.Sqrt(n) || math.Abs(dev-deviation) > 0.01*deviation {
		t.Errorf("mean %g, deviation %g", mean, dev)
	}
	if norm := floats(1, drawn("unet a.norm1.weight", 3)); math.Abs(float64(norm[0])-1) > 0.1 {
		t.Errorf("norm %v is not near 1", norm)
	}
	if !slices.Equal(v, floats(1, drawn("unet conv_in.weight", 100003))) || slices.Equal(v[:8], floats(2, drawn("unet conv_in.weight", 8))) {
		t.Error("values must follow from seed and key alone")
	}
}

// TestPieces draws a tensor that several goroutines share: it is what one would draw, in every type the same values.
func TestPieces(t *testing.T) {
	p := part{"unet large.weight", []int{2*piece + 7}}
	shared := make([]byte, 4*p.shape[0])
	draw(shared, 1, p, tensor.F32)
	alone := make([]byte, len(shared))
	sum := sha256.Sum256([]byte("1 " + p.key))
	tables(tensor.F32, false).fill(alone, binary.LittleEndian.Uint64(sum[:]))
	if !bytes.Equal(shared, alone) {
		t.Error("pieces are not what one goroutine draws")
	}
	half := make([]byte, 2*p.shape[0])
	draw(half, 1, p, tensor.F16)
	for _, i := range []int{0, piece - 1, piece, 2 * piece, 2*piece + 6} {
		wide := math.Float32frombits(binary.LittleEndian.Uint32(shared[4*i:]))
		if got := binary.LittleEndian.Uint16(half[2*i:]); got != tensor.ToF16(wide) {
			t.Errorf("value %d is %v in fp32 and %v in fp16", i, wide, tensor.FromF16(got))
		}
	}
}

// TestTorchFile reads a PyTorch file with package checkpoint, and with PyTorch where REALWORD_PYTHON names a Python that has it.
func TestTorchFile(t *testing.T) {
	dir := t.TempDir()
	l := &list{network: "x"}
	l.conv("conv", 3, 2, 3)
	l.norm("norm", 5)
	l.tensors = append(l.tensors, Tensor{Name: "ids", DType: tensor.I64, Shape: []int{1, 4}})
	o := Options{Seed: 3, DType: tensor.F16}
	files := []File{{Path: "plain.bin", Tensors: l.tensors}, {Path: "wrapped.pth", Wrapper: "state_dict", Tensors: l.tensors}}
	if err := Write(context.Background(), dir, files, o, nil); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := checkpoint.Open(filepath.Join(dir, file.Path))
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Entries()) != 5 {
			t.Errorf("%s: %v", file.Path, f.Entries())
		}
		for _, want := range l.tensors {
			got, err := f.Read(want.Name)
			if err != nil {
				t.Fatal(err)
			}
			place, _ := f.Location(want.Name)
			if place.Offset%64 != 0 || !slices.Equal(got.Shape, want.Shape) {
				t.Errorf("%s %s: at %d, shape %v", file.Path, want.Name, place.Offset, got.Shape)
			}
			for i, x := range floats(o.Seed, want) {
				if d := math.Abs(float64(got.F32[i] - x)); d > 1e-3*math.Abs(float64(x))+1e-7 {
					t.Fatalf("%s %s[%d] is %v, wanted %v", file.Path, want.Name, i, got.F32[i], x)
				}
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	python := os.Getenv("REALWORD_PYTHON")
	if python == "" {
		return
	}
	const script = `
import sys, torch
for name, inner in ("plain.bin", None), ("wrapped.pth", "state_dict"):
    d = torch.load(sys.argv[1] + "/" + name, weights_only=True, mmap=True)
    d = d[inner] if inner else d
    assert list(d) == ["conv.weight", "conv.bias", "norm.weight", "norm.bias", "ids"], list(d)
    assert d["conv.weight"].shape == (2, 3, 3, 3) and d["conv.weight"].dtype == torch.float16 and d["conv.weight"].std() < 0.1
    assert d["ids"].tolist() == [[0, 1, 2, 3]] and (d["norm.weight"] - 1).abs().max() < 0.2
`
	if out, err := exec.Command(python, "-c", script, dir).CombinedOutput(); err != nil {
		t.Errorf("PyTorch: %v\n%s", err, out)
	}
}

func TestTokenizer(t *testing.T) {
	dir := t.TempDir()
	for name, text := range tokenizerFiles(Full.Vocabulary, "!") {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tok, err := prompt.Load(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	if tok.Size() != Full.Vocabulary {
		t.Errorf("%d ids, wanted %d", tok.Size(), Full.Vocabulary)
	}
}

func TestWriteRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Write(context.Background(), dir, nil, Options{DType: tensor.F16}, nil); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a folder that is not empty: %v", err)
	}
	empty := filepath.Join(t.TempDir(), "x")
	if err := Write(context.Background(), empty, nil, Options{DType: tensor.I64}, nil); err == nil {
		t.Error("weights of type I64 were made")
	}
	if _, err := Files(Options{Layout: "tarball", Sizes: Tiny}); err == nil {
		t.Error("layout tarball is unknown")
	}
	files, err := Files(Options{Sizes: Tiny})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Write(ctx, empty, files, Options{DType: tensor.F16}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
