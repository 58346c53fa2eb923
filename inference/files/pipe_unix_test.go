//go:build !windows

package files

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestPipesAndSocketsAreRefusedAtOnce(t *testing.T) {
	dir, err := os.MkdirTemp("", "pipe") // t.TempDir is too long a name for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	pipe, socket := filepath.Join(dir, "p"), filepath.Join(dir, "s")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("no pipes here:", err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for path, want := range map[string]string{pipe: "is a pipe", socket: "is a socket"} {
		if err := within(t, path, func() error { _, err := Open(path); return err }); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	// Also one that takes a file's place after the first look: opening itself does not wait.
	if err := within(t, "the opening itself", func() error {
		f, err := os.OpenFile(pipe, os.O_RDONLY|nonblocking, 0)
		if err == nil {
			err = f.Close()
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}
