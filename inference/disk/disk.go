// Package disk tells how much room a disk has, so that who is about to write gigabytes can say beforehand that they do not fit.
//
// Contract: Free asks the file system that dir lies on, or would lie on when it were made; it changes nothing.
package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Free returns the bytes that the user may still write below dir, which need not exist yet.
func Free(dir string) (int64, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return 0, err
	}
	for {
		_, err := os.Stat(dir)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) || filepath.Dir(dir) == dir {
			return 0, err
		}
		dir = filepath.Dir(dir)
	}
	return free(dir)
}

// FullError says that something does not fit on a disk.
type FullError struct {
	Dir        string
	Need, Free int64 // bytes
}

func (e *FullError) Error() string {
	return fmt.Sprintf("%s has %.1f GB free, and %.1f GB are needed; make room or choose a folder on another disk", e.Dir, float64(e.Free)/1e9, float64(e.Need)/1e9)
}

// Fits returns a *FullError when need bytes do not fit below dir. A file system that does not tell its room passes.
func Fits(dir string, need int64) error {
	if free, err := Free(dir); err == nil && free < need {
		return &FullError{dir, need, free}
	}
	return nil
}
