// Package files is the one room for files: opening those that strangers made, writing complete ones, their names and sums, and how much
// room a disk has.
//
// Contract, reading: files that a user names, or that are in a folder that a user names, come in through Open, Read and DirFS. Only
// regular files are opened; symbolic links are followed. A pipe, a device, a socket or a folder is recognised before it is opened, so
// that opening never waits, takes nothing from it and changes nothing about it; the opened file is checked again, in case the path
// changed in between. A file is never longer than it was when it was opened: one that grows without end is read to where it ended
// then. Whole files are read only below a limit, which is compared with the size before memory is allocated. Errors name the file and
// a remedy.
//
// Contract, writing: what Create and Mkdir make is hidden, as private as the user's umask says, and locked while its program runs;
// Sweep removes it once that program has died. Put, and what is built on it, leaves a complete file or none. Free asks the file system
// that dir is on, or would be on once it is made; it changes nothing. Room and Fits may have macOS itself asked too, which takes a moment.
//
// Everything may be used from any goroutine.
package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"realword/inference/message"
)

// Free returns the bytes that the user may still write below dir, which need not exist yet.
func Free(dir string) (int64, error) {
	dir, err := There(dir)
	if err != nil {
		return 0, err
	}
	return free(dir)
}

// There is dir, or what it lies in that exists.
func There(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for {
		_, err := os.Stat(dir)
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrNotExist) || filepath.Dir(dir) == dir {
			return "", err
		}
		dir = filepath.Dir(dir)
	}
}

// FolderSize is how many bytes the files below a folder have. What cannot be read counts nothing.
func FolderSize(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && IsFile(d.Type()) {
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}

// Writable says why no file could be written in dir, which need not exist yet, and that another folder may be chosen. It leaves nothing
// behind.
func Writable(dir string) error {
	if err := unwritable(dir); err != nil {
		return explain(dir, err)
	}
	return nil
}

// WritableAsIs is Writable for a folder in whose place nobody can choose another one.
func WritableAsIs(dir string) error {
	if err := unwritable(dir); err != nil {
		return asIs(dir, bare(err))
	}
	return nil
}

func asIs(dir string, err error) error { return asIsWith(Barred, dir, err) }

func asIsWith(barred func(error) error, dir string, err error) error {
	switch {
	case IsFull(err):
		return said(err, message.Errorf("%s cannot be written: the disk is full; free up some space", dir))
	case barred(err) != nil:
		return said(err, message.Errorf("%s cannot be written: %w", dir, barred(err)))
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return said(err, message.Errorf("%s cannot be written: the folder is read-only; change its permissions", dir))
	case errors.Is(err, syscall.ENOTDIR):
		return said(err, message.Errorf("%s cannot be written: part of the path is a file, not a folder; move that file elsewhere", dir))
	}
	return message.Errorf("%s cannot be written: %w", dir, err)
}

func unwritable(dir string) error {
	above, err := There(dir)
	if err == nil {
		var f *os.File
		if f, err = Create(above, 0o600); err == nil {
			err = errors.Join(f.Close(), os.Remove(f.Name()))
		}
	}
	return err
}

// Visible is what a folder has whose names do not begin with a dot: a Mac leaves ._NAME beside every file on disks of other systems. The
// error is that of os.ReadDir, as is what comes with it.
func Visible(dir string) ([]fs.DirEntry, error) {
	list, err := os.ReadDir(dir)
	return slices.DeleteFunc(list, func(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") }), err
}

// FullError says that something does not fit on a disk.
type FullError struct {
	Dir        string
	Need, Free int64 // bytes
}

func (e *FullError) Error() string {
	return fmt.Sprintf("%s has %s free, less than the %s needed; free up space or choose a folder on another disk", e.Dir, Bytes(e.Free),
		Bytes(e.Need))
}

// Bytes is a number of bytes for people, in the largest unit of which there is one at least: "3.4 MB".
func Bytes(n int64) string {
	size, unit := Unit(n)
	if unit == "bytes" {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %s", size, unit)
}

// Unit is a number of bytes in the largest of "bytes", "kB", "MB" and "GB" of which there is one at least.
func Unit(n int64) (size float64, unit string) {
	size, unit = float64(n), "bytes"
	for _, larger := range []string{"kB", "MB", "GB"} {
		if size < 1000 {
			break
		}
		size, unit = size/1000, larger
	}
	return size, unit
}
