package files

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestFree(t *testing.T) {
	dir := t.TempDir()
	here, err := Free(dir)
	if err != nil || here <= 0 {
		t.Fatalf("%d bytes, %v", here, err)
	}
	if _, err := Free(filepath.Join(dir, "not", "yet")); err != nil {
		t.Errorf("a folder that does not exist yet: %v", err)
	}
	if err := Fits(dir, 1); err != nil {
		t.Errorf("one byte: %v", err)
	}
	err = Fits(dir, math.MaxInt64)
	var full *FullError
	if !errors.As(err, &full) || full.Need != math.MaxInt64 || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "free up space") {
		t.Errorf("everything: %v", err)
	}
}

func TestWritable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, right := range map[string]bool{dir: true, filepath.Join(dir, "not", "yet"): true, file: false, filepath.Join(file, "below"): false} {
		if err := Writable(path); (err == nil) != right || err != nil && !strings.HasPrefix(err.Error(), path+" cannot be written: ") {
			t.Errorf("%s: %v", path, err)
		}
	}
	for path, right := range map[string]bool{dir: true, filepath.Join(dir, "not", "yet"): true, file: false} {
		if err := WritableAsIs(path); (err == nil) != right || err != nil && !strings.HasPrefix(err.Error(), path+" cannot be written: ") {
			t.Errorf("%s as it is: %v", path, err)
		}
	}
	for _, cause := range []error{syscall.EROFS, fs.ErrPermission, syscall.ENOSPC, syscall.ENOTDIR, syscall.EIO} {
		if err := asIs(dir, cause); !errors.Is(err, cause) || strings.Contains(err.Error(), "choose") {
			t.Errorf("of a folder that cannot be chosen it says: %v", err)
		}
	}
	if left, err := os.ReadDir(dir); len(left) != 1 || err != nil {
		t.Errorf("%v is left, %v", left, err)
	}
}
