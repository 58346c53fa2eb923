package history

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"realword/inference/disk"
)

// writeBlob writes a file of the history's own, as private as the history. It is there whole or not at all, also after a loss of
// power, and replaces what was at path.
func (s *Store) writeBlob(path string, data []byte) error {
	return s.publish(path, data, 0o600, os.Rename)
}

// writePicture writes a file of the user's likewise, as private as the user's umask says. It never replaces: the error is then
// fs.ErrExist.
func (s *Store) writePicture(path string, data []byte) error {
	return s.publish(path, data, 0o666, func(temp, path string) error {
		err := os.Link(temp, path)
		if err == nil {
			return os.Remove(temp)
		}
		if _, e := os.Lstat(path); e == nil {
			return &fs.PathError{Op: "link", Path: path, Err: fs.ErrExist}
		}
		return os.Rename(temp, path) // a disk without hard links
	})
}

func (s *Store) publish(path string, data []byte, perm fs.FileMode, rename func(temp, path string) error) error {
	dir := filepath.Dir(path)
	f, err := disk.Create(dir, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if !s.unsynced {
		err = errors.Join(err, f.Sync())
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	if s.unsynced {
		return nil
	}
	if d, err := os.Open(dir); err == nil { // so that the name lasts too; not every system can
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}

// freeName writes data under the first free name of stem.png, stem-2.png, and so on.
func (s *Store) freeName(dir, stem string, data []byte) (string, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	for n := 1; ; n++ {
		path := filepath.Join(dir, stem+".png")
		if n > 1 {
			path = filepath.Join(dir, fmt.Sprintf("%s-%d.png", stem, n))
		}
		if err := s.writePicture(path, data); !errors.Is(err, fs.ErrExist) {
			return path, err
		}
	}
}

// safeStem keeps of a wished file name what every file system takes: letters, digits, dashes; at most 64 of them.
func safeStem(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.TrimSuffix(name, filepath.Ext(name))
	var stem []rune
	for _, r := range name {
		switch {
		case len(stem) == 64:
		case unicode.IsLetter(r), unicode.IsDigit(r):
			stem = append(stem, r)
		case len(stem) > 0 && stem[len(stem)-1] != '-':
			stem = append(stem, '-')
		}
	}
	if s := strings.Trim(string(stem), "-"); s != "" {
		return s
	}
	return "picture"
}
