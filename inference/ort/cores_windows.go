package ort

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

var processorInformation = windows.NewLazySystemDLL("kernel32.dll").NewProc("GetLogicalProcessorInformationEx")

// cores counts those of the machine; 0 where the system does not tell.
func cores() int {
	const core = 0 // RelationProcessorCore
	var size uint32
	processorInformation.Call(core, 0, uintptr(unsafe.Pointer(&size)))
	if size == 0 {
		return 0
	}
	records := make([]byte, size)
	if ok, _, _ := processorInformation.Call(core, uintptr(unsafe.Pointer(&records[0])), uintptr(unsafe.Pointer(&size))); ok == 0 {
		return 0
	}
	return coresOf(records[:min(int(size), len(records))])
}
