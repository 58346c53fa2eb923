package ort

import (
	"os"
	"testing"

	"realword/inference/ort/internal/native"
	"realword/inference/session"
	"realword/inference/tensor"
)

// The way in which CUDA's plugin is used goes for every device that the library offers, also on a machine without a graphics card: the
// processor is one, and those of a plugin are, where REALWORD_TEST_PLUGIN names one, for instance that of the Python package
// onnxruntime-ep-openvino.
func TestPluginProvider(t *testing.T) {
	cpu := library(t)
	path := os.Getenv("REALWORD_TEST_PLUGIN")
	if path != "" {
		for range 2 { // the second time it is there already
			if err := register(cudaLibrary, path); err != nil {
				t.Fatal(err)
			}
		}
	}
	devices, err := native.Devices()
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	options := pluginOptions
	defer func() { pluginOptions = options }()
	pluginOptions = nil // they are CUDA's
	for _, d := range devices {
		strict := d.Provider != "CPUExecutionProvider"
		if strict != (path != "") {
			continue
		}
		tried++
		r := *cpu
		r.device = &cuda{plugin: &d}
		if r.memory = d.Memory(); r.memory == nil {
			r.memory = cpu.cpu
		}
		p, q := chain(t)
		first := open(t, &r, p, session.Options{Strict: strict, Once: true}).(session.Keeper)
		second := open(t, &r, q, session.Options{Strict: strict}).(session.Keeper)
		kept, err := first.Keep(t.Context(), map[string]*tensor.Tensor{"x": tensor.Of([]float32{1, 2, 3, 4}, 2, 2)})
		if err != nil {
			t.Fatalf("%s: %v", d.Provider, err)
		}
		out, err := second.RunKept(t.Context(), nil, kept)
		if err != nil || out["y"].F32[3] != 12 {
			t.Errorf("%s: %v, %v", d.Provider, out["y"], err)
		}
		session.CloseAll(kept)
	}
	if tried == 0 {
		t.Errorf("no device is offered, of %q", path)
	}
}
