package history

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"realword/inference/files"
)

// OpenCopy opens a history as it is on disk at this moment, whether or not another process has it open. It is for reading: what others
// write later is not seen, and every change is an *Error. Only the records are copied, into a file that is gone with Close, or the program;
// blobs are read where they lie, so that one that its owner throws away meanwhile is missing.
func (o Options) OpenCopy(path string) (*Store, error) {
	base := strings.TrimSuffix(path, filepath.Ext(path))
	s := &Store{path: path, blobs: base + ".blobs", pictures: o.Pictures}
	whole, err := files.Open(path)
	if err != nil {
		return nil, explain(path, err)
	}
	defer whole.Close()
	copied, err := files.Nameless()
	if err != nil {
		return nil, err
	}
	if err = snapshot(copied, whole, path); err == nil {
		err = guard(path, func() (err error) {
			s.db, err = bbolt.Open(copied.Name(), 0o600, &bbolt.Options{
				ReadOnly: true, OpenFile: func(string, int, os.FileMode) (*os.File, error) { return copied, nil },
			})
			return err
		})
	}
	if err == nil {
		err = s.view(func(tx *bbolt.Tx) error { return checkSchema(tx, path) })
	}
	if err != nil {
		if s.db == nil || s.db.Close() != nil {
			_ = copied.Close()
		}
		return nil, explain(path, err)
	}
	return s, nil
}

// snapshot copies a database that somebody may be writing to. A change leaves alone what the one before it consists of, and takes
// effect with one of the first pages: so a copy is whole where those are the same before and after.
func snapshot(to *os.File, from *os.File, path string) error {
	if exists(turnFile(path)) { // else its owner knows of no turns: it is of an earlier version, or of another disk
		if release, err := files.Lock(turnFile(path)); err == nil {
			defer release()
		}
	}
	const tries = 10
	for range tries {
		before, err := readPages(from, 0)
		if err != nil {
			return &Error{Damaged, path, err}
		}
		info, err := from.Stat() // afterwards: it holds all that those lead to
		if err != nil {
			return err
		}
		if _, err := to.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.Copy(to, io.NewSectionReader(from, 0, info.Size())); err != nil {
			return err
		}
		if after, err := readPages(from, 0); err == nil && slices.Equal(before.metas, after.metas) {
			if err := soundPages(to, info.Size()); err != nil {
				return &Error{Damaged, path, err}
			}
			return to.Truncate(info.Size())
		}
		time.Sleep(10 * time.Millisecond)
	}
	return &Error{Busy, path, nil}
}

// checkSchema is an error for a history that this program does not know.
func checkSchema(tx *bbolt.Tx, path string) error {
	meta := tx.Bucket(metaBucket)
	if meta == nil {
		return &Error{Damaged, path, errors.New("it is a database of another program")}
	}
	return schemaError(meta.Get(schemaKey), path)
}

// Waiting are the histories that processes have kept beside the one at path and that have not joined it yet; OpenCopy reads them, too.
func Waiting(path string) []string {
	parent := waitingFolder(path)
	entries, _ := os.ReadDir(parent) // mostly there is none
	var list []string
	for _, e := range entries {
		if file := filepath.Join(parent, e.Name(), besideName); !strings.HasPrefix(e.Name(), unreadables) && exists(file) {
			list = append(list, file)
		}
	}
	return list
}
