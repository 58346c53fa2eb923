package native

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"testing"
)

// cutShort maps two pages of a new file and then cuts the file off, so that reading them is a bus error.
func cutShort(t *testing.T, guarded bool) (data []byte, g *Guarded) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	size := 2 * os.Getpagesize()
	if err := f.Truncate(int64(size)); err != nil {
		t.Fatal(err)
	}
	if guarded {
		g = Guard(f)
		t.Cleanup(g.Release)
	}
	data, err = syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(data) })
	if err := f.Truncate(0); err != nil {
		t.Fatal(err)
	}
	return data, g
}

// TestGuard reads from a guarded file that is gone, and sees zeros; and from another, whose signal is Go's as before.
func TestGuard(t *testing.T) {
	data, g := cutShort(t, true)
	if g.Lost() {
		t.Error("lost before it was read")
	}
	if data[0] != 0 || data[len(data)-1] != 0 || !g.Lost() {
		t.Errorf("read %d and %d, lost %v", data[0], data[len(data)-1], g.Lost())
	}
	if _, other := cutShort(t, true); other.Lost() {
		t.Error("another file counts as lost")
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	unguarded, _ := cutShort(t, false)
	defer func() {
		if recover() == nil {
			t.Error("a file that is not guarded was replaced, too")
		}
	}()
	t.Log(unguarded[0])
}
