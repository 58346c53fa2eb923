package main

import (
	"slices"
	"strings"
	"testing"

	"realword/inference/ort"
)

func TestAdvice(t *testing.T) {
	home(t)
	driver := ort.Component{Name: ort.NVIDIADriver, File: "libcuda.so.1", State: ort.Found}
	blas := ort.Component{Name: "cuBLAS", File: "libcublas.so.13", State: ort.Missing, Package: "nvidia-cublas"}
	lt := ort.Component{Name: "cuBLASLt", File: "libcublasLt.so.13", State: ort.WrongMajor, Package: "nvidia-cublas"}
	dnn := ort.Component{Name: "cuDNN", File: "libcudnn.so.9", State: ort.Missing, Package: "nvidia-cudnn-cu13", Optional: true}
	provider := ort.Component{Name: "CUDA provider", File: "libonnxruntime_providers_cuda.so", State: ort.Missing}
	missing := driver
	missing.State = ort.Missing
	made, err := ort.CacheFolder()
	if err != nil {
		t.Fatal(err)
	}
	fine := []finding{{name: "ONNX Runtime", needed: true, ok: true}, {name: "Display", ok: true}}
	radeon := &verdict{Usable: true, Card: "AMD Radeon RX 7800 XT"}
	for name, c := range map[string]struct {
		findings []finding
		ways
		want []string // text and remedy of each
	}{
		"no card": {fine, ways{threads: 2}, []string{
			"Pictures are made on the CPU, with 2 threads.", "",
			"A graphics card would be faster; this machine shows none that can be used.", "",
		}},
		"no OpenVINO": {fine, ways{threads: 2, noOpenVINO: true, embedded: true}, []string{
			"Pictures are made on the CPU, with 2 threads.", "",
			"Large models of your own would be faster on this processor by OpenVINO.", ort.FetchOpenVINO,
		}},
		"no OpenVINO on a processor with bf16": {fine, ways{threads: 2, noOpenVINO: true, half: true}, []string{
			"Pictures are made on the CPU, with 2 threads.", "",
			"Models of your own would be about twice as fast on this processor by OpenVINO, in half precision (bf16, approximate).",
			ort.FetchOpenVINO,
		}},
		"no OpenVINO, but a card without a driver": {fine, ways{threads: 2, noOpenVINO: true, cards: []string{"AMD"}}, []string{
			"Pictures are made on the CPU, with 2 threads.", "",
			"The graphics card (AMD) would be faster; its Vulkan driver is missing.", ort.GraphicsDriver,
		}},
		"OpenVINO": {fine, ways{threads: 2, processor: "openvino"}, []string{
			"Pictures are made on the CPU by OpenVINO.", "", "A graphics card would be faster; this machine shows none that can be used.", "",
		}},
		"OpenVINO in half precision": {fine, ways{threads: 2, processor: "openvino-bf16"}, []string{
			"Pictures are made on the CPU by OpenVINO, in half precision (bf16, approximate).", "",
			"A graphics card would be faster; this machine shows none that can be used.", "",
		}},
		"OpenVINO with the built-in model": {fine, ways{threads: 2, processor: "openvino", embedded: true}, []string{
			"Pictures are made on the CPU, with 2 threads.", "", "A graphics card would be faster; this machine shows none that can be used.", "",
		}},
		"a card by WebGPU": {fine, ways{webgpu: radeon, cards: []string{"AMD"}}, []string{"Pictures are made on AMD Radeon RX 7800 XT (WebGPU).", ""}},
		"the same with the built-in model": {fine, ways{webgpu: radeon, embedded: true}, []string{
			"Pictures are made on AMD Radeon RX 7800 XT (WebGPU); with the built-in model, which is too small for it, on the CPU.", "",
		}},
		"a card without a driver": {fine, ways{threads: 8, cards: []string{"AMD", "Intel"}}, []string{
			"Pictures are made on the CPU, with 8 threads.", "",
			"The graphics card (AMD, Intel) would be faster; its Vulkan driver is missing.", ort.GraphicsDriver,
		}},
		"a card that computes wrong": {fine, ways{threads: 8, webgpu: &verdict{Reason: `the stage "vision" gives wrong results on it, 1.0e-01 away from the CPU: update the graphics driver`}}, []string{
			"Pictures are made on the CPU, with 8 threads.", "",
			`The graphics card would be faster, but failed its self-test: the stage "vision" gives wrong results on it, 1.0e-01 away from the CPU.`,
			"update the graphics driver, then run `realword doctor` again",
		}},
		"Vulkan without its loader": {fine, ways{threads: 8, webgpu: &verdict{Reason: "the Vulkan library cannot be loaded (gone): install Vulkan's loader: `apt install libvulkan1`"}}, []string{
			"Pictures are made on the CPU, with 8 threads.", "",
			"The graphics card would be faster, but failed its self-test: the Vulkan library cannot be loaded (gone).", "install Vulkan's loader: `apt install libvulkan1`",
		}},
		"a card of software beside a card": {fine, ways{threads: 1, cards: []string{"AMD"}, webgpu: &verdict{Software: true}}, []string{
			"Pictures are made on the CPU, with 1 thread.", "",
			"The graphics card (AMD) would be faster; its Vulkan driver is missing.", ort.GraphicsDriver,
		}},
		"a card of software": {fine, ways{threads: 1, webgpu: &verdict{Software: true, Reason: "llvmpipe is a software device"}}, []string{
			"Pictures are made on the CPU, with 1 thread.", "",
			"A graphics card would be faster; this machine shows none that can be used.", "",
		}},
		"NVIDIA without a driver": {fine, ways{threads: 2, cards: []string{"NVIDIA"}, components: []ort.Component{missing, blas, provider}}, []string{
			"Pictures are made on the CPU, with 2 threads.", "",
			"The NVIDIA graphics card would be faster; its driver is missing.", "install NVIDIA's driver for this graphics card",
		}},
		"NVIDIA by WebGPU, built from source": {fine, ways{
			webgpu: &verdict{Usable: true, Card: "NVIDIA GeForce RTX 4070"}, library: made + "/libonnxruntime.so.1",
			components: []ort.Component{driver, blas, lt, dnn, provider},
		}, []string{
			"Pictures are made on NVIDIA GeForce RTX 4070 (WebGPU).", "",
			"CUDA on the NVIDIA graphics card would be faster; it lacks libraries.", "make deps DEVICE=cuda && pip install nvidia-cublas nvidia-cudnn-cu13",
		}},
		"NVIDIA, out of a package": {fine, ways{threads: 2, library: "/usr/lib/realword/libonnxruntime.so.1", components: []ort.Component{driver, blas, provider}}, []string{
			"Pictures are made on the CPU, with 2 threads.", "",
			"CUDA on the NVIDIA graphics card would be faster; it lacks libraries.",
			"pip install onnxruntime-gpu==" + ort.Version + " nvidia-cublas; then set REALWORD_ONNXRUNTIME to its folder onnxruntime/capi",
		}},
		"CUDA without cuDNN": {fine, ways{cuda: &verdict{Usable: true, Card: "NVIDIA H100"}, components: []ort.Component{driver, dnn}}, []string{
			"Pictures are made on NVIDIA H100 (CUDA).", "",
			"It would be faster with all of NVIDIA's libraries.", "pip install nvidia-cudnn-cu13",
		}},
		"CUDA with everything": {fine, ways{cuda: &verdict{Usable: true, Card: "NVIDIA H100"}, webgpu: radeon, components: []ort.Component{driver}}, []string{
			"Pictures are made on NVIDIA H100 (CUDA).", "",
		}},
		"no library, no display": {[]finding{
			{name: "ONNX Runtime", needed: true, detail: "it is gone", remedy: "make deps"},
			{name: "Cache", needed: true, ok: true},
			{name: "Display", detail: "DISPLAY is not set", remedy: "log in"},
			{name: "OpenGL", remedy: "a driver"},
		}, ways{}, []string{
			"Pictures cannot be made. ONNX Runtime: it is gone.", "make deps",
			"The window cannot open: DISPLAY is not set.", "log in",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, a := range advise(c.findings, c.ways) {
				got = append(got, a.text, a.remedy)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("the advice is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// TestCardsBesideTheFirst: doctor names every card that WebGPU sees, and how it is chosen, or why it cannot be.
func TestCardsBesideTheFirst(t *testing.T) {
	v := verdict{Card: "RTX 4070", Usable: true, Cards: []card{
		{Name: "RTX 4070", Text: "RTX 4070, 12 GB"},
		{Name: "Radeon 780M", Text: "Radeon 780M, 4 GB"},
		{Name: "llvmpipe", Text: "llvmpipe, a software device", Why: "WebGPU computes on llvmpipe only where there is no other graphics card"},
	}}
	var out strings.Builder
	report(&out, otherCards(v))
	for _, want := range []string{
		"found    webgpu:1        Radeon 780M, 4 GB; --device webgpu:1 computes on it\n",
		"found    webgpu:2        llvmpipe, a software device; WebGPU computes on llvmpipe only where there is no other graphics card\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "RTX") {
		t.Errorf("the first card is named twice:\n%s", out.String())
	}
}

// A Mac's graphics driver is a part of macOS.
func TestAMacIsUpdatedInPlaceOfADriver(t *testing.T) {
	for system, update := range map[string]string{"darwin": "update macOS", "linux": "update the graphics driver", "windows": "update the graphics driver"} {
		got := failedOn(system, "The graphics card", &verdict{Reason: "it crashed: " + newerDriver(system)})
		if want := (advice{"The graphics card would be faster, but failed its self-test: it crashed.", update + ", then run `realword doctor` again"}); got != want {
			t.Errorf("on %s: %v, want %v", system, got, want)
		}
	}
}
