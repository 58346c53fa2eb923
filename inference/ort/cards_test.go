package ort

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"realword/inference/ort/internal/native"
	"realword/inference/session"
)

func TestGraphicsCards(t *testing.T) {
	there := pciDevices
	defer func() { pciDevices = there }()
	pciDevices = t.TempDir()
	for name, d := range map[string][2]string{
		"0000:00:02.0": {"0x030000\n", "0x8086\n"}, // a screen of Intel's processor
		"0000:00:1f.3": {"0x040300\n", "0x8086\n"}, // sound
		"0000:01:00.0": {"0x030200\n", "0x10de\n"}, // a card without a screen
		"0000:02:00.0": {"0x030000\n", "0x1a03\n"}, // a server's screen
		"0000:03:00.0": {"0x030000\n", "0x10de\n"},
	} {
		dir := filepath.Join(pciDevices, name)
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		for i, file := range []string{"class", "vendor"} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(d[i]), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := GraphicsCards(); !slices.Equal(got, []string{"Intel", "NVIDIA"}) {
		t.Errorf("the cards are %v", got)
	}
}

func TestCardMemory(t *testing.T) {
	there := pciDevices
	defer func() { pciDevices = there }()
	pciDevices = t.TempDir()
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	t.Setenv("CUDA_VISIBLE_DEVICES", "")
	t.Setenv("CUDA_DEVICE_ORDER", "")
	want := func(device string, free, total int64) {
		t.Helper()
		if f, n := CardMemory(t.Context(), device); f != free<<20 || n != total<<20 {
			t.Errorf("%s has %d of %d MiB free, wanted %d of %d", device, f>>20, n>>20, free, total)
		}
	}
	want("CUDA", 0, 0) // nobody tells
	smi := func(table string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(bin, "nvidia-smi"), []byte("#!/bin/sh\necho '"+table+"'\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if runtime.GOOS != "windows" {
		smi("80994, 81559, NVIDIA H100 80GB HBM3\n100, 81559, NVIDIA H100 80GB HBM3")
		want("CUDA", 80994, 81559)
		want("CUDA:1", 100, 81559)
		want("CUDA:2", 0, 0)
		want("CPU", 0, 0)
		want("auto", 0, 0)
		want("WebGPU", 0, 0) // which of them nobody tells
		t.Setenv("CUDA_VISIBLE_DEVICES", "1")
		want("CUDA", 100, 81559)
		want("CUDA:1", 0, 0)
		t.Setenv("CUDA_VISIBLE_DEVICES", "GPU-1234")
		want("CUDA", 0, 0)
		t.Setenv("CUDA_VISIBLE_DEVICES", "")
		smi("4000, 8192, NVIDIA RTX 2060\n20000, 24576, NVIDIA RTX 4090")
		want("CUDA", 0, 0) // the fastest, whichever that is
		t.Setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
		want("CUDA:1", 20000, 24576)
		for _, table := range []string{"", "Failed to initialize NVML", "[N/A], [N/A], NVIDIA GB10", "9, 8, less", "-1, 8, less"} {
			smi(table)
			want("CUDA", 0, 0)
		}
	}
	dir := filepath.Join(pciDevices, "0000:03:00.0")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{"mem_info_vram_total": "8589934592\n", "mem_info_vram_used": "1073741824\n"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want("WebGPU", 7168, 8192)
	want("WebGPU:1", 0, 0)      // another one, of which nobody tells
	want("openvino-bf16", 0, 0) // the processor
}

// TestCardOfARuntime: what a runtime says of its card, and whose memory it believes.
func TestCardOfARuntime(t *testing.T) {
	asked := func() (free, total int64) { return 5 << 30, 8 << 30 }
	sharing := map[string]func() (all, left int64){
		"of Apple's":                      func() (all, left int64) { return 12 << 30, 5 << 30 },
		"of Apple's, with nothing beside": func() (all, left int64) { return 12 << 30, 11 << 30 },
		"of Apple's, with all taken":      func() (all, left int64) { return 12 << 30, 0 },
	}
	for name, c := range map[string]struct {
		device accelerator
		want   session.Card
		ok     bool
	}{
		"the processor":      {nil, session.Card{}, false},
		"OpenVINO":           {&openVINO{}, session.Card{}, false},
		"CUDA":               {&cuda{index: 1}, session.Card{Name: "CUDA:1", Free: 5 << 30, Total: 8 << 30, Graphs: true, Fused: true}, true},
		"the plugin of CUDA": {&cuda{plugin: &native.Device{}}, session.Card{Name: "CUDA", Free: 5 << 30, Total: 8 << 30, Fused: true}, true},
		"WebGPU, which says the same": {
			&webGPU{adapter: Adapter{Memory: 8<<30 - 1<<28}, halves: true}, session.Card{Name: "WebGPU", Free: 5 << 30, Total: 8 << 30, Halves: true}, true,
		},
		"another card":                    {&webGPU{adapter: Adapter{Memory: 16 << 30}, fused: true}, session.Card{Name: "WebGPU", Total: 16 << 30, Fused: true}, true},
		"a card that says nothing":        {&webGPU{adapter: Adapter{rank: discrete}}, session.Card{Name: "WebGPU", Free: 5 << 30, Total: 8 << 30}, true},
		"one in the processor":            {&webGPU{adapter: Adapter{rank: integrated}}, session.Card{Name: "WebGPU"}, true},
		"one that is a program only":      {&webGPU{adapter: Adapter{Memory: 8 << 30, Software: true}}, session.Card{Name: "WebGPU"}, true},
		"of Apple's":                      {&webGPU{adapter: Adapter{rank: integrated}}, session.Card{Name: "WebGPU", Free: 5 << 30, Total: 8 << 30}, true},
		"of Apple's, with nothing beside": {&webGPU{adapter: Adapter{rank: integrated}}, session.Card{Name: "WebGPU", Free: 8 << 30, Total: 8 << 30}, true},
		"of Apple's, with all taken":      {&webGPU{adapter: Adapter{rank: integrated}}, session.Card{Name: "WebGPU", Free: 1, Total: 8 << 30}, true},
	} {
		r := &Runtime{device: c.device, asked: asked, shared: sharing[name]}
		if got, ok := r.Card(); got != c.want || ok != c.ok {
			t.Errorf("%s: %t, %+v, wanted %+v", name, ok, got, c.want)
		}
	}
}
