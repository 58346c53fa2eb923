//go:build linux || windows || darwin

package ram

import (
	"runtime"
	"testing"
)

func TestThisProcess(t *testing.T) {
	if a := Available(); a <= 0 || a > 1<<50 || runtime.GOOS == "linux" && a > Total() {
		t.Errorf("%d bytes available of %d", a, Total())
	}
	before := Used()
	taken := make([]byte, 64<<20)
	for i := range taken {
		taken[i] = 1
	}
	if grown := Used() - before; grown < 60<<20 || grown > 100<<20 {
		t.Errorf("taking 64 MiB shows as %d", grown)
	}
	_ = taken[len(taken)-1]
}
