package ort

import (
	"debug/elf"
	"debug/pe"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"realword/inference/files"
)

// NVIDIADriver is what Components calls the driver of NVIDIA's cards.
const NVIDIADriver = "NVIDIA driver"

// EnvCUDA is the environment variable with further folders in which CUDA's libraries are searched, before all others.
const EnvCUDA = "REALWORD_CUDA"

// Component is one native library that the CUDA provider needs.
type Component struct {
	Name     string // what people call it
	File     string // the file name that is searched for
	Path     string // where it was found
	State    State
	Note     string // what was found instead, or the loader's words
	Remedy   string // where the state is not Found
	Package  string // of Python, which brings it; "" is none
	Optional bool   // graphs run without it, slower or not all of them
}

// State tells what became of the search for a library.
type State string

// The states of a Component.
const (
	Found      State = "found"
	Missing    State = "missing"
	WrongMajor State = "wrong major version"
	Unloadable State = "cannot be loaded"
)

// Usable tells whether every library that is needed was found.
func Usable(list []Component) bool {
	return !slices.ContainsFunc(list, func(c Component) bool { return c.State != Found && !c.Optional })
}

// Components looks for the libraries of the CUDA provider, in the order in which they must be loaded. Nothing is loaded and no
// device is touched. Which major versions are wanted is read from the provider itself; without one, those that Version was
// built for. The list is empty on systems that have no CUDA.
func Components(library string) []Component {
	s := search{os: runtime.GOOS, folders: places(library), beside: filepath.Dir(library)}
	s.private = append(filepath.SplitList(os.Getenv(EnvCUDA)), s.beside)
	return s.components()
}

// search is a search for libraries in a list of folders.
type search struct {
	os      string
	folders []string
	private []string // where a plugin may lie: it must be of the same revision as the library, which nobody can tell by its looks
	beside  string   // where the built-in provider must lie
}

// provider names of each system. The plugin is preferred: it says best what it lacks.
var (
	pluginFiles   = map[string]string{"linux": "libonnxruntime_providers_cuda_plugin.so", "windows": "onnxruntime_providers_cuda_plugin.dll"}
	providerFiles = map[string][2]string{
		"linux":   {"libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so"},
		"windows": {"onnxruntime_providers_shared.dll", "onnxruntime_providers_cuda.dll"},
	}
)

const fetchProvider = "run `make deps DEVICE=cuda` on Linux; elsewhere put this file of the Python package onnxruntime-gpu " + Version +
	" into the folder of ONNX Runtime's library"

func (s search) components() []Component {
	if s.os != "linux" && s.os != "windows" {
		return nil
	}
	providers := s.providers()
	needed := map[string]string{} // by stem, as in "cublas": the file that the provider wants
	for _, p := range providers {
		if p.Path != "" {
			for _, file := range imports(p.Path) {
				needed[stem(file)] = file
			}
		}
	}
	defaults := map[string]string{
		"cuda": "libcuda.so.1", "cudart": "libcudart.so.13", "cublasLt": "libcublasLt.so.13",
		"cublas": "libcublas.so.13", "curand": "libcurand.so.10", "nvrtc": "libnvrtc.so.13", "cudnn": "libcudnn.so.9",
	}
	if s.os == "windows" {
		defaults = map[string]string{
			"cuda": "nvcuda.dll", "cudart": "cudart64_13.dll", "cublasLt": "cublasLt64_13.dll",
			"cublas": "cublas64_13.dll", "curand": "curand64_10.dll", "nvrtc": "nvrtc64_130_0.dll", "cudnn": "cudnn64_9.dll",
		}
	}
	var list []Component
	for _, c := range []struct{ stem, name, pip string }{
		{"cuda", NVIDIADriver, ""},
		{"cudart", "CUDA runtime", "nvidia-cuda-runtime"},
		{"cublasLt", "cuBLASLt", "nvidia-cublas"},
		{"cublas", "cuBLAS", "nvidia-cublas"},
		{"curand", "cuRAND", "nvidia-curand"},
		{"nvrtc", "NVRTC", "nvidia-cuda-nvrtc"},
		{"cudnn", "cuDNN", "nvidia-cudnn"},
	} {
		file := needed[c.stem]
		if file == "" {
			file = defaults[c.stem]
		}
		found := s.find(c.name, file)
		found.Package = c.pip
		switch c.stem {
		case "cuda":
			found.Remedy = "install NVIDIA's driver for this graphics card"
		case "cudnn":
			found.Optional = true // convolutions have a slow path of their own since ONNX Runtime 1.28
			found.Package += "-cu" + cudaMajor(needed, defaults)
			found.Remedy = fmt.Sprintf("without it convolutions are slow or fail: pip install %s, or install cuDNN %s", found.Package, majorOf(file))
		default:
			found.Remedy = fmt.Sprintf("pip install %s (for CUDA %s), or install the CUDA toolkit %s", c.pip, cudaMajor(needed, defaults),
				cudaMajor(needed, defaults))
		}
		if c.stem == "nvrtc" {
			found.Optional = true // loaded when a kernel has to be compiled for the card
		}
		if found.State == Found {
			found.Remedy = ""
		}
		list = append(list, found)
	}
	return append(list, providers...)
}

func cudaMajor(needed, defaults map[string]string) string {
	if file := needed["cudart"]; file != "" {
		return majorOf(file)
	}
	return majorOf(defaults["cudart"])
}

// providers finds the plugin, or the two libraries of the built-in provider.
func (s search) providers() []Component {
	own := search{os: s.os, folders: s.private}
	if plugin := own.find("CUDA plugin", pluginFiles[s.os]); plugin.State == Found {
		return []Component{plugin}
	}
	own.folders = []string{s.beside} // ONNX Runtime searches nowhere else
	var list []Component
	for i, name := range []string{"provider bridge", "CUDA provider"} {
		c := own.find(name, providerFiles[s.os][i])
		if c.State != Found {
			c.Remedy = fetchProvider
		}
		list = append(list, c)
	}
	return list
}

// find looks for a file in every folder, then for the same library with another major version.
func (s search) find(name, file string) Component {
	c := Component{Name: name, File: file, State: Missing}
	for _, dir := range s.folders {
		if path := filepath.Join(dir, file); files.Exists(path) {
			c.Path, c.State = path, Found
			return c
		}
	}
	pattern := stemPattern(s.os, file)
	for _, dir := range s.folders {
		others, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, other := range others {
			if majorOf(other) != "" && majorOf(other) != majorOf(file) && stem(filepath.Base(other)) == stem(file) {
				c.State, c.Note = WrongMajor, other
				return c
			}
		}
	}
	return c
}

var libraryName = regexp.MustCompile(`^(?:lib)?([A-Za-z]+?)(?:64_([0-9]+)(?:_[0-9]+)*\.dll|\.dll|\.so(?:\.([0-9]+)[0-9.]*)?)$`)

// stem is a library's name without what systems and versions put around it: cublasLt of libcublasLt.so.13 and cublasLt64_13.dll.
func stem(file string) string {
	if m := libraryName.FindStringSubmatch(filepath.Base(file)); m != nil && m[1] != "nvcuda" {
		return m[1]
	} else if m != nil {
		return "cuda"
	}
	return ""
}

// majorOf is the major version in a library's file name, "" where it has none.
func majorOf(file string) string {
	if m := libraryName.FindStringSubmatch(filepath.Base(file)); m != nil {
		return m[2] + m[3]
	}
	return ""
}

func stemPattern(system, file string) string {
	if system == "windows" {
		return stem(file) + "64_*.dll"
	}
	return "lib" + stem(file) + ".so.*"
}

// imports lists the libraries that a library needs.
func imports(path string) []string {
	if f, err := elf.Open(path); err == nil {
		defer f.Close()
		list, _ := f.ImportedLibraries()
		return list
	}
	if f, err := pe.Open(path); err == nil {
		defer f.Close()
		list, _ := f.ImportedLibraries()
		return list
	}
	return nil
}

// places lists the folders where CUDA's libraries usually lie, the user's own first.
func places(library string) []string {
	var list []string
	add := func(patterns ...string) {
		for _, p := range patterns {
			found, _ := filepath.Glob(p)
			slices.SortFunc(found, newestFirst)
			for _, dir := range found {
				if info, err := os.Stat(dir); err == nil && info.IsDir() && !slices.Contains(list, dir) {
					list = append(list, dir)
				}
			}
		}
	}
	add(filepath.SplitList(os.Getenv(EnvCUDA))...)
	add(filepath.Dir(library))
	if cache, err := os.UserCacheDir(); err == nil {
		add(filepath.Join(cache, "realword", "cuda"))
	}
	for _, site := range sitePackages() {
		add(filepath.Join(site, "nvidia", "cu[0-9]*", "lib"), filepath.Join(site, "nvidia", "*", "lib"),
			filepath.Join(site, "nvidia", "cu[0-9]*", "bin", "x86_64"), filepath.Join(site, "nvidia", "*", "bin"))
	}
	for _, home := range []string{os.Getenv("CUDA_HOME"), os.Getenv("CUDA_PATH"), os.Getenv("CONDA_PREFIX"), "/usr/local/cuda"} {
		if home != "" {
			add(filepath.Join(home, "lib64"), filepath.Join(home, "lib"), filepath.Join(home, "bin"), filepath.Join(home, "targets", "*", "lib"))
		}
	}
	add("/usr/local/cuda-*/lib64", "/opt/cuda/lib64", "/usr/local/nvidia/lib64", "/usr/local/nvidia/lib")
	add(filepath.SplitList(os.Getenv("LD_LIBRARY_PATH"))...)
	configured, _ := filepath.Glob("/etc/ld.so.conf.d/*.conf")
	for _, path := range configured {
		if data, err := os.ReadFile(path); err == nil {
			add(slices.DeleteFunc(strings.Fields(string(data)), func(word string) bool { return word[0] != '/' })...)
		}
	}
	add("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/lib/wsl/lib", "/run/opengl-driver/lib")
	if root := os.Getenv("SystemRoot"); root != "" {
		add(filepath.Join(root, "System32"))
		add(filepath.SplitList(os.Getenv("PATH"))...)
	}
	return list
}

var numbers = regexp.MustCompile(`[0-9]+`)

// newestFirst orders paths so that greater version numbers come first.
func newestFirst(a, b string) int {
	x, y := numbers.FindAllString(a, -1), numbers.FindAllString(b, -1)
	for i := range min(len(x), len(y)) {
		p, _ := strconv.Atoi(x[i])
		q, _ := strconv.Atoi(y[i])
		if p != q {
			return q - p
		}
	}
	return strings.Compare(a, b)
}

// sitePackages are the folders of Python packages, where pip puts NVIDIA's libraries. Python itself is not run.
func sitePackages() []string {
	var roots []string
	for _, variable := range []string{"VIRTUAL_ENV", "CONDA_PREFIX"} {
		if root := os.Getenv(variable); root != "" {
			roots = append(roots, root)
		}
	}
	for _, name := range []string{"python3", "python"} {
		if exe, err := exec.LookPath(name); err == nil {
			roots = append(roots, filepath.Dir(filepath.Dir(exe)))
			// Every link on the way counts: one from outside leads into a virtual environment, whose python3 is a link itself.
			for range 8 {
				to, err := os.Readlink(exe)
				if err != nil {
					break
				}
				if !filepath.IsAbs(to) {
					to = filepath.Join(filepath.Dir(exe), to)
				}
				exe = to
				roots = append(roots, filepath.Dir(filepath.Dir(exe)))
			}
			if real, err := filepath.EvalSymlinks(exe); err == nil {
				roots = append(roots, filepath.Dir(filepath.Dir(real)), filepath.Dir(real))
			}
		}
	}
	if home, err := os.UserHomeDir(); err == nil {
		roots = append(roots, filepath.Join(home, ".local"))
	}
	roots = append(roots, "/usr/local", "/usr")
	var list []string
	for _, root := range roots {
		for _, pattern := range []string{
			"lib/python3*/site-packages", "lib/python3*/dist-packages", "lib/python3/dist-packages",
			"Lib/site-packages",
		} {
			found, _ := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
			for _, dir := range found {
				if !slices.Contains(list, dir) {
					list = append(list, dir)
				}
			}
		}
	}
	return list
}
