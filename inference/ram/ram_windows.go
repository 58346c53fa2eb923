package ram

import (
	"syscall"
	"unsafe"
)

var (
	kernel32      = syscall.NewLazyDLL("kernel32.dll")
	memoryStatus  = kernel32.NewProc("GlobalMemoryStatusEx")
	processMemory = kernel32.NewProc("K32GetProcessMemoryInfo")
)

// status is MEMORYSTATUSEX.
type status struct {
	length, load                                                         uint32
	physical, availPhysical, page, availPage, virtual, availVirtual, ext uint64
}

func ask() (s status, ok bool) {
	s.length = uint32(unsafe.Sizeof(s))
	answer, _, _ := memoryStatus.Call(uintptr(unsafe.Pointer(&s)))
	return s, answer != 0
}

func available() int64 {
	s, ok := ask()
	if !ok {
		return Unknown
	}
	return int64(min(s.availPhysical, s.availPage))
}

func total() int64 {
	s, _ := ask()
	return int64(s.physical)
}

// counters is PROCESS_MEMORY_COUNTERS_EX. The last is what pagefile is, too, but not on Windows 7, and Wine lacks it.
type counters struct {
	length, faults                                                                                     uint32
	peakResident, resident, peakPool, pool, peakNonPaged, nonPaged, pagefile, peakPagefile, privateUse uintptr
}

func used() int64 {
	s, ok := ask()
	c := counters{length: uint32(unsafe.Sizeof(counters{}))}
	const self = ^uintptr(0)
	if answer, _, _ := processMemory.Call(self, uintptr(unsafe.Pointer(&c)), uintptr(c.length)); answer == 0 || !ok {
		return 0
	}
	return held(int64(s.availPhysical), int64(c.resident), int64(s.availPage), int64(max(c.privateUse, c.pagefile)))
}
