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
