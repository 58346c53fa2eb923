package ram

import (
	"encoding/binary"
	"syscall"
)

// available is half of the machine's memory: macOS compresses and drops what others do not use, and has no such figure.
func available() int64 {
	if all := total(); all > 0 {
		return all / 2
	}
	return Unknown
}

func total() int64 {
	text, err := syscall.Sysctl("hw.memsize")
	if err != nil {
		return 0
	}
	raw := append([]byte(text), make([]byte, 8)...) // Sysctl takes a zero byte at the end away
	return int64(binary.LittleEndian.Uint64(raw))
}

func used() int64 { return 0 }
