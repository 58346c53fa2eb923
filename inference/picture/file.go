package picture

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"realword/inference/disk"
)

// WriteUnique writes data to the first free name of the series stem-0001.ext, stem-0002.ext, … in dir after the highest number
// that is there, and returns the path. It makes the folder if it is missing. Numbers above 9999 get more digits.
func WriteUnique(dir, stem, ext string, data []byte) (string, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", explainWrite(dir, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", explainWrite(dir, err)
	}
	last := 0
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), stem+"-")
		if !ok {
			continue
		}
		if digits, ok = strings.CutSuffix(digits, ext); !ok {
			continue
		}
		if n, err := strconv.Atoi(digits); err == nil && n < 1<<30 {
			last = max(last, n)
		}
	}
	for {
		last++ // another program may take a name between the listing and the writing
		path := filepath.Join(dir, fmt.Sprintf("%s-%04d%s", stem, last, ext))
		err := WriteFileAtomic(path, data)
		switch {
		case err == nil:
			return path, nil
		case !errors.Is(err, fs.ErrExist):
			return "", err
		}
	}
}

// ReplaceFile writes a file whole, in the place of one that may be there; that one stays until the new one is on the disk, and is
// as private as it was.
func ReplaceFile(path string, data []byte) error {
	perm := fs.FileMode(0o666)
	if info, err := os.Stat(path); err == nil {
		perm = info.Mode().Perm()
	}
	return write(path, data, perm, os.Rename)
}

// WriteFileAtomic writes a new file: it is there whole, or not at all, also after a loss of power. It never overwrites; the error
// then is fs.ErrExist.
func WriteFileAtomic(path string, data []byte) error {
	if _, err := os.Lstat(path); err == nil {
		return explainWrite(path, fs.ErrExist)
	}
	return write(path, data, 0o666, publish)
}

func write(path string, data []byte, perm fs.FileMode, publish func(temp, path string) error) error {
	dir := filepath.Dir(path)
	f, err := disk.Create(dir, perm)
	if err != nil {
		return explainWrite(dir, err)
	}
	temp := f.Name()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = publish(temp, path)
	}
	if err != nil {
		_ = os.Remove(temp)
		return explainWrite(path, err)
	}
	if d, err := os.Open(dir); err == nil { // so that the name lasts too; not every system can
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}

// publish gives a finished file its name unless the name is taken. A hard link does that in one operation; where there are none
// (FAT, some network drives) the name is reserved first.
func publish(temp, path string) error {
	if os.Link(temp, path) == nil {
		_ = os.Remove(temp)
		return nil
	}
	reserved, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	if err = reserved.Close(); err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		_ = os.Remove(path)
	}
	return err
}

// explainWrite adds what to do to an error of writing at path.
func explainWrite(path string, err error) error {
	var advice string
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s is there already and is not overwritten; choose another name: %w", path, fs.ErrExist)
	case disk.IsFull(err):
		advice = "the disk is full; free some space or choose another folder"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		advice = "the folder is read-only; choose another folder or change its permissions"
	case errors.Is(err, fs.ErrNotExist):
		advice = "the folder does not exist; make it or choose another"
	case errors.Is(err, syscall.ENOTDIR):
		advice = "a part of the path is a file, not a folder; choose another folder"
	case errors.Is(err, syscall.ENAMETOOLONG):
		advice = "the name is too long; choose a shorter one"
	default:
		advice = "choose another folder"
	}
	return fmt.Errorf("cannot write %s: %s: %w", path, advice, err)
}
