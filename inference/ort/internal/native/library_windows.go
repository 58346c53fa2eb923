package native

import (
	"path/filepath"
	"syscall"
	"unsafe"
)

// symbol looks a function up in a library, which is loaded unless it is already.
func symbol(library, name string) (unsafe.Pointer, error) {
	h, err := syscall.LoadLibrary(library)
	if err != nil {
		return nil, err
	}
	p, err := syscall.GetProcAddress(h, name)
	return *(*unsafe.Pointer)(unsafe.Pointer(&p)), err
}

// Load loads a library for the rest of the process; a later one that needs it finds it by its name. The error is the
// system's text.
func Load(path string) error {
	_, err := syscall.LoadLibrary(filepath.FromSlash(path))
	return err
}

// nativePath is a path as the library takes it: UTF-16 with a final zero.
func nativePath(path string) ([]byte, error) {
	u, err := syscall.UTF16FromString(path)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(u))), 2*len(u)), nil
}
