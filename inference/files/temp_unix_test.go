//go:build !windows

package files

import (
	"errors"
	"os"
	"syscall"
	"testing"
)

func TestUmaskHolds(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	dir := t.TempDir()
	f, err := Create(dir, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	folder, done, err := Mkdir(dir, "x")
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	a, err1 := os.Stat(f.Name())
	b, err2 := os.Stat(folder)
	if err := errors.Join(err1, err2); err != nil || a.Mode().Perm() != 0o600 || b.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v, %v", a.Mode(), b.Mode(), err)
	}
}
