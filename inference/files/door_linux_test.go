package files

import (
	"strings"
	"testing"
)

// What the system makes up as it is read says that it has no bytes: it is no empty file.
func TestMadeUpFiles(t *testing.T) {
	for _, path := range []string{"/proc/self/environ", "/proc/self/mem", "/proc/self/status"} {
		if data, err := Read(path, 1<<20); err == nil || !strings.Contains(err.Error(), path+" is made up by the system") {
			t.Errorf("%s: %d bytes, %v", path, len(data), err)
		}
	}
}
