//go:build !windows

package bundle_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"realword/inference/bundle"
)

func TestExtractSixAtOnce(t *testing.T) {
	_, dir := importTiny(t)
	files := os.DirFS(dir)
	for range 10 {
		cache := filepath.Join(t.TempDir(), "new", "cache")
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				if b, err := bundle.Extract(files, cache); err != nil {
					t.Error(err)
				} else if err := b.CheckFiles(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if left, err := filepath.Glob(filepath.Join(cache, ".partial*")); err != nil || len(left) > 0 {
			t.Errorf("%v, %v", left, err)
		}
	}
}

func TestExtractSweepsAndKeepsPrivate(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	cache := filepath.Join(t.TempDir(), "cache")
	left := filepath.Join(cache, ".partial-toybox-1")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(left, long, long); err != nil {
		t.Fatal(err)
	}
	_, dir := importTiny(t)
	if _, err := bundle.Extract(os.DirFS(dir), cache); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("what a program that died had unpacked is still there")
	}
	for _, folder := range []string{cache, dir} { // unpacked, and imported
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if info, err := d.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s: %v, %v", path, info.Mode(), err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
