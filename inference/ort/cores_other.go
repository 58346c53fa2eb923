//go:build !windows

package ort

import (
	"os"
	"path/filepath"
	"strings"
)

// cores counts those of the machine; 0 where the system does not tell.
func cores() int {
	seen := map[string]bool{}
	siblings, _ := filepath.Glob("/sys/devices/system/cpu/cpu[0-9]*/topology/thread_siblings_list")
	for _, path := range siblings {
		if list, err := os.ReadFile(path); err == nil {
			seen[strings.TrimSpace(string(list))] = true
		}
	}
	return len(seen)
}
