//go:build !windows

package ort

import (
	"os"
	"syscall"
)

// mapFile returns the bytes of a file, which are read as they are looked at, until unmap.
func mapFile(path string) (data []byte, unmap func(), err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if data, err = syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_PRIVATE); err != nil {
		return nil, nil, os.NewSyscallError("mmap", err)
	}
	return data, func() { _ = syscall.Munmap(data) }, nil
}
