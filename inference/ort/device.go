package ort

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"

	binding "github.com/yalue/onnxruntime_go"

	"realword/inference/message"
	"realword/inference/ort/internal/native"
	"realword/inference/session"
)

// Kind is a way to compute.
type Kind string

// The kinds of devices.
const (
	CPU    Kind = "cpu"
	CUDA   Kind = "cuda"
	WebGPU Kind = "webgpu"
	// OpenVINOExact and OpenVINOHalf are the processor once more, by way of Intel's OpenVINO: exact, and in half precision (bf16).
	OpenVINOExact Kind = "openvino"
	OpenVINOHalf  Kind = "openvino-bf16"
)

// ParseDevice reads the name of a device: cpu (or nothing), openvino, openvino-bf16, cuda, cuda:1, webgpu, webgpu:1. The index is that of
// NVIDIA's driver, or that in Adapters.
func ParseDevice(name string) (kind Kind, index int, err error) {
	word, number, numbered := strings.Cut(strings.ToLower(name), ":")
	if name == "" {
		return CPU, 0, nil
	}
	if numbered {
		if index, err = strconv.Atoi(number); err != nil || index < 0 || Kind(word).onProcessor() {
			word = ""
		}
	}
	switch kind = Kind(word); kind {
	case CPU, CUDA, WebGPU, OpenVINOExact, OpenVINOHalf:
		return kind, index, nil
	}
	return "", 0, fmt.Errorf("there is no device %q: choose cpu, openvino, openvino-bf16, cuda, webgpu, or cuda:1 or webgpu:1 for the second graphics card", name)
}

// onProcessor tells whether the kind computes on the processor, of which there is one.
func (k Kind) onProcessor() bool { return k == CPU || k == OpenVINOExact || k == OpenVINOHalf }

// accelerator is a device other than the processor, as this process uses it.
type accelerator interface {
	// place is its name for session.Placed.
	place() string
	// choose gives the device its turn in the options of a session over a graph, which may be nil.
	choose(o *binding.SessionOptions, m *model, opts session.Options) error
	// handBack has the device's memory given back after a run, for a session that hardly runs again.
	handBack(o *binding.RunOptions) error
}

// cuda is a graphics card as this process uses it.
type cuda struct {
	index  int
	more   map[string]string // options of the built-in provider, before ours
	plugin *native.Device    // nil: the provider that lies beside the library
	memory *native.Memory
}

// What is set for the built-in provider, and those of it that the plugin knows. Memory grows by what is asked for, not by powers
// of two, because a large model fills the card; convolutions are chosen by rule, because measuring every new size takes
// longer than a picture; DEFAULT would take a slow way with cuDNN 9. Without one stream for all, every branch of every If has one of
// its own, with a handle of cuBLAS and one of cuDNN that keep memory: some 290 for SDXL's U-Net.
var (
	cudaOptions = map[string]string{
		"arena_extend_strategy": "kSameAsRequested", "cudnn_conv_algo_search": "HEURISTIC", "cudnn_conv_use_max_workspace": "1", "use_tf32": "1",
		"use_ep_level_unified_stream": "1",
	}
	pluginOptions = map[string]string{"use_tf32": "1"}
)

// attentionWithoutPlans are all kernels of attention that a card may have but cuDNN's, which the library takes on an H100. Those make a
// plan for every number of rows that they meet, in 0.1 s, and masks change step by step; of plans that are there already, the library
// finds some only by chance, because its key has bytes in it that nobody sets.
const attentionWithoutPlans = "119" // 127 without 8

// pluginName is the plugin's provider, cudaLibrary the name under which its library is registered.
const (
	pluginName  = "CudaPluginExecutionProvider"
	cudaLibrary = "realword-cuda"
)

// cudaLoad is loading CUDA's libraries into this process, which happens once.
var cudaLoad struct {
	sync.Mutex
	done bool
	list []Component
}

// LoadComponents loads the libraries that Components found, each by its whole path, so that no search path has to be set, and
// says which cannot be loaded and why. The provider's own libraries are left to ONNX Runtime: they must find it there when
// they are loaded. A broken driver can end the process: Realword tries it in a child process first.
func LoadComponents(library string) []Component {
	cudaLoad.Lock()
	defer cudaLoad.Unlock()
	if cudaLoad.done {
		return cudaLoad.list
	}
	list := Components(library)
	native.KeepSignals(func() {
		for i, c := range list {
			if c.State != Found || strings.Contains(c.File, "onnxruntime") {
				continue
			}
			// cuDNN looks for its own parts by name, on Windows along PATH: pip's lie beside it, in a folder that is not there.
			if runtime.GOOS == "windows" && strings.HasPrefix(c.File, "cudnn") {
				_ = os.Setenv("PATH", filepath.Dir(c.Path)+string(os.PathListSeparator)+os.Getenv("PATH"))
			}
			if err := native.Load(c.Path); err != nil {
				list[i].State, list[i].Note = Unloadable, err.Error()
				list[i].Remedy = "install it again"
			}
		}
	})
	cudaLoad.done, cudaLoad.list = true, list
	return list
}

// GPU is a graphics card as its driver names it.
type GPU struct {
	Name   string
	Memory uint64 // bytes
}

// GPUs asks NVIDIA's driver for the graphics cards and the newest version of CUDA that it serves. See LoadComponents.
func GPUs(list []Component) (cards []GPU, version string, err error) {
	for _, c := range list {
		if c.Name == NVIDIADriver && c.State == Found {
			native.KeepSignals(func() {
				var found []native.GPU
				found, version, err = native.GPUs(c.Path)
				for _, g := range found {
					cards = append(cards, GPU(g))
				}
			})
			return cards, version, err
		}
	}
	return nil, "", message.New("there is no NVIDIA driver")
}

// useCUDA makes a graphics card the device of the runtime.
func (r *Runtime) useCUDA(index int, more map[string]string) error {
	list := LoadComponents(r.library)
	if len(list) == 0 {
		return message.New("CUDA is not available on this system: use the device cpu")
	}
	var problems []error
	for _, c := range list {
		if c.State != Found && !c.Optional {
			problems = append(problems, fmt.Errorf("%s (%s) is %s: %s", c.Name, c.File, c.State, c.Remedy))
		}
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	provider := list[len(list)-1]
	device := &cuda{index: index, more: more}
	var err error
	native.KeepSignals(func() {
		if provider.File == pluginFiles[runtime.GOOS] {
			err = device.usePlugin(provider.Path)
		} else {
			err = device.useBuiltIn(provider.Path)
		}
	})
	if err != nil {
		return message.Errorf("CUDA does not start: %w", err)
	}
	r.device, r.memory = device, device.memory
	return nil
}

var registered sync.Map // paths of registered libraries

// register has the library load a plugin, under a name of ours.
func register(name, path string) error {
	if _, done := registered.Load(path); done {
		return nil
	}
	if err := binding.RegisterExecutionProviderLibrary(name, path); err != nil {
		return err
	}
	registered.Store(path, true)
	return nil
}

func (c *cuda) usePlugin(path string) error {
	if err := register(cudaLibrary, path); err != nil {
		return fmt.Errorf("the plugin %s: %s", path, essence(err))
	}
	devices, err := native.Devices()
	if err != nil {
		return err
	}
	var mine []native.Device
	for _, d := range devices {
		if d.Provider == pluginName {
			mine = append(mine, d)
		}
	}
	if c.index >= len(mine) {
		return fmt.Errorf("there is no device cuda:%d: the provider offers %d", c.index, len(mine))
	}
	c.plugin = &mine[c.index]
	if c.memory = c.plugin.Memory(); c.memory == nil {
		return fmt.Errorf("the provider of %s has no device memory", path)
	}
	return nil
}

func (c *cuda) useBuiltIn(path string) (err error) {
	o, err := binding.NewSessionOptions()
	if err != nil {
		return err
	}
	defer o.Destroy()
	if err := c.choose(o, nil, session.Options{Once: true}); err != nil {
		// This way in says no more than "failed to load"; the other one has the loader's words.
		if why := register(cudaLibrary, path); why != nil {
			err = why
		}
		return fmt.Errorf("the provider %s: %s", path, essence(err))
	}
	c.memory, err = native.NewMemory("Cuda", c.index)
	return err
}

// choose implements accelerator.
func (c *cuda) choose(o *binding.SessionOptions, _ *model, opts session.Options) error {
	if c.plugin != nil {
		return o.AppendExecutionProviderV2([]binding.EpDevice{c.plugin.EpDevice}, pluginOptions)
	}
	options, err := binding.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	defer options.Destroy()
	all := maps.Clone(cudaOptions) // at once: what an update does not name is the default again
	if !opts.Once {
		all["sdpa_kernel"] = attentionWithoutPlans
	}
	maps.Copy(all, c.more)
	all["device_id"] = strconv.Itoa(c.index)
	if err := options.Update(all); err != nil {
		return err
	}
	return o.AppendExecutionProviderCUDA(options)
}

// handBack implements accelerator. The plugin keeps its memory in a way
// of its own and knows no such key.
func (c *cuda) handBack(o *binding.RunOptions) error {
	if c.plugin != nil {
		return nil
	}
	return o.AddRunConfigEntry("memory.enable_memory_arena_shrinkage", fmt.Sprintf("gpu:%d", c.index))
}

// place implements accelerator.
func (c *cuda) place() string { return numbered("CUDA", c.index) }

func numbered(name string, index int) string {
	if index == 0 {
		return name
	}
	return fmt.Sprintf("%s:%d", name, index)
}

// Provider implements session.Placed.
func (r *Runtime) Provider() (name, why string) {
	if r.device == nil {
		return "CPU", ""
	}
	return r.device.place(), ""
}

// deviceError marks what went wrong on a device other than the processor, and on the processor what lacked memory.
func (r *Runtime) deviceError(err error) error {
	if err == nil || r.device == nil {
		if err != nil && outOfMemory(err) {
			return fmt.Errorf("%w: %w", session.ErrMemory, err)
		}
		return err
	}
	name, _ := r.Provider()
	return &session.DeviceError{Device: name, OutOfMemory: outOfMemory(err), Why: essence(err), Err: err}
}

var cudaFailure = regexp.MustCompile(`(?:CUDA|CUBLAS|CUDNN) failure -?\d+: [^;]*[^; ]`)

// essence is what people can use of an error of the provider: CUDA's own words where they are in it, and never more than a line.
func essence(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if m := cudaFailure.FindString(text); m != "" {
		return m
	}
	// What the library says of a condition that does not hold comes after its place in the source.
	if place, words, found := strings.Cut(text, " was false. "); found && strings.Contains(place, "onnxruntime") {
		text = words
	}
	if r := []rune(text); len(r) > 240 {
		return string(r[:240]) + "…"
	}
	return text
}

// outOfMemory knows the library's texts, because its error codes do not tell.
func outOfMemory(err error) bool {
	text := strings.ToLower(err.Error())
	for _, words := range []string{
		"out of memory", "out_of_device_memory", "out_of_host_memory", "outofmemory", "failed to allocate memory",
		"bad_alloc", "cannot allocate memory", "cuda failure 2:", "bad allocation", "cublas_status_alloc_failed", "cudnn_status_alloc_failed",
	} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}
