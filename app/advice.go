package main

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"realword/inference/ort"
)

// ways are what the doctor found to make pictures with.
type ways struct {
	embedded     bool // the model is the built-in one, which is too small for WebGPU (choose)
	library      string
	threads      int
	processor    string   // the device of choose where no card is used; "" is cpu
	cards        []string // makers of the graphics cards, where the system tells
	cuda, webgpu *verdict // nil: not tried
	noOpenVINO   bool     // it is not there, and this processor could use it
	half         bool     // the processor has products of half precision
	components   []ort.Component
}

// advice is a sentence and what to do about it, "" where there is nothing to do.
type advice struct{ text, remedy string }

// advise says what matters: what makes the pictures, what would make them faster, and whether something keeps the program from its work.
// Everything else is for who asks for it.
func advise(findings []finding, w ways) (list []advice) {
	for _, f := range findings {
		if f.needed && !f.ok {
			list = append(list, advice{fmt.Sprintf("Pictures cannot be made. %s: %s.", f.name, f.detail), f.remedy})
		}
	}
	if len(list) == 0 {
		list = append(list, advice{text: w.now()})
		if faster := w.faster(); faster.text != "" {
			list = append(list, faster)
		}
	}
	for _, f := range findings {
		switch {
		case f.ok:
		case f.name == "History":
			list = append(list, advice{fmt.Sprintf("Nothing goes into the history: %s.", f.detail), f.remedy})
		case f.name == "Display":
			return append(list, advice{fmt.Sprintf("The window cannot open: %s.", f.detail), f.remedy})
		case f.name == "OpenGL":
			list = append(list, advice{"The window may not open: there is no OpenGL driver in the usual folders.", f.remedy})
		}
	}
	return list
}

// now says what makes the pictures, as choose decides it.
func (w ways) now() string {
	switch {
	case usable(w.cuda):
		return fmt.Sprintf("Pictures are made on %s (CUDA).", w.cuda.Card)
	case usable(w.webgpu) && w.embedded:
		return fmt.Sprintf("Pictures are made on %s (WebGPU); with the built-in model, which is too small for it, on the CPU.", w.webgpu.Card)
	case usable(w.webgpu):
		return fmt.Sprintf("Pictures are made on %s (WebGPU).", w.webgpu.Card)
	case w.processor == "openvino-bf16" && !w.embedded:
		return "Pictures are made on the CPU by OpenVINO, in half precision (bf16, approximate)."
	case w.processor == "openvino" && !w.embedded:
		return "Pictures are made on the CPU by OpenVINO."
	case w.threads == 1:
		return "Pictures are made on the CPU, with 1 thread."
	}
	return fmt.Sprintf("Pictures are made on the CPU, with %d threads.", w.threads)
}

// failed is the advice after a trial that failed. Some of its reasons end with what to do, the rest has to do with the driver.
func failed(what string, v *verdict) advice { return failedOn(runtime.GOOS, what, v) }

func failedOn(system, what string, v *verdict) advice {
	reason := strings.TrimSuffix(v.Reason, ": "+newerDriver(system))
	reason, remedy, told := strings.Cut(reason, ": install ")
	if remedy = "install " + remedy; !told {
		remedy = newerDriver(system) + ", then run `realword doctor` again"
	}
	return advice{fmt.Sprintf("%s would be faster, but failed its self-test: %s.", what, reason), remedy}
}

func usable(v *verdict) bool { return v != nil && v.Usable }

// faster names the one thing that would make pictures faster; its text is empty where nothing would.
func (w ways) faster() advice {
	driver := slices.ContainsFunc(w.components, func(c ort.Component) bool { return c.Name == ort.NVIDIADriver && c.State == ort.Found })
	nvidia := driver || slices.Contains(w.cards, "NVIDIA") || usable(w.webgpu) && strings.Contains(w.webgpu.Card, "NVIDIA")
	switch {
	case usable(w.cuda):
		if !slices.ContainsFunc(w.components, func(c ort.Component) bool { return c.State != ort.Found }) {
			return advice{}
		}
		return advice{"It would be faster with all of NVIDIA's libraries.", w.installCUDA()}
	case w.cuda != nil:
		return failed("CUDA on the NVIDIA graphics card", w.cuda)
	case nvidia && driver && len(w.components) > 0:
		return advice{"CUDA on the NVIDIA graphics card would be faster; it lacks libraries.", w.installCUDA()}
	case usable(w.webgpu):
		return advice{}
	case nvidia:
		return advice{"The NVIDIA graphics card would be faster; its driver is missing.", "install NVIDIA's driver for this graphics card"}
	case w.webgpu != nil && !w.webgpu.Software && !strings.Contains(w.webgpu.Reason, ort.ErrNoAdapter.Error()):
		return failed("The graphics card", w.webgpu)
	case len(w.cards) > 0 && (w.webgpu == nil || w.webgpu.Software):
		return advice{fmt.Sprintf("The graphics card (%s) would be faster; its Vulkan driver is missing.", strings.Join(w.cards, ", ")), ort.GraphicsDriver}
	}
	switch {
	case w.noOpenVINO && w.half:
		return advice{
			"Models of your own would be about twice as fast on this processor by OpenVINO, in half precision (bf16, approximate).",
			ort.FetchOpenVINO,
		}
	case w.noOpenVINO:
		return advice{"Large models of your own would be faster on this processor by OpenVINO.", ort.FetchOpenVINO}
	}
	return advice{text: "A graphics card would be faster; this machine shows none that can be used."}
}

// installCUDA is one line that brings all of CUDA that is missing.
func (w ways) installCUDA() string {
	var packages []string
	provider := false
	for _, c := range w.components {
		switch {
		case c.State == ort.Found:
		case c.Package == "":
			provider = provider || strings.Contains(c.File, "onnxruntime")
		case !slices.Contains(packages, c.Package):
			packages = append(packages, c.Package)
		}
	}
	built := false // by make, which fetched the library, too
	if cache, err := ort.CacheFolder(); err == nil {
		built = strings.HasPrefix(filepath.Dir(w.library), cache)
	}
	switch pip := "pip install " + strings.Join(packages, " "); {
	case !provider:
		return pip
	case built && len(packages) == 0:
		return "make deps DEVICE=cuda"
	case built:
		return "make deps DEVICE=cuda && " + pip
	default:
		return strings.TrimSpace(fmt.Sprintf("pip install onnxruntime-gpu==%s %s", ort.Version, strings.Join(packages, " "))) +
			"; then set " + ort.EnvLibrary + " to its folder onnxruntime/capi"
	}
}
