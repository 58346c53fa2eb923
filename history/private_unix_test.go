//go:build !windows

package history

import (
	"bytes"
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"
	"testing"
)

// What the history keeps is its owner's alone, also with a generous umask; pictures are as private as the umask says.
func TestPrivacyOfFiles(t *testing.T) {
	for umask, pictures := range map[int]fs.FileMode{0o077: 0o600, 0o022: 0o644} {
		old := syscall.Umask(umask)
		dir := t.TempDir()
		s := open(t, filepath.Join(dir, "new", "history.db"))
		round, err1 := s.BeginRound(Plan{Recipe: []byte(`{}`)}, noon)
		_, err2 := s.PutReference(Reference{Name: "large.png"}, make([]byte, inlineLimit+1))
		id, err3 := s.StartPicture(round, 1)
		_, err4 := finish(s, id, Picture{File: "dog.png"}, []byte(onePNG))
		r, err5 := s.Round(round)
		var zipped bytes.Buffer
		_, err6 := s.Export(r.Session, &zipped)
		other := open(t, filepath.Join(dir, "other", "history.db"))
		_, err7 := other.ImportFrom("x.zip", bytes.NewReader(zipped.Bytes()), int64(zipped.Len()))
		_, err8 := s.ExportFile(t.Context(), r.Session, filepath.Join(dir, "session.zip"))
		syscall.Umask(old)
		if err := errors.Join(err1, err2, err3, err4, err5, err6, err7, err8); err != nil {
			t.Fatal(err)
		}
		seen := 0
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			want := fs.FileMode(0o600)
			if ext := filepath.Ext(path); ext == ".png" || ext == ".zip" {
				want = pictures
			}
			info, err := d.Info()
			if seen++; err != nil || info.Mode().Perm() != want {
				t.Errorf("umask %o: %s has %v, want %v", umask, path, info.Mode(), want)
			}
			return err
		})
		if err != nil || seen != 8 {
			t.Errorf("%d files, %v", seen, err)
		}
	}
}
