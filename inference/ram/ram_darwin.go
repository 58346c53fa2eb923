package ram

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// available is half of the machine's memory where the system does not count its pages.
func available() int64 {
	if p, ok := count(); ok {
		return p.left(int64(os.Getpagesize()))
	}
	if all := total(); all > 0 {
		return all / 2
	}
	return Unknown
}

func count() (p pages, ok bool) {
	free, err := unix.SysctlUint32("vm.page_free_count")
	files, err2 := unix.SysctlUint32("vm.page_pageable_external_count")
	if err != nil || err2 != nil {
		return pages{}, false
	}
	purgeable, _ := unix.SysctlUint32("vm.page_purgeable_count")
	return pages{free, files, purgeable}, true
}

func total() int64 {
	n, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return 0
	}
	return int64(n) //nolint:gosec // no machine has so much
}

// used is asked as libproc's proc_pid_rusage does it, with RUSAGE_INFO_V0: 96 bytes, and there is room for what may be added to them.
func used() int64 {
	if _, ok := count(); !ok {
		return 0
	}
	const pidRusage, infoV0 = 9, 0
	var info [64]uint64
	_, _, failed := syscall.Syscall6(syscall.SYS_PROC_INFO, pidRusage, uintptr(os.Getpid()), infoV0, 0, uintptr(unsafe.Pointer(&info)), 0)
	if failed != 0 {
		return 0
	}
	return footprint(info[:])
}
