package native

/*
#include <stdlib.h>
#include "api.h"

static handle options_new(handle *out) { return CALL(CreateSessionOptions, handle, handle *)(out); }
static handle options_int(int slot, handle o, int value) { return ((handle (*)(handle, int))rw_api[slot])(o, value); }
static handle options_flag(int slot, handle o) { return ((handle (*)(handle))rw_api[slot])(o); }
static handle options_entry(handle o, text key, text value) { return CALL(AddSessionConfigEntry, handle, handle, text, text)(o, key, value); }
static handle options_path(handle o, const void *path) { return CALL(SetOptimizedModelFilePath, handle, handle, const void *)(o, path); }
static handle options_ep(handle o, handle env, handle device, text *keys, text *values, size_t n) {
  return CALL(SessionOptionsAppendExecutionProvider_V2, handle, handle, handle, handle *, size_t, text *, text *, size_t)(o, env, &device, 1, keys, values, n);
}
static handle options_named(handle o, text name, text *keys, text *values, size_t n) {
  return CALL(SessionOptionsAppendExecutionProvider, handle, handle, text, text *, text *, size_t)(o, name, keys, values, n);
}
static handle options_cuda(handle o, text *keys, text *values, size_t n) {
  handle cuda = NULL;
  handle status = CALL(CreateCUDAProviderOptions, handle, handle *)(&cuda);
  if (status != NULL) return status;
  status = CALL(UpdateCUDAProviderOptions, handle, handle, text *, text *, size_t)(cuda, keys, values, n);
  if (status == NULL) status = CALL(SessionOptionsAppendExecutionProvider_CUDA_V2, handle, handle, handle)(o, cuda);
  CALL(ReleaseCUDAProviderOptions, void, handle)(cuda);
  return status;
}
*/
import "C"

import (
	"maps"
	"slices"
	"unsafe"
)

// SessionOptions are the options of a session that is to be made.
type SessionOptions struct{ object }

// Levels and modes of the library.
const (
	GraphOptimizationLevelDisableAll = 0
	GraphOptimizationLevelEnableAll  = 99
	ExecutionModeSequential          = 0
	LoggingLevelFatal                = 4
)

// NewSessionOptions returns the library's defaults.
func NewSessionOptions() (*SessionOptions, error) {
	var h C.handle
	if err := failed(C.options_new(&h)); err != nil {
		return nil, err
	}
	return &SessionOptions{object{h, C.ReleaseSessionOptions}}, nil
}

func (o *SessionOptions) number(slot C.int, value int) error {
	return failed(C.options_int(slot, o.h, C.int(value)))
}

// SetGraphOptimizationLevel says how much the library changes the graph.
func (o *SessionOptions) SetGraphOptimizationLevel(level int) error {
	return o.number(C.SetSessionGraphOptimizationLevel, level)
}

// SetExecutionMode says whether independent operators run side by side.
func (o *SessionOptions) SetExecutionMode(mode int) error {
	return o.number(C.SetSessionExecutionMode, mode)
}

// SetIntraOpNumThreads sets the threads of one operator.
func (o *SessionOptions) SetIntraOpNumThreads(n int) error {
	return o.number(C.SetIntraOpNumThreads, n)
}

// SetInterOpNumThreads sets the operators that may run at once.
func (o *SessionOptions) SetInterOpNumThreads(n int) error {
	return o.number(C.SetInterOpNumThreads, n)
}

// SetLogSeverityLevel sets what is written to standard error.
func (o *SessionOptions) SetLogSeverityLevel(level int) error {
	return o.number(C.SetSessionLogSeverityLevel, level)
}

// SetCpuMemArena says whether memory of the processor is kept between runs.
func (o *SessionOptions) SetCpuMemArena(on bool) error {
	return failed(C.options_flag(C.int(pick(on, C.EnableCpuMemArena, C.DisableCpuMemArena)), o.h))
}

// SetMemPattern says whether the memory of a run is planned by the first run with the same shapes.
func (o *SessionOptions) SetMemPattern(on bool) error {
	return failed(C.options_flag(C.int(pick(on, C.EnableMemPattern, C.DisableMemPattern)), o.h))
}

func pick(on bool, yes, no int) int {
	if on {
		return yes
	}
	return no
}

// AddSessionConfigEntry sets a key of onnxruntime_session_options_config_keys.h.
func (o *SessionOptions) AddSessionConfigEntry(key, value string) error {
	k, free := cstring(key)
	defer free()
	v, free := cstring(value)
	defer free()
	return failed(C.options_entry(o.h, k, v))
}

// SetOptimizedModelFilePath has the changed graph written to a file.
func (o *SessionOptions) SetOptimizedModelFilePath(path string) error {
	p, err := nativePath(path)
	if err != nil {
		return err
	}
	return failed(C.options_path(o.h, unsafe.Pointer(&p[0])))
}

// AppendDevice gives a device of a registered provider its turn before the processor.
func (o *SessionOptions) AppendDevice(d Device, options map[string]string) error {
	return withStrings(options, func(keys, values *C.text, n C.size_t) error {
		return failed(C.options_ep(o.h, attached.env, d.h, keys, values, n))
	})
}

// AppendProvider gives a provider inside the library its turn before the processor, by the short name that the library knows, as in
// "WebGPU".
func (o *SessionOptions) AppendProvider(name string, options map[string]string) error {
	n, free := cstring(name)
	defer free()
	return withStrings(options, func(keys, values *C.text, count C.size_t) error {
		return failed(C.options_named(o.h, n, keys, values, count))
	})
}

// AppendCUDA gives the CUDA provider that lies beside the library its turn before the processor.
func (o *SessionOptions) AppendCUDA(options map[string]string) error {
	return withStrings(options, func(keys, values *C.text, n C.size_t) error {
		return failed(C.options_cuda(o.h, keys, values, n))
	})
}

// withStrings hands a map over as two arrays of C strings.
func withStrings(m map[string]string, f func(keys, values *C.text, n C.size_t) error) error {
	names := slices.Sorted(maps.Keys(m))
	size := C.size_t(max(1, len(names))) * C.size_t(unsafe.Sizeof(C.text(nil)))
	keys, values := (*C.text)(C.malloc(size)), (*C.text)(C.malloc(size))
	defer C.free(unsafe.Pointer(keys))
	defer C.free(unsafe.Pointer(values))
	k, v := unsafe.Slice(keys, len(names)), unsafe.Slice(values, len(names))
	for i, name := range names {
		var free func()
		k[i], free = cstring(name)
		defer free()
		v[i], free = cstring(m[name])
		defer free()
	}
	return f(keys, values, C.size_t(len(names)))
}
