package parity

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/bundle/bundletest"
	"realword/inference/checkpoint"
	"realword/inference/ort/orttest"
	"realword/inference/tensor"
)

const data = "../../assets/golden/data"

func TestMain(m *testing.M) { bundletest.Main(m) }

// imported imports a golden checkpoint.
func imported(t *testing.T, name string) *bundle.Bundle {
	t.Helper()
	b, err := bundle.Import(context.Background(), filepath.Join(data, name), filepath.Join(t.TempDir(), name), nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestEqualsPyTorch compares every network (diffusers, transformers, timm) and whole golden generations of 25 steps with what
// imported bundles compute: a subject with early stop, two subjects without, the release preset.
func TestEqualsPyTorch(t *testing.T) {
	rt := orttest.Shared(t)
	for _, name := range []string{"tiny", "tiny-xl"} {
		t.Run(name, func(t *testing.T) {
			files, err := Goldens(filepath.Join(data, name+".goldens"))
			if err != nil {
				t.Fatal(err)
			}
			// This one belongs to another projector; see TestShallowProjector.
			files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, "vision-shallow.safetensors") })
			checks, err := Verify(context.Background(), rt, bundletest.Golden(t, name), files...)
			if err != nil {
				t.Fatal(err)
			}
			seen, worst := map[string]int{}, map[string]Check{}
			for _, c := range checks {
				if !c.OK() {
					t.Error(c)
				}
				kind := regexp.MustCompile(`\.[0-9]+$`).ReplaceAllString(c.Tensor, "")
				if seen[kind]++; c.RelL2 >= worst[kind].RelL2 {
					worst[kind] = c
				}
			}
			for _, kind := range slices.Sorted(maps.Keys(worst)) {
				t.Logf("%3d × %v", seen[kind], worst[kind])
			}
			for kind, n := range map[string]int{
				"text.out.encoder_hidden_states": 3, "weights.out.encoder_hidden_states": 7, "vision.out.tokens": 2, "class.out.class": 2, "unet.out.noise": 7, "decoder.out.picture": 2, "encoder.out.latent": 2,
				"guidance-low_cross_high_self.out.scores": 4, "guidance-all_cross.out.scores": 4, "guidance-low_cross.out.cross": 4,
				"guidance-low_cross_all_self.out.scores": 4, "guidance-all_cross-min_max_per_channel.out.scores": 1,
				"guidance-low_cross_high_self-min_max_per_channel.out.scores": 1, "loop.out.mask": 12, "loop.out.latent": 25, "loop.out.picture": 1, "loop.out.start": 1,
			} {
				if seen[kind] < n {
					t.Errorf("%s was compared %d times, wanted %d at least", kind, seen[kind], n)
				}
			}
		})
	}
}

// TestProjectedText: visual weights that learned beside stock SDXL's text vector say so, and are given that one: transformers' text_embeds.
func TestProjectedText(t *testing.T) {
	src := filepath.Join(t.TempDir(), "tiny-xl")
	if err := os.CopyFS(src, os.DirFS(filepath.Join(data, "tiny-xl"))); err != nil {
		t.Fatal(err)
	}
	unet := filepath.Join(src, "unet", "diffusion_pytorch_model.safetensors")
	all, err := checkpoint.Open(unet)
	if err != nil {
		t.Fatal(err)
	}
	tensors := map[string]*tensor.Tensor{"pooled_projected": tensor.Zeros(0)}
	for _, e := range all.Entries() {
		if tensors[e.Name], err = all.Read(e.Name); err != nil {
			t.Fatal(err)
		}
	}
	var marked bytes.Buffer
	if err := errors.Join(all.Close(), tensor.WriteSafetensors(&marked, tensors, nil), os.WriteFile(unet, marked.Bytes(), 0o666)); err != nil {
		t.Fatal(err)
	}
	golden, err := checkpoint.Open(filepath.Join(data, "tiny-xl.goldens", "text-short.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer golden.Close()
	read := func(name string) *tensor.Tensor {
		x, err := golden.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	ids := [][]int64{read("text.in.input_ids").I64, read("text.in.input_ids_2").I64}
	rt, plain := orttest.Shared(t), filepath.Join(data, "tiny-xl")
	pooled := func(src, base string) *tensor.Tensor {
		b, err := bundle.ImportWith(t.Context(), src, filepath.Join(t.TempDir(), "model"), bundle.Options{Copy: true, Base: base})
		if err != nil {
			t.Fatal(err)
		}
		if first := b.Manifest().Text.HeightFirst; first != (src != plain) {
			t.Errorf("over %q the height comes first: %v", base, first)
		}
		g := inference.NewGraphs(rt, b)
		defer g.Close()
		_, got, err := g.Features(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for _, c := range []struct{ src, base, want string }{
		{src, "", "text.out.pooled_projected"},
		{src, plain, "text.out.pooled_projected"}, // it belongs to the visual weights, whatever lies under them
		{plain, src, "text.out.pooled"},
		{plain, "", "text.out.pooled"},
	} {
		if d := relative(pooled(c.src, c.base), read(c.want)); !(d < NetworkTolerance) {
			t.Errorf("over %q the text vector is %.2g off %s", c.base, d, c.want)
		}
	}
}

// TestVerifyNotices damages a bundle's weights a little and expects the comparison to say so.
func TestVerifyNotices(t *testing.T) {
	b := imported(t, "tiny")
	path := filepath.Join(b.Dir(), "weights", "unet.bin")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 400 { // conv_in and the first norms
		raw[4*i+2] ^= 0x40
	}
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	checks, err := Verify(context.Background(), orttest.CPU(t), b, filepath.Join(data, "tiny.goldens", "unet-1.safetensors"))
	if err != nil || len(checks) != 1 || checks[0].OK() {
		t.Errorf("%v %v", checks, err)
	}
}

// TestShallowProjector gives tiny-xl the other released projector.
func TestShallowProjector(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tiny-xl")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(data, "tiny-xl"))); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join(data, "tiny-xl-shallow", "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "vision", "config.json"), config, 0o644); err != nil {
		t.Fatal(err)
	}
	projector, err := checkpoint.Open(filepath.Join(data, "tiny-xl-shallow", "projector.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer projector.Close()
	path := filepath.Join(dir, "unet", "diffusion_pytorch_model.safetensors")
	unet, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	tensors := map[string]*tensor.Tensor{}
	for _, f := range []*checkpoint.File{unet, projector} {
		for _, e := range f.Entries() {
			if f == unet && strings.HasPrefix(e.Name, "encoder_hidden_states_vision_projection.") {
				continue
			}
			if tensors[e.Name], err = f.Read(e.Name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := unet.Close(); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := tensor.WriteSafetensors(&file, tensors, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Import(context.Background(), dir, filepath.Join(t.TempDir(), "out"), nil)
	if err != nil {
		t.Fatal(err)
	}
	checks, err := Verify(context.Background(), orttest.CPU(t), b, filepath.Join(data, "tiny-xl.goldens", "vision-shallow.safetensors"))
	if err != nil || len(checks) != 1 || !checks[0].OK() {
		t.Errorf("%v %v", checks, err)
	}
}
