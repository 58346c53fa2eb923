package ort

import (
	"encoding/binary"
	"runtime"
)

// physicalCores counts the cores behind the processors that the process may use, because two threads that share a core
// also share its arithmetic units and gain nothing in matrix products.
func physicalCores() int {
	return coresFor(cores(), runtime.GOMAXPROCS(0))
}

// coresFor is how many of a machine's cores a process has that may use so many processors; 0 cores where the system does not tell.
func coresFor(cores, allowed int) int {
	if cores == 0 {
		return allowed
	}
	return min(cores, allowed)
}

// coresOf counts the cores in what Windows says of them: one record for each, SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX, that begins with its
// kind and its size.
func coresOf(records []byte) (n int) {
	const core = 0 // RelationProcessorCore
	for len(records) >= 8 {
		kind, size := binary.LittleEndian.Uint32(records), binary.LittleEndian.Uint32(records[4:])
		if size < 8 || int64(size) > int64(len(records)) {
			break
		}
		if kind == core {
			n++
		}
		records = records[size:]
	}
	return n
}
