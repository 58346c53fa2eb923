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

func available() int64 {
	s := status{}
	s.length = uint32(unsafe.Sizeof(s))
	if ok, _, _ := memoryStatus.Call(uintptr(unsafe.Pointer(&s))); ok == 0 {
		return Unknown
	}
	return int64(min(s.availPhysical, s.availPage))
}

func used() int64 { return 0 }
