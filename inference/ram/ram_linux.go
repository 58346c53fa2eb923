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
	left, _ := control("/sys/fs/cgroup", "/proc/self/cgroup")
	n = min(n, left)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &limit); err == nil && limit.Cur < math.MaxInt64 {
		if kb, ok := field("/proc/self/status", "VmSize:"); ok {
			n = min(n, int64(limit.Cur)-kb<<10)
		}
	}
	return n
}

func total() int64 {
	kb, _ := field("/proc/meminfo", "MemTotal:")
	_, most := control("/sys/fs/cgroup", "/proc/self/cgroup")
	n := min(kb<<10, most)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &limit); err == nil && limit.Cur < math.MaxInt64 {
		if kb, ok := field("/proc/self/status", "VmSize:"); ok { // of which much is mapped and never taken
			n = min(n, int64(limit.Cur)-kb<<10+used())
		}
	}
	return n
}

func used() int64 {
	kb, _ := field("/proc/self/status", "RssAnon:")
	return kb << 10
}

// control returns what is left in the control groups (version 2, and version 1 as containers see it) that the process is in, and the
// least that one of them allows.
func control(root, self string) (left, least int64) {
	left, least = math.MaxInt64, math.MaxInt64
	look := func(dir, limit, current, stat string) {
		most, err := number(filepath.Join(dir, limit))
		now, err2 := number(filepath.Join(dir, current))
		if err != nil || err2 != nil {
			return // no limit
		}
		// Pages of files are dropped before anybody is killed.
		files, _ := field(filepath.Join(dir, stat), "inactive_file")
		active, _ := field(filepath.Join(dir, stat), "active_file")
		left, least = min(left, most-now+files+active), min(least, most)
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
	return left, least
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
