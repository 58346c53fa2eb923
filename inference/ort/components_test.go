package ort

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	binding "github.com/yalue/onnxruntime_go"

	"realword/inference/ort/internal/native"
	"realword/inference/session"
)

// stub builds a library that needs others; without a compiler the test is skipped.
func stub(t *testing.T, path string, needs ...string) {
	t.Helper()
	cc, err := exec.LookPath("cc")
	if err != nil || runtime.GOOS != "linux" {
		t.Skip("needs a C compiler on Linux")
	}
	args := append([]string{"-shared", "-fPIC", "-xc", "-", "-o", path, "-Wl,--no-as-needed", "-Wl,-soname," + filepath.Base(path)}, "-L"+filepath.Dir(path))
	for _, n := range needs {
		args = append(args, "-l:"+n)
	}
	cmd := exec.Command(cc, args...)
	cmd.Stdin = strings.NewReader("int nothing_of_" + strings.NewReplacer(".", "_", "-", "_").Replace(filepath.Base(path)) + ";")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func touch(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func byName(t *testing.T, list []Component, name string) Component {
	t.Helper()
	for _, c := range list {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no %s among %+v", name, list)
	return Component{}
}

func TestNothingOfCUDA(t *testing.T) {
	dir := t.TempDir()
	list := search{"linux", []string{dir}, []string{dir}, dir}.components()
	if len(list) != 9 || Usable(list) {
		t.Fatalf("%+v", list)
	}
	for _, c := range list {
		if c.State != Missing || c.Remedy == "" || c.Path != "" {
			t.Errorf("%+v", c)
		}
	}
	if list[0].Name != "NVIDIA driver" || list[8].Name != "CUDA provider" {
		t.Errorf("order: %s … %s", list[0].Name, list[8].Name)
	}
	if list := (search{"darwin", []string{dir}, []string{dir}, dir}).components(); len(list) != 0 || !Usable(list) {
		t.Errorf("macOS: %+v", list)
	}
}

// The versions that are wanted are those that the provider names, not those of this program.
func TestTheProviderSaysWhichMajorIsWanted(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"libcudart.so.12", "libcublas.so.12", "libcublasLt.so.12", "libcurand.so.10", "libcuda.so.1"} {
		stub(t, filepath.Join(dir, name))
	}
	beside := t.TempDir()
	stub(t, filepath.Join(beside, "libonnxruntime_providers_shared.so"))
	provider := filepath.Join(beside, "libonnxruntime_providers_cuda.so")
	for _, name := range []string{"libcudart.so.12", "libcublas.so.12", "libcublasLt.so.12", "libcurand.so.10", "libcuda.so.1"} {
		if err := os.Symlink(filepath.Join(dir, name), filepath.Join(beside, name)); err != nil {
			t.Fatal(err)
		}
	}
	stub(t, provider, "libcudart.so.12", "libcublas.so.12", "libcublasLt.so.12", "libcurand.so.10", "libcuda.so.1")
	s := search{"linux", []string{dir}, nil, beside}
	list := s.components()
	if !Usable(list) {
		t.Fatalf("%+v", list)
	}
	if c := byName(t, list, "CUDA runtime"); c.File != "libcudart.so.12" || c.Path != filepath.Join(dir, "libcudart.so.12") {
		t.Errorf("%+v", c)
	}
	if c := byName(t, list, "cuDNN"); c.State != Missing || !c.Optional || !strings.Contains(c.Remedy, "cuDNN 9") {
		t.Errorf("%+v", c)
	}

	if err := os.Rename(filepath.Join(dir, "libcublas.so.12"), filepath.Join(dir, "libcublas.so.13")); err != nil {
		t.Fatal(err)
	}
	c := byName(t, s.components(), "cuBLAS")
	if c.State != WrongMajor || !strings.HasSuffix(c.Note, "libcublas.so.13") || !strings.Contains(c.Remedy, "CUDA 12") || Usable(s.components()) {
		t.Errorf("%+v", c)
	}
}

func TestWindowsNames(t *testing.T) {
	dir := t.TempDir()
	touch(t, filepath.Join(dir, "cublas64_12.dll"))
	touch(t, filepath.Join(dir, "cudart64_13.dll"))
	touch(t, filepath.Join(dir, "nvcuda.dll"))
	list := search{"windows", []string{dir}, []string{dir}, dir}.components()
	if c := byName(t, list, "cuBLAS"); c.State != WrongMajor {
		t.Errorf("%+v", c)
	}
	if c := byName(t, list, "CUDA runtime"); c.State != Found {
		t.Errorf("%+v", c)
	}
	if c := byName(t, list, "NVIDIA driver"); c.State != Found {
		t.Errorf("%+v", c)
	}
}

func TestThePluginComesFirst(t *testing.T) {
	dir := t.TempDir()
	touch(t, filepath.Join(dir, pluginFiles["linux"]))
	touch(t, filepath.Join(dir, providerFiles["linux"][0]))
	touch(t, filepath.Join(dir, providerFiles["linux"][1]))
	list := search{"linux", []string{dir}, []string{dir}, dir}.components()
	if last := list[len(list)-1]; last.File != pluginFiles["linux"] || len(list) != 8 {
		t.Errorf("%+v", list)
	}
	list = search{"linux", []string{dir}, nil, dir}.components() // somebody else's plugin
	if last := list[len(list)-1]; last.File != providerFiles["linux"][1] || last.State != Found {
		t.Errorf("%+v", list)
	}
}

func TestPlaces(t *testing.T) {
	root := t.TempDir()
	t.Setenv("VIRTUAL_ENV", root)
	t.Setenv("CUDA_HOME", filepath.Join(root, "toolkit"))
	t.Setenv(EnvCUDA, filepath.Join(root, "own"))
	wheel := filepath.Join(root, "lib", "python3.12", "site-packages", "nvidia")
	for _, dir := range []string{filepath.Join(wheel, "cublas", "lib"), filepath.Join(wheel, "cu12", "lib"), filepath.Join(wheel, "cu13", "lib"), filepath.Join(root, "toolkit", "lib64"), filepath.Join(root, "own")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	text := strings.Join(places(filepath.Join(root, "libonnxruntime.so.1")), "\n")
	at := -1
	for _, dir := range []string{filepath.Join(root, "own"), root + "\n", filepath.Join(wheel, "cu13", "lib"), filepath.Join(wheel, "cu12", "lib"), filepath.Join(wheel, "cublas", "lib"), filepath.Join(root, "toolkit", "lib64")} {
		if next := strings.Index(text, dir); next <= at {
			t.Errorf("%q does not come in its turn in\n%s", dir, text)
		} else {
			at = next
		}
	}
}

// A virtual environment's python3 is found on PATH, directly or through a link outside of it, and is itself a link to the system's.
func TestPlacesOfPythonOnPath(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("as environments are laid out on Linux")
	}
	root := t.TempDir()
	environment, links := filepath.Join(root, "torch", ".venv"), filepath.Join(root, "links")
	nvidia := filepath.Join(environment, "lib", "python3.12", "site-packages", "nvidia")
	touch(t, filepath.Join(root, "system", "bin", "python3.12"))
	if err := os.Chmod(filepath.Join(root, "system", "bin", "python3.12"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{filepath.Join(nvidia, "cu13", "lib"), filepath.Join(nvidia, "cudnn", "lib"), filepath.Join(environment, "bin"), links} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{
		filepath.Join(environment, "bin", "python"):  filepath.Join(root, "system", "bin", "python3.12"),
		filepath.Join(environment, "bin", "python3"): "python",
		filepath.Join(links, "python3"):              filepath.Join(environment, "bin", "python3"),
	} {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("VIRTUAL_ENV", "")
	t.Setenv("CONDA_PREFIX", "")
	for _, path := range []string{filepath.Join(environment, "bin"), links} {
		t.Setenv("PATH", path)
		found := places(filepath.Join(root, "libonnxruntime.so.1"))
		for _, want := range []string{filepath.Join(nvidia, "cu13", "lib"), filepath.Join(nvidia, "cudnn", "lib")} {
			if !slices.Contains(found, want) {
				t.Errorf("with %s on PATH %s is not searched", path, want)
			}
		}
	}
}

func TestParseDevice(t *testing.T) {
	for name, want := range map[string]struct {
		kind  Kind
		index int
	}{
		"": {CPU, 0}, "cpu": {CPU, 0}, "CPU": {CPU, 0}, "cuda": {CUDA, 0}, "cuda:0": {CUDA, 0}, "CUDA:2": {CUDA, 2},
		"webgpu": {WebGPU, 0}, "WebGPU:1": {WebGPU, 1},
		"cuda:": {}, "cuda:-1": {}, "cpu:1": {}, "gpu": {}, "cuda:x": {}, "webgpu:": {}, ":": {}, ":1": {},
	} {
		kind, index, err := ParseDevice(name)
		if kind != want.kind || err == nil && index != want.index || (err != nil) != (want.kind == "") {
			t.Errorf("%q: %v %d %v", name, kind, index, err)
		}
	}
}

// The loader's own words must come through, in a process of its own because libraries stay loaded.
func TestWhyCUDADoesNotStart(t *testing.T) {
	if os.Getenv("ORT_TEST_CUDA") != "" {
		_, err := New(Options{Threads: 1, Device: "cuda"})
		mention(t, err, strings.Split(os.Getenv("ORT_TEST_CUDA"), "|")...)
		return
	}
	r := library(t)
	run := func(t *testing.T, dir, want string) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestWhyCUDADoesNotStart$")
		cmd.Env = append(os.Environ(), "ORT_TEST_CUDA="+want, EnvLibrary+"="+filepath.Join(dir, libraryNames()[0]), EnvCUDA+"="+dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
	dir := t.TempDir()
	if err := os.Symlink(r.Library(), filepath.Join(dir, libraryNames()[0])); err != nil {
		t.Skip("needs links")
	}
	t.Run("nothing", func(t *testing.T) { run(t, dir, "NVIDIA driver|missing|make deps DEVICE=cuda") })
	for _, name := range []string{"libcuda.so.1", "libcudart.so.13", "libcublas.so.13", "libcublasLt.so.13", "libcurand.so.10", "libcudnn.so.9"} {
		stub(t, filepath.Join(dir, name))
	}
	touch(t, filepath.Join(dir, "libonnxruntime_providers_shared.so"))
	touch(t, filepath.Join(dir, "libonnxruntime_providers_cuda.so"))
	t.Run("empty files", func(t *testing.T) { run(t, dir, "CUDA does not start|libonnxruntime_providers_") })
	touch(t, filepath.Join(dir, "libcurand.so.10"))
	t.Run("damaged", func(t *testing.T) { run(t, dir, "cuRAND|cannot be loaded") })
}

func TestCardsAsTheDriverNamesThem(t *testing.T) {
	cc, err := exec.LookPath("cc")
	if err != nil || runtime.GOOS != "linux" {
		t.Skip("needs a C compiler on Linux")
	}
	build := func(init string) []Component {
		path := filepath.Join(t.TempDir(), "libcuda.so.1")
		cmd := exec.Command(cc, "-shared", "-fPIC", "-xc", "-", "-o", path)
		cmd.Stdin = strings.NewReader(`#include <stdio.h>
int cuInit(unsigned flags) { return ` + init + `; }
int cuDriverGetVersion(int *v) { *v = 13020; return 0; }
int cuDeviceGetCount(int *n) { *n = 2; return 0; }
int cuDeviceGet(int *d, int i) { *d = 10 + i; return 0; }
int cuDeviceGetName(char *s, int n, int d) { snprintf(s, n, "Card %d", d); return 0; }
int cuDeviceTotalMem_v2(size_t *m, int d) { *m = 1000000000ull * d; return 0; }
`)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return []Component{{Name: NVIDIADriver, State: Found, Path: path}}
	}
	cards, version, err := GPUs(build("0"))
	if err != nil || version != "13.2" || len(cards) != 2 || cards[1] != (GPU{"Card 11", 11e9}) {
		t.Errorf("%v, %s, %v", cards, version, err)
	}
	_, _, err = GPUs(build("100"))
	mention(t, err, "cuInit", "100")
	_, _, err = GPUs([]Component{{Name: NVIDIADriver, State: Missing}})
	mention(t, err, "no NVIDIA driver")
}

func TestWhatIsAskedOfTheCard(t *testing.T) {
	library(t)
	run, err := binding.NewRunOptions()
	if err != nil {
		t.Fatal(err)
	}
	defer run.Destroy()
	if err := (&cuda{index: 1}).handBack(run); err != nil {
		t.Error(err)
	}
	if err := (&cuda{plugin: &native.Device{}}).handBack(nil); err != nil {
		t.Error(err)
	}
}

// The texts are those of ONNX Runtime 1.30 over a driver that answers nothing.
func TestEssence(t *testing.T) {
	long := `/src/cuda_execution_provider_info.cc:62 static X FromProviderOptions(const ProviderOptions&) [ONNXRuntimeError] : 1 : FAIL : Parse Failed to parse provider option "device_id": CUDA failure 36: API call is not supported in the installed CUDA driver ; GPU=-1 ; hostname=vm ; file=/src/cuda.cc ; line=69 ; expr=cudaGetDeviceCount(&num_devices); `
	r := &Runtime{device: &cuda{}}
	for text, want := range map[string]session.DeviceError{
		long: {Why: "CUDA failure 36: API call is not supported in the installed CUDA driver"},
		"Non-zero status code. CUDA failure 2: out of memory ; GPU=0 ; x":   {Why: "CUDA failure 2: out of memory", OutOfMemory: true},
		"Failed to allocate memory for requested buffer of size 8589934592": {Why: "Failed to allocate memory for requested buffer of size 8589934592", OutOfMemory: true},
		"/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::X adapter_result.status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters": {Why: "Failed to get a WebGPU adapter: No supported adapters"},
		"vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY": {Why: "vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY", OutOfMemory: true},
		"two\nlines":              {Why: "two lines"},
		strings.Repeat("x", 1000): {Why: strings.Repeat("x", 240) + "…"},
	} {
		var got *session.DeviceError
		if !errors.As(r.deviceError(errors.New(text)), &got) || got.Why != want.Why || got.OutOfMemory != want.OutOfMemory || got.Device != "CUDA" {
			t.Errorf("%q: %+v", text, got)
		}
	}
	if err := (&Runtime{}).deviceError(errors.New("x")); err.Error() != "x" {
		t.Error(err)
	}
}
