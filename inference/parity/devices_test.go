package parity

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"realword/inference"
	"realword/inference/bundle/bundletest"
	"realword/inference/ort/orttest"
	"realword/inference/session"
	"realword/inference/tensor"
)

// crooked is a device whose results of one graph are off, or that cannot run it.
type crooked struct {
	inference.Runtime
	graph string
	off   float32
	fail  error
}

func (r crooked) Open(path string, opts session.Options) (session.Session, error) {
	s, err := r.Runtime.Open(path, opts)
	if filepath.Base(path) != r.graph+".onnx" || err != nil {
		return s, err
	}
	return crookedSession{s, r}, err
}

type crookedSession struct {
	session.Session
	r crooked
}

func (s crookedSession) Run(ctx context.Context, in map[string]*tensor.Tensor, outputs ...string) (map[string]*tensor.Tensor, error) {
	if s.r.fail != nil {
		return nil, s.r.fail
	}
	out, err := s.Session.Run(ctx, in, outputs...)
	for _, t := range out {
		for i := range t.F32 {
			t.F32[i] *= 1 + s.r.off
		}
	}
	return out, err
}

func TestStagesAreComparedOneByOne(t *testing.T) {
	rt, b := orttest.Shared(t), bundletest.Golden(t, "tiny")
	size := b.Manifest().Size.Min
	whole := inference.NewGraphs(rt, b)
	defer whole.Close()
	compare := func(cpu, device *inference.Graphs) *comparison {
		c := &comparison{ctx: t.Context(), model: b, cpu: cpu, device: device, repeats: 1, tolerance: DeviceTolerance}
		c.stages(size, size)
		return c
	}
	for name, c := range map[string]struct {
		device crooked
		failed string
	}{
		"the same":   {crooked{}, ""},
		"TF32":       {crooked{graph: "decoder", off: 1e-3}, ""},
		"wrong":      {crooked{graph: "decoder", off: 0.1}, "decoder"},
		"unable":     {crooked{graph: "vision", fail: errors.New("no kernel")}, "vision"},
		"no U-Net":   {crooked{graph: "unet", fail: errors.New("no kernel")}, "guidance guidance cross text-to-image generation"},
		"no vision":  {crooked{graph: "vision_kv", fail: errors.New("no kernel")}, "guidance guidance cross text-to-image generation"},
		"not number": {crooked{graph: "text", off: float32(nan())}, "text guidance guidance cross text-to-image generation"}, // which read the text
	} {
		t.Run(name, func(t *testing.T) {
			c.device.Runtime = rt
			graphs := inference.NewGraphs(c.device, b)
			defer graphs.Close()
			device := compare(whole, graphs)
			if device.err != nil {
				t.Fatal(device.err)
			}
			var stages, failed []string
			for _, s := range device.list {
				stages = append(stages, s.Tensor)
				if !s.OK() {
					failed = append(failed, s.Tensor)
				}
				if s.CPU <= 0 || s.Problem == "" && s.Device <= 0 {
					t.Errorf("no times: %v", s)
				}
			}
			if !slices.Equal(stages, []string{"vision", "text", "guidance", "guidance cross", "text-to-image", "generation", "decoder"}) {
				t.Errorf("%q", stages)
			}
			if got := strings.Join(failed, " "); got != c.failed {
				t.Errorf("failed: %q, want %q", got, c.failed)
			}
		})
	}
	broken := inference.NewGraphs(crooked{rt, "decoder", 0, errors.New("no kernel")}, b)
	defer broken.Close()
	reference := compare(broken, whole)
	if reference.err == nil || len(reference.list) != 6 {
		t.Errorf("the processor cannot, and %v was said of %d stages", reference.err, len(reference.list))
	}
}

func nan() float64 {
	var zero float64
	return zero / zero
}

type named struct {
	inference.Runtime
	name string
}

func (n named) Provider() (name, why string) { return n.name, "" }

// In half precision scores may be off where masks are the same; masks of wrong scores are not, and exact scores must be exact.
func TestGuidanceInHalfPrecision(t *testing.T) {
	want := tensor.Zeros(1, 16, 16)
	for i := range want.F32 {
		want.F32[i] = float32((i*7919)%257) / 257
	}
	for _, c := range []struct {
		device, stage string
		off           func(float32) float32
		ok            bool
	}{
		{"OpenVINO-bf16", "guidance", func(x float32) float32 { return 1.1 * x }, true},
		{"OpenVINO-bf16", "guidance cross", func(x float32) float32 { return x + 1e-5 }, true},
		{"OpenVINO-bf16", "guidance", func(x float32) float32 { return -x }, false},
		{"OpenVINO-bf16", "guidance", func(float32) float32 { return float32(nan()) }, false},
		{"OpenVINO-bf16", "guidance", func(float32) float32 { return 0 }, false},
		{"OpenVINO-bf16", "generation", func(x float32) float32 { return 1.1 * x }, false},
		{"OpenVINO", "guidance", func(x float32) float32 { return 1.001 * x }, false},
		{"OpenVINO", "guidance", func(x float32) float32 { return 1.00001 * x }, true},
		{"WebGPU", "guidance", func(x float32) float32 { return 1.1 * x }, false},
	} {
		device := named{name: c.device}
		c1 := comparison{ctx: t.Context(), cpu: &inference.Graphs{}, device: &inference.Graphs{}, repeats: 1, tolerance: tolerance(device), masks: halfProducts(device)}
		c1.stage(c.stage, func(g *inference.Graphs) (*tensor.Tensor, error) {
			out := tensor.Of(slices.Clone(want.F32), want.Shape...)
			for i, x := range out.F32 {
				if g == c1.device {
					out.F32[i] = c.off(x)
				}
			}
			return out, nil
		})
		if got := c1.list[0]; c1.err != nil || got.OK() != c.ok {
			t.Errorf("%s, %s: %v, %v", c.device, c.stage, got, c1.err)
		}
	}
}

func TestLargeProducts(t *testing.T) {
	rt := orttest.CPU(t)
	for off, fine := range map[float32]bool{0: true, 0.1: false} {
		s, err := LargeProducts(t.Context(), rt, named{crooked{rt, "products", off, nil}, "OpenVINO-bf16"})
		if err != nil || s.OK() != fine || s.CPU <= 0 || s.Device <= 0 {
			t.Errorf("%v off: %+v, %v", off, s, err)
		}
	}
}

// WebGPU computes in float32 throughout, so that half a percent is a fault there, and rounding on CUDA.
func TestEveryDeviceHasItsTolerance(t *testing.T) {
	for name, want := range map[string]float64{"CUDA": 2e-2, "CUDA:1": 2e-2, "WebGPU": 1e-3, "WebGPU:1": 1e-3, "OpenVINO": 1e-4, "OpenVINO-bf16": 2e-2} {
		if got := tolerance(named{name: name}); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
