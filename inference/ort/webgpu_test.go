package ort

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"realword/inference/ort/internal/native"
	"realword/inference/session"
	"realword/inference/tensor"
)

// swiftShader is software Vulkan as Debian's chromium brings it.
const swiftShader = "/usr/lib/chromium/vk_swiftshader_icd.json"

// inWebGPU runs tests of this package in a process of its own whose device is a graphics card, or one made of software where that is
// installed; it skips where there is neither. The process is also for the library: the build with CUDA has no WebGPU.
func inWebGPU(t *testing.T, tests string) {
	t.Helper()
	library, err := FindFor(WebGPU, "")
	if err != nil {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := func(tests string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), exe, "-test.run", tests, "-test.v")
		c.Env = append(os.Environ(), "REALWORD_TEST_DEVICE=webgpu", EnvLibrary+"="+library)
		if _, err := os.Stat(swiftShader); err == nil && os.Getenv("VK_DRIVER_FILES") == "" {
			c.Env = append(c.Env, "VK_DRIVER_FILES="+swiftShader)
		}
		return c
	}
	if out, err := child("^TestWebGPUStarts$").CombinedOutput(); err != nil {
		t.Skipf("needs a graphics card with Vulkan, or Debian's chromium for one made of software: %s", lastLines(out))
	}
	out, err := child(tests).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS") || strings.Contains(string(out), "--- SKIP") {
		t.Errorf("%v\n%s", err, out)
	}
}

func lastLines(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return strings.Join(lines[max(0, len(lines)-4):], " ")
}

// TestWebGPUStarts is for the process of inWebGPU.
func TestWebGPUStarts(t *testing.T) {
	if os.Getenv("REALWORD_TEST_DEVICE") != "webgpu" {
		t.Skip("see inWebGPU")
	}
	r := library(t)
	a, ok := r.Adapter()
	list, err := Adapters(r.Library())
	if name, _ := r.Provider(); !ok || a.Name == "" || name != "WebGPU" || err != nil || len(list) == 0 || list[0] != a {
		t.Errorf("%v %v on %s, of %v, %v", a, ok, name, list, err)
	}
	_, err = New(Options{Device: "webgpu:99"})
	mention(t, err, "webgpu:99: the system has webgpu:0 ("+a.Name+")")
	if !slices.Equal(r.Adapters(), list) {
		t.Errorf("of %v it is one of %v", list, r.Adapters())
	}
	if len(list) > 1 && Choosable(list, 1) == nil {
		_, err = New(Options{Device: "webgpu:1"})
		mention(t, err, a.Name+" until Realword is restarted")
	}
}

func TestOnWebGPU(t *testing.T) {
	inWebGPU(t, "^(TestRun|TestZeroLength|TestKeptValues.*|TestFusedAttention|TestLeftToCPU|TestCancelledKeep.*|TestHalves.*)$")
}

// What the library takes by itself comes first: it goes by the kind, then by the driver's own order.
func TestAdaptersInTheLibrarysOrder(t *testing.T) {
	list := fromVulkan([]native.Adapter{
		{Name: "llvmpipe", Kind: 4},
		{Name: "of another machine", Kind: 3},
		{Name: "Radeon 780M", Kind: 1, Memory: 4e9},
		{Name: "RTX 4070", Kind: 2, Memory: 12e9, Driver: "NVIDIA 580.95"},
		{Name: "Arc A380", Kind: 2, Memory: 6e9},
	})
	slices.SortStableFunc(list, byRank)
	var text []string
	for _, a := range list {
		text = append(text, a.String())
	}
	want := []string{"RTX 4070, 12 GB, NVIDIA 580.95", "Arc A380, 6 GB", "Radeon 780M, 4 GB", "llvmpipe, a software device", "of another machine"}
	if !slices.Equal(text, want) {
		t.Errorf("%q", text)
	}
	list = fromDevices([]native.Device{
		{Provider: "CPUExecutionProvider"},
		{Provider: webGPUName, Vendor: "Intel"},
		{Provider: "DmlExecutionProvider", GPU: true},
		{Provider: webGPUName, GPU: true, VendorID: 0x1414, DeviceID: 0x8c, Hardware: map[string]string{"Description": "Microsoft Basic Render Driver"}},
		{Provider: webGPUName, GPU: true, Vendor: "AMD", Hardware: map[string]string{"Discrete": "1"}},
	})
	slices.SortStableFunc(list, byRank)
	if len(list) != 2 || list[0].String() != "AMD graphics" || list[1].String() != "Microsoft Basic Render Driver, a software device" {
		t.Errorf("%q", list)
	}
}

// The build with CUDA has no WebGPU: of two in the cache each kind takes its own.
func TestTheLibraryOfADevice(t *testing.T) {
	library(t)
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	t.Setenv(EnvLibrary, "")
	dir, err := CacheFolder()
	if err != nil {
		t.Fatal(err)
	}
	put := func(dir string) string {
		path := filepath.Join(dir, libraryNames()[0])
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	find := func(kind Kind, want string) {
		t.Helper()
		if got, err := FindFor(kind, ""); got != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", kind, got, err, want)
		}
	}
	withCUDA := put(dir + cudaSuffix)
	find(WebGPU, withCUDA) // which then says what it lacks
	plain := put(dir)
	find(WebGPU, plain)
	find(CUDA, withCUDA)
	if got, err := Find(""); got != withCUDA || err != nil {
		t.Errorf("the processor of a process that has loaded none: %s, %v", got, err)
	}

	// Whichever of them a device has loaded, the processor goes on with it.
	for _, kind := range []Kind{CPU, OpenVINOExact, OpenVINOHalf} {
		find(kind, Loaded())
	}
	if r, err := New(Options{}); err != nil || r.Library() != Loaded() {
		t.Errorf("beside a library that is loaded: %v", err)
	}
	t.Setenv(EnvLibrary, withCUDA) // but not where one is named
	for _, kind := range []Kind{CPU, CUDA, WebGPU} {
		find(kind, withCUDA)
	}
	t.Setenv(EnvLibrary, "")
	if _, err := New(Options{Device: "webgpu"}); err == nil || !strings.Contains(err.Error(), "already loaded") {
		t.Errorf("WebGPU of another library: %v", err)
	}
}

// TestFusedAttention is for the process of inWebGPU: what the trial of the card's own attention says is what its results are, and the
// trial runs at all.
func TestFusedAttention(t *testing.T) {
	if os.Getenv("REALWORD_TEST_DEVICE") != "webgpu" {
		t.Skip("see inWebGPU")
	}
	r := library(t)
	w := *r.device.(*webGPU)
	w.adapter.Software = false
	in := []*tensor.Tensor{tensor.Zeros(1, 2, 4), tensor.Zeros(1, 3, 4), tensor.Of([]float32{1, 2, 3, 4, 3, 2, 1, 0, 2, 2, 2, 2}, 1, 3, 4)}
	got, err := r.attend(&w, 2, in)
	if err != nil || len(got) != 8 || math.Abs(float64(got[4]-2)) > 1e-3 { // equal weights: the mean
		t.Fatalf("%v, %v", got, err)
	}
	t.Logf("%s computes attention right: %v", w.adapter, r.fusedIsRight(&w))
}

func TestWhetherWebGPUIsWorthATrial(t *testing.T) {
	folders, files := vulkanFolders, cardFiles
	defer func() { vulkanFolders, cardFiles = folders, files }()
	dir := t.TempDir()
	vulkanFolders, cardFiles = []string{dir}, []string{filepath.Join(dir, "renderD*")}
	t.Setenv("VK_DRIVER_FILES", "")
	t.Setenv("VK_ICD_FILENAMES", "")
	if runtime.GOOS != "linux" {
		t.Skip("only Linux shows its cards as files")
	}
	for _, file := range []string{"", "radeon.json", "renderD128"} {
		if file != "" {
			if err := os.WriteFile(filepath.Join(dir, file), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := MayHaveWebGPU(); got != (file == "renderD128") {
			t.Errorf("with %q: %v", file, got)
		}
	}
	if list := vulkanDrivers(); len(list) != 1 || !strings.Contains(list[0], "radeon.json") {
		t.Errorf("%q", list)
	}
}

// TestLeftToCPU is for the process of inWebGPU: a sine and a shape stay with the processor, a product does not.
func TestLeftToCPU(t *testing.T) {
	if os.Getenv("REALWORD_TEST_DEVICE") != "webgpu" {
		t.Skip("see inWebGPU")
	}
	path := write(t, []protobuf{
		node("Sin", []string{"x"}, []string{"s"}).text(3, "sine"),
		node("FusedMatMul", []string{"s", "w"}, []string{"y"}).text(3, "product").text(7, "com.microsoft"),
	}, nil, []protobuf{port("x", 1, -1, -1), port("w", 1, -1, -1)}, []protobuf{port("y", 1, -1, -1)})
	left, err := library(t).LeftToCPU(path, session.Options{})
	if err != nil || len(left) != 1 || left[0] != (Node{"Sin", "sine", false}) {
		t.Errorf("%v, %v", left, err)
	}
}

// TestDriverOfTheSystem holds that nobody is sent to another system's package manager, or to the maker of a Mac's graphics card.
func TestDriverOfTheSystem(t *testing.T) {
	for system, apt := range map[string]bool{"linux": true, "windows": false, "darwin": false} {
		if got := graphicsDriver(system); strings.Contains(got, "apt ") != apt || !strings.Contains(got, "driver") ||
			strings.Contains(got, "macOS") != (system == "darwin") {
			t.Errorf("%s: %s", system, got)
		}
	}
}
