package ram

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

func available() int64 {
	n := int64(Unknown)
	if kb, ok := field("/proc/meminfo", "MemAvailable:"); ok {
		n = kb << 10
	}
	n = min(n, control("/sys/fs/cgroup", "/proc/self/cgroup"))
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &limit); err == nil && limit.Cur < math.MaxInt64 {
		if kb, ok := field("/proc/self/status", "VmSize:"); ok {
			n = min(n, int64(limit.Cur)-kb<<10)
		}
	}
	return n
}

func used() int64 {
	kb, _ := field("/proc/self/status", "RssAnon:")
	return kb << 10
}

// control returns what is left in the control groups (version 2, and version 1 as containers see it) that the process is in.
func control(root, self string) int64 {
	left := int64(math.MaxInt64)
	look := func(dir, limit, current, stat string) {
		most, err := number(filepath.Join(dir, limit))
		now, err2 := number(filepath.Join(dir, current))
		if err != nil || err2 != nil {
			return // no limit
		}
		// Pages of files are dropped before anybody is killed.
		files, _ := field(filepath.Join(dir, stat), "inactive_file")
		active, _ := field(filepath.Join(dir, stat), "active_file")
		left = min(left, most-now+files+active)
	}
	look(filepath.Join(root, "memory"), "memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat")
	groups, _ := os.ReadFile(self)
	for line := range strings.Lines(string(groups)) {
		path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !ok {
			continue
		}
		for ; ; path = filepath.Dir(path) { // every group around it counts
			look(filepath.Join(root, path), "memory.max", "memory.current", "memory.stat")
			if path == "/" || path == "." {
				break
			}
		}
	}
	return left
}

// field returns the number after a name at the beginning of a line.
func field(file, name string) (int64, bool) {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == name {
			n, err := strconv.ParseInt(f[1], 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

func number(file string) (int64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}
