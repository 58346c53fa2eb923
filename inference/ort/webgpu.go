package ort

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"realword/inference/ort/internal/native"
)

// Adapter is a graphics card as the system's interface for graphics names it: Vulkan on Linux, Direct3D 12 on Windows, Metal on
// macOS.
type Adapter struct {
	Name     string
	Driver   string // name and version, "" where the system does not tell
	Memory   uint64 // bytes of its own, 0 where the system does not tell
	Software bool   // the processor plays the card, slower than the processor itself
	rank     int    // the library takes the lowest
}

// String is the adapter in a line for people.
func (a Adapter) String() string {
	text := a.Name
	if a.Memory > 0 {
		text += fmt.Sprintf(", %.0f GB", float64(a.Memory)/1e9)
	}
	if a.Driver != "" {
		text += ", " + a.Driver
	}
	if a.Software {
		text += ", made of software"
	}
	return text
}

// What a system without a graphics card that WebGPU can use is told.
const (
	loaderRemedy = "install Vulkan's loader: `apt install libvulkan1`, `dnf install vulkan-loader` or `pacman -S vulkan-icd-loader`"
	driverRemedy = "install the Vulkan driver of the graphics card: `apt install mesa-vulkan-drivers` for AMD and Intel, NVIDIA's own driver for NVIDIA"
)

var errNoAdapter = errors.New("there is no graphics card that WebGPU can use")

// Adapters lists the graphics cards that WebGPU can use, the one that it takes by itself first. The list starts every graphics
// driver, which a broken one may not survive: call it in a child process. library is the path of ONNX Runtime.
func Adapters(library string) (list []Adapter, err error) {
	native.KeepSignals(func() {
		if runtime.GOOS == "linux" {
			list, err = vulkanAdapters(library)
		} else {
			list, err = offeredAdapters(library)
		}
	})
	slices.SortStableFunc(list, byRank)
	return list, err
}

func byRank(a, b Adapter) int { return a.rank - b.rank }

// vulkan is loading Vulkan's loader, which happens once and before the library looks for it.
var vulkan struct {
	sync.Mutex
	path string
}

const vulkanLoader = "libvulkan.so.1"

// loadVulkan loads Vulkan's loader from beside the library or the program, else from where the system has it.
func loadVulkan(library string) (path string, err error) {
	vulkan.Lock()
	defer vulkan.Unlock()
	if vulkan.path != "" {
		return vulkan.path, nil
	}
	path = vulkanLoader
	if own := filepath.Join(filepath.Dir(library), vulkanLoader); isFile(own) {
		path = own
	}
	if err := native.Load(path); err != nil {
		return "", fmt.Errorf("Vulkan cannot be loaded (%w): %s", err, loaderRemedy)
	}
	vulkan.path = path
	return path, nil
}

func vulkanAdapters(library string) ([]Adapter, error) {
	loader, err := loadVulkan(library)
	if err != nil {
		return nil, err
	}
	found, err := native.VulkanAdapters(loader)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, driverRemedy)
	}
	return fromVulkan(found), nil
}

// fromVulkan ranks devices as the library does: cards of their own, then those that share the processor's memory, then the rest.
func fromVulkan(found []native.Adapter) []Adapter {
	const integrated, discrete, software = 1, 2, 4
	list := make([]Adapter, len(found))
	for i, a := range found {
		list[i] = Adapter{Name: a.Name, Driver: a.Driver, Memory: a.Memory, Software: a.Kind == software, rank: 3}
		switch a.Kind {
		case discrete:
			list[i].rank = 0
		case integrated:
			list[i].rank = 1
		case software:
			list[i].rank = 2
		}
	}
	return list
}

// offeredAdapters lists what the library itself names on systems without Vulkan.
func offeredAdapters(library string) ([]Adapter, error) {
	if err := load(library); err != nil {
		return nil, err
	}
	devices, err := native.Devices()
	if err != nil {
		return nil, err
	}
	return fromDevices(devices), nil
}

const webGPUName = "WebGpuExecutionProvider"

// fromDevices takes the library's own list.
func fromDevices(devices []native.Device) (list []Adapter) {
	for _, d := range devices {
		if d.Provider != webGPUName || !d.GPU {
			continue
		}
		const microsoft, basicRender = 0x1414, 0x8c
		a := Adapter{Name: d.Hardware["Description"], Software: d.VendorID == microsoft && d.DeviceID == basicRender, rank: 1}
		if a.Name == "" {
			a.Name = strings.TrimSpace(d.Vendor + " graphics")
		}
		if d.Hardware["Discrete"] == "1" {
			a.rank = 0
		}
		if a.Software {
			a.rank = 2
		}
		list = append(list, a)
	}
	return list
}

// webGPU is a graphics card that the provider inside the library uses.
type webGPU struct {
	index   int
	adapter Adapter
}

func (w *webGPU) place() string { return numbered("WebGPU", w.index) }

func (w *webGPU) choose(o *native.SessionOptions) error {
	return o.AppendProvider("WebGPU", nil)
}

// handBack does nothing: the provider keeps its buffers by a rule of its own.
func (w *webGPU) handBack(*native.RunOptions) error { return nil }

// useWebGPU makes a graphics card the device of the runtime.
func (r *Runtime) useWebGPU(index int) error {
	list, err := Adapters(r.library)
	if err != nil {
		return fmt.Errorf("WebGPU does not start: %w", err)
	}
	if len(list) == 0 {
		return fmt.Errorf("%w: %s", errNoAdapter, driverRemedy)
	}
	if index >= len(list) {
		return fmt.Errorf("there is no device webgpu:%d: the system names %s", index, plural(len(list), "graphics card"))
	}
	if index > 0 {
		return fmt.Errorf("WebGPU computes on %s alone: webgpu:%d cannot be chosen", list[0].Name, index)
	}
	w := &webGPU{index: index, adapter: list[index]}
	native.KeepSignals(func() {
		var o *native.SessionOptions
		if o, err = native.NewSessionOptions(); err == nil {
			err = w.choose(o)
			o.Close()
		}
	})
	switch {
	case err != nil && strings.Contains(err.Error(), "WebGPU execution provider is not"):
		return fmt.Errorf("%s has no WebGPU: %s", r.library, remedy)
	case err != nil:
		return fmt.Errorf("WebGPU does not start on %s: %s", w.adapter.Name, essence(err))
	}
	// The name by which the library knows the provider's memory.
	if r.memory, err = native.NewMemory("WebGPU_Buffer", 0); err != nil {
		return fmt.Errorf("WebGPU does not start on %s: %w", w.adapter.Name, err)
	}
	r.device = w
	return nil
}

// Adapter is the graphics card that WebGPU computes on; ok is false on other devices.
func (r *Runtime) Adapter() (a Adapter, ok bool) {
	if w, is := r.device.(*webGPU); is {
		return w.adapter, true
	}
	return Adapter{}, false
}

// FindFor is Find for a kind of device: the build with CUDA has no WebGPU, so that the other one of the cache is taken for it.
func FindFor(kind Kind, library string) (string, error) {
	if kind == WebGPU && library == "" && os.Getenv(EnvLibrary) == "" {
		if found, err := Find(""); err == nil {
			if plain, with := strings.CutSuffix(filepath.Dir(found), cudaSuffix); with {
				if other, ok := inFolder(plain); ok {
					return other, nil
				}
			}
		}
	}
	return Find(library)
}
