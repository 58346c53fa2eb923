package native

/*
#include <stddef.h>

// The few functions of NVIDIA's driver API that name the devices, by the types of its ABI.
static int driver_init(void *f) { return ((int (*)(unsigned))f)(0); }
static int driver_number(void *f, int *out) { return ((int (*)(int *))f)(out); }
static int driver_device(void *f, int *out, int index) { return ((int (*)(int *, int))f)(out, index); }
static int driver_name(void *f, char *out, int size, int device) { return ((int (*)(char *, int, int))f)(out, size, device); }
static int driver_memory(void *f, size_t *out, int device) { return ((int (*)(size_t *, int))f)(out, device); }
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// GPU is a device as NVIDIA's driver names it.
type GPU struct {
	Name   string
	Memory uint64 // bytes
}

// GPUs asks NVIDIA's driver library for its devices, in the order of their indices, and for the newest version of CUDA that it
// serves, as in 13.0. It initialises the driver, which a broken installation may not survive: call it in a child process.
func GPUs(driver string) (list []GPU, cuda string, err error) {
	calls := map[string]unsafe.Pointer{}
	for _, name := range []string{
		"cuInit", "cuDriverGetVersion", "cuDeviceGetCount", "cuDeviceGet", "cuDeviceGetName",
		"cuDeviceTotalMem_v2",
	} {
		if calls[name], err = symbol(driver, name); err != nil {
			return nil, "", err
		}
	}
	check := func(name string, code C.int) {
		if code != 0 && err == nil {
			err = fmt.Errorf("%s answers with error %d of the CUDA driver", name, int(code))
		}
	}
	var version, count C.int
	check("cuInit", C.driver_init(calls["cuInit"]))
	if err != nil {
		return nil, "", err
	}
	check("cuDriverGetVersion", C.driver_number(calls["cuDriverGetVersion"], &version))
	check("cuDeviceGetCount", C.driver_number(calls["cuDeviceGetCount"], &count))
	for i := range int(count) {
		var device C.int
		var name [256]C.char
		var memory C.size_t
		check("cuDeviceGet", C.driver_device(calls["cuDeviceGet"], &device, C.int(i)))
		check("cuDeviceGetName", C.driver_name(calls["cuDeviceGetName"], &name[0], C.int(len(name)), device))
		check("cuDeviceTotalMem", C.driver_memory(calls["cuDeviceTotalMem_v2"], &memory, device))
		if err != nil {
			return nil, "", err
		}
		list = append(list, GPU{C.GoString(&name[0]), uint64(memory)})
	}
	return list, fmt.Sprintf("%d.%d", version/1000, version%1000/10), err
}
