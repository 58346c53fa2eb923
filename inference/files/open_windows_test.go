package files

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What another program has open is replaced once it is closed, and the folder is not blamed for one that stays open.
func TestOpenElsewhere(t *testing.T) {
	dir, err := os.MkdirTemp("", "open")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(dir) // Wine 8 has not what T.TempDir removes files with
	path := filepath.Join(dir, "a.png")
	defer os.Remove(path)
	if err := Write(path, 0, []byte("old")); err != nil {
		t.Fatal(err)
	}
	open := func() *os.File {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	held := open()
	time.AfterFunc(300*time.Millisecond, func() { _ = held.Close() })
	if err := Write(path, 0, []byte("new")); err != nil {
		t.Errorf("it was open for a moment: %v", err)
	}
	held = open()
	if err := Write(path, 0, nil); err == nil || !strings.Contains(err.Error(), "another program has it open") {
		t.Errorf("it is open: %v", err)
	}
	_ = held.Close()
}
