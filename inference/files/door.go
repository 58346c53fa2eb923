package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"realword/inference/message"
)

// Error says that something is no file that can be read: which, what it is instead, and what to do.
type Error struct {
	Path            string
	Problem, Remedy *message.Error
}

// Told is the error for any language.
func (e *Error) Told() *message.Error { return message.Note("%s %w; %w", e.Path, e.Problem, e.Remedy) }

func (e *Error) Error() string { return e.Told().Error() }

// Stat is os.Stat that fails with an *Error for what Open refuses.
func Stat(path string) (fs.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return info, regular(path, info)
}

// Open opens a regular file for reading; the caller closes it. It fails with an *Error for everything that is none, else with an
// *os.PathError.
func Open(path string) (*os.File, error) {
	f, _, err := open(path)
	return f, err
}

func open(path string) (*os.File, int64, error) {
	if _, err := Stat(path); err != nil {
		return nil, 0, err
	}
	// Without blocking, so that a pipe that took the file's place meanwhile cannot hold the program up.
	f, err := os.OpenFile(path, os.O_RDONLY|nonblocking, 0)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil {
		err = regular(path, info)
	}
	if err != nil {
		_ = f.Close() // nothing was read
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// Read returns what a regular file of at most limit bytes holds. A larger one is refused by an *Error before anything is read.
func Read(path string, limit int64) ([]byte, error) {
	f, size, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > limit {
		return nil, &Error{
			path, message.Note("has %d bytes, and at most %d are read from such a file", size, limit),
			message.Note("check that it is the right one, or use a smaller copy of it"),
		}
	}
	if size == 0 { // also what the system makes up when it is read says that, such as /proc/self/environ
		if n, err := f.Read(make([]byte, 1)); n > 0 || err != nil && !errors.Is(err, io.EOF) {
			return nil, &Error{path, message.Note("is made up by the system, and is no file on a disk"), message.Note("name a file")}
		}
		return []byte{}, nil
	}
	data := make([]byte, size)
	n, err := io.ReadFull(f, data)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) { // one that was cut meanwhile is shorter
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return data[:n], nil
}

// IsFile tells of the mode of a FileInfo, or of the type of a DirEntry, whether it is that of a file. On Windows a filter may stand before
// one that OneDrive and other clouds keep: Go calls it irregular, also where all of it is on the disk.
func IsFile(mode fs.FileMode) bool { return isFile(runtime.GOOS, mode) }

func isFile(system string, mode fs.FileMode) bool {
	return mode.IsRegular() || system == "windows" && mode.Type() == fs.ModeIrregular
}

// Exists tells whether there is a file at a path.
func Exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && IsFile(info.Mode())
}

// regular returns an *Error for everything but a regular file.
func regular(path string, info fs.FileInfo) error { return regularOn(runtime.GOOS, path, info.Mode()) }

func regularOn(system, path string, mode fs.FileMode) error {
	what := message.Note("is neither a file nor a folder")
	switch {
	case isFile(system, mode):
		return nil
	case mode.IsDir():
		return &Error{path, message.Note("is a folder, not a file"), message.Note("name a file in it")}
	case mode&fs.ModeNamedPipe != 0:
		what = message.Note("is a pipe, not a file")
	case mode&fs.ModeSocket != 0:
		what = message.Note("is a socket, not a file")
	case mode&fs.ModeDevice != 0:
		what = message.Note("is a device, not a file")
	}
	return &Error{path, what, message.Note("name a file")}
}

// IsInside tells whether a name with slashes, as strangers write it, names something in a folder on every system: a backslash parts folders
// on Windows, where io/fs takes it for a letter.
func IsInside(name string) bool {
	return fs.ValidPath(name) && !strings.Contains(name, `\`) && filepath.IsLocal(filepath.FromSlash(name))
}

// DirFS is os.DirFS(dir) whose files all come through Open.
func DirFS(dir string) fs.FS { return folder(dir) }

type folder string

// Open opens a file below the folder.
func (d folder) Open(name string) (fs.File, error) {
	path, err := d.path("open", name)
	if err != nil {
		return nil, err
	}
	f, size, err := open(path)
	if err != nil {
		return nil, err
	}
	return &bounded{f, io.LimitReader(f, size)}, nil
}

// Stat implements fs.StatFS.
func (d folder) Stat(name string) (fs.FileInfo, error) {
	path, err := d.path("stat", name)
	if err != nil {
		return nil, err
	}
	return os.Stat(path)
}

// path is where a name of io/fs lies on this system.
func (d folder) path(op, name string) (string, error) {
	local, err := filepath.Localize(name)
	if err != nil {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return filepath.Join(string(d), local), nil
}

// bounded is a file that ends where it ended when it was opened.
type bounded struct {
	*os.File
	r io.Reader
}

func (b *bounded) Read(p []byte) (int, error) { return b.r.Read(p) }
