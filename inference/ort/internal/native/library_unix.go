//go:build !windows

package native

/*
#cgo linux LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"unsafe"
)

// symbol looks a function up in a library, which is loaded unless it is already.
func symbol(library, name string) (unsafe.Pointer, error) {
	h, err := open(library, C.RTLD_LAZY)
	if err != nil {
		return nil, err
	}
	n := C.CString(name)
	defer C.free(unsafe.Pointer(n))
	p := C.dlsym(h, n)
	if p == nil {
		return nil, errors.New(C.GoString(C.dlerror()))
	}
	return p, nil
}

// Load loads a library for the rest of the process and lets later ones find its functions, so that a library which needs it
// need not search for it. The error is the loader's text.
func Load(path string) error {
	_, err := open(path, C.RTLD_NOW|C.RTLD_GLOBAL)
	return err
}

func open(path string, mode C.int) (unsafe.Pointer, error) {
	p := C.CString(path)
	defer C.free(unsafe.Pointer(p))
	h := C.dlopen(p, mode)
	if h == nil {
		return nil, errors.New(C.GoString(C.dlerror()))
	}
	return h, nil
}
