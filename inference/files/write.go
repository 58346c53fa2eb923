package files

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"realword/inference/message"
)

// How says how Put writes; 0 replaces a file that may be there, and keeps its permissions.
type How uint8

// The ways of writing, which may be combined.
const (
	New      How = 1 << iota // never replaces a file: the error is fs.ErrExist
	Private                  // for nobody but the user
	Unsynced                 // lasts when the program dies, but perhaps not when the machine does
)

// Put writes a file by calling fill. It is there whole or not at all, also after a loss of power.
func Put(path string, how How, fill func(io.Writer) error) error {
	perm := fs.FileMode(0o666)
	switch info, err := os.Lstat(path); {
	case err == nil && how&New != 0:
		return &fs.PathError{Op: "write", Path: path, Err: fs.ErrExist}
	case err == nil && info.IsDir(): // Windows would say that access to it is denied
		return &fs.PathError{Op: "write", Path: path, Err: fs.ErrExist}
	case how&Private != 0:
		perm = 0o600
	case err == nil && IsFile(info.Mode()):
		perm = info.Mode().Perm()
	}
	f, err := Create(filepath.Dir(path), perm)
	if err != nil {
		return ofFile(path, err)
	}
	err = fill(f)
	if err == nil && how&Unsynced == 0 {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		name := Move
		if how&New != 0 {
			name = publish
		}
		err = name(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return ofFile(path, err)
	}
	if how&Unsynced == 0 {
		syncName(path)
	}
	return nil
}

// ofFile is an error of writing a file that names it, and not the hidden one that nobody has asked for.
func ofFile(path string, err error) error {
	var of *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &of) && strings.HasPrefix(filepath.Base(of.Path), unfinishedFile):
		return &fs.PathError{Op: of.Op, Path: path, Err: of.Err}
	case errors.As(err, &link):
		return &fs.PathError{Op: "write", Path: path, Err: link.Err}
	}
	return err
}

// syncName has the name of a file or folder last, too; not every system can.
func syncName(path string) {
	if d, err := os.Open(filepath.Dir(path)); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}

// Data fills a file with bytes.
func Data(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}

// Write is Put of bytes for a file of the user's: its errors say what to do.
func Write(path string, how How, data []byte) error {
	if err := Put(path, how, Data(data)); err != nil {
		return explain(path, err)
	}
	return nil
}

// series are the highest numbers that files had, by the hash of all else of their names: see Known. Two that share one get a higher number.
var series = struct {
	sync.Mutex
	last map[uint64]int
	seed maphash.Seed
}{last: map[uint64]int{}, seed: maphash.MakeSeed()}

// Known has WriteUnique give no name again that a file had, though the file is gone now: whoever noted the name would find another one
// there. WriteUnique knows its own.
func Known(path string) {
	ext := filepath.Ext(path)
	stem, digits, ok := cutLast(strings.TrimSuffix(filepath.Base(path), ext), "-")
	if n, err := strconv.Atoi(digits); ok && err == nil && n < mostNumber {
		known(filepath.Dir(path), stem, ext, n)
	}
}

// known notes a number of a series, and returns the highest.
func known(dir, stem, ext string, n int) int {
	series.Lock()
	defer series.Unlock()
	key := maphash.String(series.seed, filepath.Join(dir, stem+"-"+ext))
	n = max(n, series.last[key])
	if n > 0 {
		series.last[key] = n
	}
	return n
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

const mostNumber = 1 << 30

// WriteUnique writes data to the first free name of the series stem-0001.ext, stem-0002.ext, … in dir after the highest number
// that is there or is known, and returns the path. It makes the folder if it is missing. Numbers above 9999 get more digits.
func WriteUnique(dir, stem, ext string, data []byte) (string, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", explain(dir, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", explain(dir, err)
	}
	last := 0
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), stem+"-")
		digits, ok2 := strings.CutSuffix(digits, ext)
		if n, err := strconv.Atoi(digits); ok && ok2 && err == nil && n < mostNumber {
			last = max(last, n)
		}
	}
	last = known(dir, stem, ext, last)
	for {
		last++ // another program may take a name between the listing and the writing
		path := filepath.Join(dir, fmt.Sprintf("%s-%04d%s", stem, last, ext))
		err := Write(path, New, data)
		switch {
		case err == nil:
			known(dir, stem, ext, last)
			return path, nil
		case !errors.Is(err, fs.ErrExist):
			return "", err
		}
	}
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
		err = Move(temp, path)
	}
	if err != nil {
		_ = os.Remove(path)
	}
	return err
}

// bare is what the system says of an error, without the file that it names.
func bare(err error) error {
	var of *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &of):
		return of.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// explain says what to do about an error of writing at path. Of the system's own words, and of the temporary file that they name, it
// repeats nothing that the sentence says.
func explain(path string, err error) error { return explainWith(inUse, Barred, path, err) }

func explainWith(inUse func(error) bool, barred func(error) error, path string, err error) error {
	var of *fs.PathError
	var link *os.LinkError
	named := errors.As(err, &of) && of.Op == "write" || of == nil && errors.As(err, &link) // what was written was to get its name
	err = bare(err)
	there, missing := os.Lstat(path)
	switch taken := named && missing == nil && inUse(err); {
	case taken && there.Mode().Perm()&0o200 == 0:
		return said(err, message.Errorf("%s cannot be written: the file of this name is read-only; choose another name or change its permissions", path))
	case taken:
		return said(err, message.Errorf("%s cannot be written: another program has it open; close it there or choose another name", path))
	case errors.Is(err, fs.ErrExist):
		return message.Errorf("%s already exists and is not overwritten; choose another name: %w", path, fs.ErrExist)
	case IsFull(err):
		return said(err, message.Errorf("%s cannot be written: the disk is full; free up some space or choose another folder", path))
	case errors.Is(err, syscall.EFBIG): // more than 4 GiB on FAT32
		return said(err, message.Errorf("%s cannot be written: its disk takes no files of this size; choose a folder on another disk", path))
	case barred(err) != nil:
		return said(err, message.Errorf("%s cannot be written: %w", path, barred(err)))
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return said(err, message.Errorf("%s cannot be written: the folder is read-only; choose another folder or change its permissions", path))
	case errors.Is(err, fs.ErrNotExist):
		return said(err, message.Errorf("%s cannot be written: the folder does not exist; create it or choose another", path))
	case errors.Is(err, syscall.ENOTDIR):
		return said(err, message.Errorf("%s cannot be written: part of the path is a file, not a folder; choose another folder", path))
	case errors.Is(err, syscall.ENAMETOOLONG):
		return said(err, message.Errorf("%s cannot be written: the name is too long; choose a shorter one", path))
	}
	return message.Errorf("%s cannot be written: choose another folder: %w", path, err)
}

// explained is an error in other words than its cause's, by which it is recognised.
type explained struct{ words, cause error }

func said(cause, words error) error { return explained{words, cause} }

func (e explained) Error() string        { return e.words.Error() }
func (e explained) Unwrap() error        { return e.words }
func (e explained) Is(target error) bool { return errors.Is(e.cause, target) }

// Sum is the SHA-256 of bytes, in hexadecimal.
func Sum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// IsSum tells whether a text looks like what Sum answers: strangers may write anything where one is to stand.
func IsSum(text string) bool {
	return len(text) == hex.EncodedLen(sha256.Size) && strings.Trim(text, "0123456789abcdef") == ""
}

// SumOf is the SHA-256 of a regular file, in hexadecimal.
func SumOf(path string) (string, error) {
	f, err := Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
