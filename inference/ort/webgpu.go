package ort

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	binding "github.com/yalue/onnxruntime_go"

	"realword/inference/files"
	"realword/inference/message"
	"realword/inference/onnx"
	"realword/inference/ort/internal/native"
	"realword/inference/session"
	"realword/inference/tensor"
)

// Adapter is a graphics card as the system's interface for graphics names it: Vulkan on Linux, Direct3D 12 on Windows, Metal on
// macOS.
type Adapter struct {
	Name     string
	Driver   string // name and version, "" where the system does not tell
	Memory   uint64 // bytes of its own, 0 where the system does not tell
	Software bool   // the processor plays the card, slower than the processor itself
	rank     int    // the library takes the lowest
	id       string // of vendor and device, "1002:744c"; two cards of one kind have the same
}

// The ranks: cards of their own, those that share the processor's memory, software, and the rest.
const (
	discrete = iota
	integrated
	software
	other
)

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
		text += ", a software device"
	}
	return text
}

// What a system without a graphics card that WebGPU can use is told.
const loaderRemedy = "install Vulkan's loader: `apt install libvulkan1`, `dnf install vulkan-loader` or `pacman -S vulkan-icd-loader`"

// GraphicsDriver is what brings a card to WebGPU on this system.
var GraphicsDriver = graphicsDriver(runtime.GOOS)

func graphicsDriver(system string) string {
	switch system {
	case "linux":
		return "install the Vulkan driver of the graphics card: `apt install mesa-vulkan-drivers` for AMD and Intel, " +
			"NVIDIA's own driver for NVIDIA"
	case "darwin":
		return "update macOS, which has the driver of the graphics card within"
	}
	return "install the newest driver from the maker of the graphics card"
}

var ErrNoAdapter = message.New("there is no graphics card that WebGPU can use")

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
	if own := filepath.Join(filepath.Dir(library), vulkanLoader); files.Exists(own) {
		path = own
	}
	if err := native.Load(path); err != nil {
		return "", fmt.Errorf("the Vulkan library cannot be loaded (%w): %s", err, loaderRemedy)
	}
	vulkan.path = path
	return path, nil
}

// GraphicsDrivers describes the drivers of graphics cards, so that a verdict on a card can be given up with them: on Windows those that are
// installed, by name, version and date, on Linux those of Vulkan that are configured, by file and when that was changed, on macOS the
// system's own number. Nothing is loaded.
func GraphicsDrivers() []string { return installedDrivers() }

func vulkanDrivers() (list []string) {
	for _, name := range []string{"VK_DRIVER_FILES", "VK_ICD_FILENAMES"} {
		if value := os.Getenv(name); value != "" {
			list = append(list, name+"="+value)
		}
	}
	for _, dir := range vulkanFolders {
		files, _ := filepath.Glob(filepath.Join(dir, "*.json"))
		for _, file := range files {
			if info, err := os.Stat(file); err == nil {
				list = append(list, fmt.Sprint(file, info.Size(), info.ModTime().UnixNano()))
			}
		}
	}
	return list
}

var (
	vulkanFolders = []string{
		"/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d",
		"/usr/local/nvidia/share/vulkan/icd.d",
	}
	cardFiles = []string{"/dev/dri/renderD*", "/dev/nvidia[0-9]*", "/dev/dxg"}
)

// MayHaveWebGPU tells whether a trial of WebGPU is worth its time: on Linux the system shows a graphics card and a Vulkan driver is
// configured, elsewhere always.
func MayHaveWebGPU() bool {
	if runtime.GOOS != "linux" {
		return true
	}
	return len(vulkanDrivers()) > 0 && slices.ContainsFunc(cardFiles, func(pattern string) bool {
		found, _ := filepath.Glob(pattern)
		return len(found) > 0
	})
}

func vulkanAdapters(library string) ([]Adapter, error) {
	loader, err := loadVulkan(library)
	if err != nil {
		return nil, err
	}
	found, err := native.VulkanAdapters(loader)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, GraphicsDriver)
	}
	return fromVulkan(found), nil
}

// fromVulkan ranks devices as the library does: cards of their own, then those that share the processor's memory, then the rest.
func fromVulkan(found []native.Adapter) []Adapter {
	rank := map[int]int{1: integrated, 2: discrete, 4: software} // of VkPhysicalDeviceType
	list := make([]Adapter, len(found))
	for i, a := range found {
		r, known := rank[a.Kind]
		if !known {
			r = other
		}
		list[i] = Adapter{
			Name: a.Name, Driver: a.Driver, Memory: a.Memory, Software: r == software, rank: r, id: fmt.Sprintf("%x:%x", a.Vendor, a.DeviceID),
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
		a := Adapter{Name: d.Hardware["Description"], Software: d.VendorID == microsoft && d.DeviceID == basicRender, rank: integrated}
		a.id = fmt.Sprintf("%x:%x", d.VendorID, d.DeviceID)
		if a.Name == "" {
			a.Name = strings.TrimSpace(d.Vendor + " graphics")
		}
		if d.Hardware["Discrete"] == "1" {
			a.rank = discrete
		}
		if a.Software {
			a.rank = software
		}
		list = append(list, a)
	}
	return list
}

// webGPU is a graphics card that the provider inside the library uses.
type webGPU struct {
	index      int
	adapter    Adapter
	preference string // as choice has it
	fused      bool   // its fused attention computes right
	halves     bool   // it widens half precision right: large models keep their matrices in it (rewriter.halves)
}

func (w *webGPU) place() string { return numbered("WebGPU", w.index) }

// choose implements accelerator. Sines stay on the processor: those of a time step are of arguments up to 1000, and cards promise them
// only within ±π, to three digits. They are a few hundred numbers a pass.
func (w *webGPU) choose(o *binding.SessionOptions, m *model, _ session.Options) error {
	options := map[string]string{}
	if m != nil && len(m.waves) > 0 {
		options["forceCpuNodeNames"] = strings.Join(m.waves, "\n")
	}
	if w.preference != "" {
		options["powerPreference"] = w.preference
	}
	return o.AppendExecutionProvider("WebGPU", options)
}

// handBack does nothing: the provider keeps its buffers by a rule of its own.
func (w *webGPU) handBack(*binding.RunOptions) error { return nil }

// useWebGPU makes a graphics card the device of the runtime.
func (r *Runtime) useWebGPU(index int) error {
	taken.Lock()
	defer taken.Unlock()
	defer func() {
		if taken.card == nil {
			nameFirst("")
		}
	}()
	w, list, err := take(r.library, index)
	if err != nil {
		return err
	}
	native.KeepSignals(func() {
		var o *binding.SessionOptions
		if o, err = binding.NewSessionOptions(); err == nil {
			err = w.choose(o, nil, session.Options{})
			o.Destroy()
		}
	})
	switch {
	case err != nil && lacksProvider(err):
		return fmt.Errorf("%s has no WebGPU: %w", r.library, remedy)
	case err != nil:
		return message.Errorf("WebGPU does not start on %s: %s", w.adapter.Name, essence(err))
	}
	// The name by which the library knows the provider's memory.
	if r.memory, err = native.NewMemory("WebGPU_Buffer", 0); err != nil {
		return message.Errorf("WebGPU does not start on %s: %w", w.adapter.Name, err)
	}
	native.KeepSignals(func() { w.fused, w.halves = r.fusedIsRight(w), r.halvesAreRight(w) })
	r.device, taken.card, taken.list = w, w, list
	return nil
}

// lacksProvider knows the library's text, because its error codes do not tell.
func lacksProvider(err error) bool {
	return strings.Contains(err.Error(), "Unknown provider name") || strings.Contains(err.Error(), "not supported in this build") ||
		strings.Contains(err.Error(), "provider is not enabled")
}

// Adapter is the graphics card that WebGPU computes on; ok is false on other devices.
func (r *Runtime) Adapter() (a Adapter, ok bool) {
	if w, is := r.device.(*webGPU); is {
		return w.adapter, true
	}
	return Adapter{}, false
}

// Adapters are the graphics cards of which Adapter is one, in the order of their numbers; nil on other devices.
func (r *Runtime) Adapters() []Adapter {
	if _, is := r.device.(*webGPU); !is {
		return nil
	}
	taken.Lock()
	defer taken.Unlock()
	return slices.Clone(taken.list)
}

// FusedAttention tells whether the card's own attention computes right, so that graphs keep it; it is false on the processor.
func (r *Runtime) FusedAttention() bool {
	w, is := r.device.(*webGPU)
	return is && w.fused
}

// HalfWeights tells whether the card keeps the matrices of large models in half precision; it is false on the processor.
func (r *Runtime) HalfWeights() bool {
	w, is := r.device.(*webGPU)
	return is && w.halves
}

// FindFor is Find for a kind of device. Where nobody has named a library, the processor computes with the one that is loaded, since of two
// builds in the cache a device may have taken the other one; and the build with CUDA has no WebGPU, so that the one beside it is taken for
// that.
func FindFor(kind Kind, library string) (string, error) {
	if library != "" || os.Getenv(EnvLibrary) != "" {
		return Find(library)
	}
	if there := Loaded(); there != "" && kind != CUDA && kind != WebGPU {
		return there, nil
	}
	found, err := Find("")
	if plain, with := strings.CutSuffix(filepath.Dir(found), cudaSuffix); err == nil && kind == WebGPU && with {
		if other, ok := inFolder(plain); ok {
			return other, nil
		}
	}
	return found, err
}

// fusedIsRight tells whether the provider's own attention computes on this card as the processor does. It depends on the driver: on
// software Vulkan it is off by 7 %. Where it is right it saves the memory of the probabilities, which at 1024 pixels are most of all.
func (r *Runtime) fusedIsRight(w *webGPU) bool {
	if w.adapter.Software {
		return false
	}
	for _, s := range [][4]int{{5, 64, 64, 24}, {1, 80, 77, 64}, {1, 256, 256, 40}} { // batch, queries, keys, width of a head
		b, n, m, d := s[0], s[1], s[2], s[3]
		const heads = 2
		draw := uint64(1)
		random := func(shape ...int) *tensor.Tensor {
			t := tensor.Zeros(shape...)
			for i := range t.F32 {
				draw = draw*6364136223846793005 + 1442695040888963407
				t.F32[i] = 4*float32(draw>>40)/(1<<24) - 2
			}
			return t
		}
		in := []*tensor.Tensor{random(b, n, heads*d), random(b, m, heads*d), random(b, m, heads*d)}
		want, err1 := r.attend(nil, heads, in)
		got, err2 := r.attend(w, heads, in)
		if err1 != nil || err2 != nil || len(got) != len(want) {
			return false
		}
		var off, all float64
		for i, x := range want {
			e := float64(got[i]) - float64(x)
			off += e * e
			all += float64(x) * float64(x)
		}
		if !(off <= 1e-10*all) {
			return false
		}
	}
	return true
}

// halvesAreRight tells whether the card reads and writes half precision, which not every driver offers, and widens it exactly.
func (r *Runtime) halvesAreRight(w *webGPU) bool {
	const between = 1 + 1./4096 // two numbers of half precision
	x := tensor.Of([]float32{0, 1, -1.5, 65504, -6.1035156e-05, 0.33325195, 1023.5, between}, 8)
	y, err := r.compute(w, halvesModel(), []string{"x"}, []*tensor.Tensor{x})
	return err == nil && len(y) == 8 && slices.Equal(y[:7], x.F32[:7]) && (y[7] == 1 || y[7] == 1+1./1024)
}

// halvesModel is a graph file that takes x to half precision and back.
func halvesModel() []byte {
	cast := func(from, to string, kind int) onnx.Node {
		return onnx.Node{Op: "Cast", Name: to, Inputs: []string{from}, Outputs: []string{to}, Attrs: []onnx.Attr{{Name: "to", Value: kind}}}
	}
	m := onnx.Model{Graph: onnx.Graph{
		Name: "halves", Nodes: []onnx.Node{cast("x", "half", onnxF16), cast("half", "y", onnxF32)},
		Inputs:  []onnx.ValueInfo{{Name: "x", DType: tensor.F32, Shape: []int{-1}}},
		Outputs: []onnx.ValueInfo{{Name: "y", DType: tensor.F32, Shape: []int{-1}}},
	}}
	return m.Marshal()
}

// attend runs one MultiHeadAttention on a card, or on the processor where that is nil.
func (r *Runtime) attend(on *webGPU, heads int, in []*tensor.Tensor) ([]float32, error) {
	return r.compute(on, attentionModel(heads), []string{"q", "k", "v"}, in)
}

// compute runs a graph file of one output y once, on a card, or on the processor where that is nil.
func (r *Runtime) compute(on *webGPU, model []byte, names []string, in []*tensor.Tensor) ([]float32, error) {
	o, err := binding.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer o.Destroy()
	if on != nil {
		if err := on.choose(o, nil, session.Options{}); err != nil {
			return nil, err
		}
	}
	s, err := binding.NewDynamicAdvancedSessionWithONNXData(model, names, []string{"y"}, o)
	if err != nil {
		return nil, err
	}
	defer s.Destroy()
	var pin runtime.Pinner
	defer pin.Unpin()
	inputs := make([]binding.Value, len(in))
	for i, t := range in {
		if inputs[i], err = lent(t, &pin); err != nil {
			return nil, err
		}
		defer inputs[i].Destroy()
	}
	out := []binding.Value{nil}
	if err := s.Run(inputs, out); err != nil {
		return nil, err
	}
	defer out[0].Destroy()
	return slices.Clone(out[0].(*binding.Tensor[float32]).GetData()), nil // the library's memory ends with the value
}

// attentionModel is a graph file of one MultiHeadAttention y of q, k and v.
func attentionModel(heads int) []byte {
	port := func(name string) onnx.ValueInfo {
		return onnx.ValueInfo{Name: name, DType: tensor.F32, Shape: []int{-1, -1, -1}}
	}
	m := onnx.Model{Graph: onnx.Graph{
		Name: "attention",
		Nodes: []onnx.Node{{
			Op: "MultiHeadAttention", Domain: onnx.Microsoft, Name: "y", Inputs: []string{"q", "k", "v"}, Outputs: []string{"y"},
			Attrs: []onnx.Attr{{Name: "num_heads", Value: heads}},
		}},
		Inputs: []onnx.ValueInfo{port("q"), port("k"), port("v")}, Outputs: []onnx.ValueInfo{port("y")},
	}}
	return m.Marshal()
}
