package ram

// pages are counts of pages of macOS as its kernel publishes them (XNU, bsd/vm/vm_unix.c: vm.page_free_count,
// vm.page_pageable_external_count and vm.page_purgeable_count). Those that were read ahead of need (vm.page_speculative_count) are among
// those of files (vm_page_speculate in osfmk/vm/vm_resident.c). What Activity Monitor calls used is all the rest: pages of programs, which
// would have to be compressed or written out, what is compressed, and what is wired. So kern.memorystatus_level, which counts pages of
// programs as available, is no such figure.
type pages struct {
	free      uint32
	files     uint32 // contents of files, which can be read again
	purgeable uint32 // that programs let go of when memory is wanted
}

// left is what can be taken without another having to give way.
func (p pages) left(size int64) int64 {
	return (int64(p.free) + int64(p.files) + int64(p.purgeable)) * size
}

// footprint is what macOS counts as a process's own, of its struct rusage_info_v0 (sys/resource.h): 16 bytes that name the program, times
// and counts, wired and resident size, and then it. It is all memory that is no file's, the graphics card's included.
func footprint(rusage []uint64) int64 {
	const at = 2 + 7
	if len(rusage) <= at {
		return 0
	}
	return int64(rusage[at]) //nolint:gosec // no machine has so much
}
