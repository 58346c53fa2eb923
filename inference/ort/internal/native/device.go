package native

/*
#include <stdlib.h>
#include "api.h"

static handle register_library(handle env, text name, const void *path) {
  return CALL(RegisterExecutionProviderLibrary, handle, handle, text, const void *)(env, name, path);
}
static handle ep_devices(handle env, handle **out, size_t *n) { return CALL(GetEpDevices, handle, handle, handle **, size_t *)(env, out, n); }
static text ep_name(handle d) { return CALL(EpDevice_EpName, text, handle)(d); }
static handle ep_hardware(handle d) { return CALL(EpDevice_Device, handle, handle)(d); }
static handle ep_memory(handle d) { return CALL(EpDevice_MemoryInfo, handle, handle, int)(d, MEMORY_DEFAULT); }
static int hardware_type(handle h) { return CALL(HardwareDevice_Type, int, handle)(h); }
static uint32_t hardware_number(int slot, handle h) { return ((uint32_t (*)(handle))rw_api[slot])(h); }
static handle hardware_metadata(handle h) { return CALL(HardwareDevice_Metadata, handle, handle)(h); }
static void pairs(handle p, text const **keys, text const **values, size_t *n) {
  CALL(GetKeyValuePairs, void, handle, text const **, text const **, size_t *)(p, keys, values, n);
}
static text hardware_vendor(handle h) { return CALL(HardwareDevice_Vendor, text, handle)(h); }
*/
import "C"

import "unsafe"

// Register loads a library of execution providers and keeps it for the rest of the process. The error has the loader's text.
func Register(name, path string) error {
	p, err := nativePath(path)
	if err != nil {
		return err
	}
	n, free := cstring(name)
	defer free()
	return failed(C.register_library(attached.env, n, unsafe.Pointer(&p[0])))
}

// Device is one device as one execution provider offers it. It lives as long as the process.
type Device struct {
	Provider string // for instance "CUDAExecutionProvider"
	Vendor   string
	GPU      bool
	VendorID uint32            // of the PCI bus
	DeviceID uint32            // likewise
	Hardware map[string]string // what the system tells of it besides, as the library names it
	h        C.handle
}

// Devices lists the devices of the registered providers, the processor included.
func Devices() ([]Device, error) {
	var raw *C.handle
	var n C.size_t
	if err := failed(C.ep_devices(attached.env, &raw, &n)); err != nil {
		return nil, err
	}
	var list []Device
	if n == 0 {
		return nil, nil
	}
	for _, h := range unsafe.Slice(raw, int(n)) {
		hardware := C.ep_hardware(h)
		list = append(list, Device{
			VendorID: uint32(C.hardware_number(C.HardwareDevice_VendorId, hardware)), DeviceID: uint32(C.hardware_number(C.HardwareDevice_DeviceId, hardware)),
			Hardware: stringMap(C.hardware_metadata(hardware)),
			Provider: C.GoString(C.ep_name(h)), Vendor: C.GoString(C.hardware_vendor(hardware)),
			GPU: C.hardware_type(hardware) == C.HARDWARE_GPU, h: h,
		})
	}
	return list, nil
}

// Memory returns the device's own memory, nil where the provider computes in that of the processor. It is never closed.
func (d Device) Memory() *Memory {
	if h := C.ep_memory(d.h); h != nil {
		return &Memory{object{h: h}}
	}
	return nil
}

// stringMap copies what the library keeps as pairs.
func stringMap(h C.handle) map[string]string {
	m := map[string]string{}
	if h == nil {
		return m
	}
	var keys, values *C.text
	var n C.size_t
	C.pairs(h, &keys, &values, &n)
	k, v := unsafe.Slice(keys, int(n)), unsafe.Slice(values, int(n))
	for i := range k {
		m[C.GoString(k[i])] = C.GoString(v[i])
	}
	return m
}
