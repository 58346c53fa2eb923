package ram

import (
	"syscall"
	"unsafe"
)

var memoryStatus = syscall.NewLazyDLL("kernel32.dll").NewProc("GlobalMemoryStatusEx")

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

func used() int64 { return 0 }
