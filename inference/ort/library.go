package ort

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	binding "github.com/yalue/onnxruntime_go"

	"realword/inference/files"
	"realword/inference/message"
	"realword/inference/ort/internal/native"
)

const (
	// Version is the ONNX Runtime that `make deps` fetches and that Realword is tested with.
	Version = "1.30.0"
	// MinVersion is the oldest ONNX Runtime whose C API the binding can use.
	MinVersion = "1.29"
	// EnvLibrary is the environment variable that names the library, or the folder in which it lies.
	EnvLibrary = "REALWORD_ONNXRUNTIME"
)

// remedy stands at the end of errors, as a value of %v.
var remedy = message.Errorf("run `make deps`, or set %s to the library of ONNX Runtime %s or newer", EnvLibrary, MinVersion)

// CacheFolder is where `make deps` keeps the library: realword/onnxruntime-VERSION in the user's cache folder.
func CacheFolder() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "realword", "onnxruntime-"+Version), nil
}

// cudaSuffix is what `make deps DEVICE=cuda` appends to the name of the folder. Core and provider in it are of one build; on the
// CPU it computes the same bits as the other one.
const cudaSuffix = "-cuda"

// Find returns the path of the ONNX Runtime library. A place that the user named counts alone: first the argument, when
// it is not empty, then the environment variable, each a file or a folder. Otherwise the folder of the running binary, where
// nobody else may write to it, and the user's cache are searched, in this order, in the cache first the build with CUDA. The file
// is not opened: whether it is a usable library shows in New.
func Find(library string) (string, error) {
	if library != "" {
		return inPlace(library, "the chosen library")
	}
	if named := os.Getenv(EnvLibrary); named != "" {
		return inPlace(named, EnvLibrary)
	}
	var places, hints []string
	if exe, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			exe = real
		}
		path, why := beside(filepath.Dir(exe))
		if path != "" && why == "" {
			return path, nil
		}
		if why != "" {
			hints = append(hints, fmt.Sprintf("%s is not loaded, because %s", path, why))
		}
		places = append(places, filepath.Dir(exe))
	}
	if cache, err := CacheFolder(); err == nil {
		places = append(places, cache+cudaSuffix, cache)
	} else {
		hints = append(hints, fmt.Sprintf("the cache folder is not known (%v): set HOME", err))
	}
	for _, dir := range places[min(1, len(places)):] {
		if path, ok := inFolder(dir); ok {
			return path, nil
		}
	}
	if len(hints) > 0 {
		return "", message.Errorf("the ONNX Runtime library was not found; %s, or set %s to the library of ONNX Runtime %s or newer",
			strings.Join(hints, "; "), EnvLibrary, MinVersion)
	}
	return "", message.Errorf("the ONNX Runtime library is missing: install Realword again, or run `make deps` where you built it (looked for in %s)",
		strings.Join(places, ", "))
}

// beside finds the library in the folder of the program. why is set where somebody else could have put it there, or could put another
// in its place before it is loaded: then only who names it wants it.
func beside(dir string) (path, why string) {
	path, there := inFolder(dir)
	if !there {
		return "", ""
	}
	return path, unguarded(dir, path)
}

func inPlace(path, who string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", message.Errorf("%s names %s, which cannot be read (%w): %v", who, path, errors.Unwrap(err), remedy)
	case !info.IsDir():
		if _, err := files.Stat(path); err != nil { // a pipe would make the loader wait
			return "", fmt.Errorf("%s: %w", who, err)
		}
		return filepath.Abs(path)
	}
	if found, ok := inFolder(path); ok {
		return filepath.Abs(found)
	}
	return "", message.Errorf("%s names the folder %s, which holds no %s: %v", who, path, libraryNames()[0], remedy)
}

func inFolder(dir string) (string, bool) {
	for _, name := range libraryNames() {
		path := filepath.Join(dir, name)
		if files.Exists(path) {
			return path, true
		}
	}
	return "", false
}

func libraryNames() []string {
	switch runtime.GOOS {
	case "windows":
		return []string{"onnxruntime.dll"}
	case "darwin":
		return []string{"libonnxruntime.1.dylib", "libonnxruntime.dylib", "libonnxruntime." + Version + ".dylib"}
	default:
		return []string{"libonnxruntime.so.1", "libonnxruntime.so", "libonnxruntime.so." + Version}
	}
}

// environment is the one ONNX Runtime environment of the process. It is never released: sessions may live until the end,
// and the library cannot be replaced by another one once its threads run.
var environment struct {
	sync.Mutex
	library string // path of the loaded library; empty before the first success
}

// Loaded is the path of the library that this process has loaded; "" where there is none yet.
func Loaded() string {
	environment.Lock()
	defer environment.Unlock()
	return environment.library
}

func load(library string) error {
	environment.Lock()
	defer environment.Unlock()
	if environment.library == library {
		return nil
	}
	if environment.library != "" {
		return message.Errorf("ONNX Runtime is already loaded from %s and cannot be replaced by %s: restart Realword", environment.library, library)
	}
	binding.SetSharedLibraryPath(library)
	if err := binding.InitializeEnvironment(); err != nil {
		return libraryError(library, err)
	}
	if err := binding.DisableTelemetry(); err != nil { // beside the variable that package native sets before anything is loaded
		return libraryError(library, err)
	}
	if err := native.Attach(library); err != nil {
		return message.Errorf("ONNX Runtime at %s does not start: %w: %v", library, err, remedy)
	}
	native.GiveBack()
	environment.library = library
	return nil
}

// libraryError says why a file did not become the runtime. The binding has no error values, only these texts.
func libraryError(library string, err error) error {
	switch text := err.Error(); {
	case strings.Contains(text, "Error setting ORT API base"):
		return message.Errorf("%s is too old: Realword needs ONNX Runtime %s or newer: %v", library, MinVersion, remedy)
	case strings.Contains(text, "OrtGetApiBase"):
		return message.Errorf("%s is a library, but not ONNX Runtime: %v", library, remedy)
	case strings.Contains(text, "oading"):
		_, reason, _ := strings.Cut(text, library)
		return message.Errorf("%s is not a library that this machine can load (%s): %s", library, strings.Trim(reason, "\": "), remedy)
	default:
		return message.Errorf("ONNX Runtime at %s does not start: %w: %v", library, err, remedy)
	}
}
