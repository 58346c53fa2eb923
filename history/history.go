// Package history keeps an artist's work: sessions, their rounds with recipes and references, pictures with thumbnails and
// step data, and the queue of rounds still to make.
//
// Contract: the only importer of bbolt. Of Realword it imports only half floats and file handling, so a recipe, a draft and an exact
// state are bytes that only the caller understands. Each call that changes something is one transaction: on disk when the call
// returns nil, without effect when it returns an error. A program that is killed loses at most the call it was in. A Store may be
// used from any goroutine; one process at a time has it open; others may read a copy of it (OpenCopy), and keep what they make
// beside it (OpenBeside), where it waits for the next one that has it open (TakeIn). Returned values share nothing with the store.
//
// Where things lie: records, thumbnails and blobs up to 32 KiB in the bbolt file, larger blobs (references, latents) as
// files in the folder NAME.blobs beside it, named by their SHA-256; finished pictures as PNG files in the pictures folder,
// where they are the user's. Equal blobs are kept once. Files are written before the transaction that needs them and
// removed after the one that no longer does, so a crash leaves at worst a file that nobody needs; Sweep removes those. Open writes a
// bbolt file anew that is mostly free, which takes up to some seconds. Only their owner may read the history and its blobs; pictures and
// exported sessions are as private as the user's umask says, and an exported session names no folder of this machine.
//
// A damaged file never ends the program. Open walks through its pages before bbolt may follow them, and compares every record with its
// checksum: what is damaged is named, not shown, and left as it is. SetAside moves the file away, and Rescue copies what is intact.
// A new history never begins over the blobs of another one: they are moved away.
package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"realword/inference/files"

	"go.etcd.io/bbolt"
)

// Options are where a history keeps its files.
type Options struct {
	Pictures string        // folder for finished pictures; "": NAME.pictures beside the history
	Wait     time.Duration // for another process to let go of the file; 0: a second

	unsynced bool // tests that end with the process, not with the machine, need not wait for the disk
}

// Store is an open history.
type Store struct {
	db       *bbolt.DB
	path     string
	blobs    string // folder of large blobs
	pictures string
	how      files.How // its files are written
	release  func()    // of one beside another: its lock; nil otherwise

	mu      sync.Mutex // held by whoever changes the database or the files
	removed [][]byte   // blobs whose files are gone and whose removal is still written down
	stuck   bool       // who copies the history has not ended in time

	spoiled sync.Map // SHA-256 of blobs that were read and are not what was written
}

// DefaultPath is history.db in the realword folder of the user's configuration.
func DefaultPath() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("there is no folder for the history: %w: set HOME", err)
	}
	return filepath.Join(dir, "realword", "history.db"), nil
}

// Open opens the history file at path with the default options, or begins a new one.
func Open(path string) (*Store, error) { return Options{}.Open(path) }

// Open opens the history file at path, or begins a new one. Trouble with
// the file is an *Error.
func (o Options) Open(path string) (*Store, error) {
	base := strings.TrimSuffix(path, filepath.Ext(path))
	s := &Store{path: path, blobs: base + ".blobs", pictures: o.Pictures}
	if o.unsynced {
		s.how = files.Unsynced
	}
	if s.pictures == "" {
		s.pictures = base + ".pictures"
	}
	if o.Wait == 0 {
		o.Wait = time.Second
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, explain(path, err)
	}
	if err := examine(path, o.Wait); err != nil {
		return nil, explain(path, err)
	}
	openDB := func() (*bbolt.DB, error) {
		db, err := openFile(path, &bbolt.Options{Timeout: o.Wait, NoSync: o.unsynced, NoGrowSync: o.unsynced})
		return db, explain(path, err)
	}
	var err error
	if s.db, err = openDB(); err != nil {
		return nil, err
	}
	if f, err := os.OpenFile(turnFile(path), os.O_RDWR|os.O_CREATE, 0o600); err == nil { // for the user alone, as the others
		_ = f.Close()
	}
	if err = s.update(prepare); err == nil {
		err = s.recover()
	}
	if err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	if err = s.compact(openDB); err != nil {
		return nil, err
	}
	return s, nil
}

// examine walks through a file before bbolt opens it, which follows damaged pages in circles and beyond the end.
func examine(path string, wait time.Duration) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil // a new one
	}
	if err == nil && !files.IsFile(info.Mode()) {
		err = &Error{Unreachable, path, errors.New("it is not a file")}
	}
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := begins(f, info.Size()); err != nil {
		return &Error{Damaged, path, err}
	}
	// bbolt is only asked for its lock, so that nobody writes meanwhile.
	db, err := openFile(path, &bbolt.Options{Timeout: wait, ReadOnly: true})
	if err != nil {
		return err
	}
	if info, err = f.Stat(); err == nil {
		err = soundPages(f, info.Size())
	}
	if err != nil {
		err = &Error{Damaged, path, err}
	}
	return errors.Join(err, db.Close())
}

// begins looks whether a file can be one of bbolt's at all. Another program may be writing its first pages just now.
func begins(f *os.File, size int64) (err error) {
	for range 3 {
		if _, err = readPages(f, size); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

// openFile is bbolt.Open for files that may be anything, and of which another process may put a new one in place while they are waited
// for: what went into the old one would be nowhere.
func openFile(path string, o *bbolt.Options) (*bbolt.DB, error) {
	for try := 1; ; try++ {
		db, file, err := openOne(path, o)
		if err != nil {
			return nil, err
		}
		have, err := file.Stat()
		now, gone := os.Stat(path)
		if err == nil && gone == nil && os.SameFile(have, now) || try == 3 { // some network drives tell no files apart
			return db, nil
		}
		if err := db.Close(); err != nil {
			return nil, err
		}
	}
}

func openOne(path string, o *bbolt.Options) (db *bbolt.DB, file *os.File, err error) {
	o.OpenFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
		file, err = os.OpenFile(name, flag, mode)
		return file, err
	}
	damaged := guard(path, func() error {
		db, err = bbolt.Open(path, 0o600, o)
		return nil
	})
	if damaged != nil {
		return nil, nil, errors.Join(damaged, file.Close())
	}
	var system interface{ Timeout() bool }
	var known *Error
	if err != nil && strings.Contains(err.Error(), "file size too small") && !errors.As(err, &system) && !errors.As(err, &known) {
		err = &Error{Damaged, path, err}
	}
	return db, file, err
}

// guard turns the panics and faults with which bbolt meets damaged pages into errors.
func guard(path string, do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = &Error{Damaged, path, fmt.Errorf("%v", p)}
		}
	}()
	return do()
}

// SetAside renames a damaged history and its blobs, so that Open begins a new one, and returns the file's new name. Nothing is
// deleted. Where the blobs cannot be renamed, the file keeps its name; where the program dies in between, the next Open takes them along.
func SetAside(path string, at time.Time) (string, error) {
	base, ext := split(path)
	return setAside(path, asideOf(base, ext, at))
}

// split is a path without its ending, and the ending.
func split(path string) (base, ext string) {
	ext = filepath.Ext(path)
	return strings.TrimSuffix(path, ext), ext
}

func setAside(path, aside string) (string, error) {
	base, ext := split(path)
	if err := files.Move(path, aside+ext); err != nil {
		return "", explain(path, err)
	}
	if err := files.Move(base+".blobs", aside+".blobs"); err != nil && !errors.Is(err, os.ErrNotExist) {
		if !exists(path) { // else another program has begun a new one
			err = errors.Join(err, files.Move(aside+ext, path))
		}
		return "", explain(path, err)
	}
	return aside + ext, nil
}

// SetAsideForRescue is SetAside for a history of which Rescue is to bring over what can be read. Unrescued names the damaged file until
// RescueEnded is called: the program may die in between, and the new history is empty then.
func SetAsideForRescue(path string, at time.Time) (string, error) {
	base, ext := split(path)
	aside := asideOf(base, ext, at)
	if err := files.Put(base+rescueMark, files.Private, files.Data([]byte(filepath.Base(aside+ext)))); err != nil {
		return "", explain(path, err)
	}
	moved, err := setAside(path, aside)
	if err != nil {
		err = errors.Join(err, RescueEnded(path))
	}
	return moved, err
}

// rescueMark is the ending of the file with the name of the history that is to be rescued.
const rescueMark = ".rescue"

// Unrescued is the damaged file that was set aside for a rescue which has not ended; "": there is none.
func Unrescued(path string) string {
	base, _ := split(path)
	name, err := files.Read(base+rescueMark, 1<<12)
	if err != nil || filepath.Base(string(name)) != string(name) {
		return ""
	}
	if file := filepath.Join(filepath.Dir(path), string(name)); exists(file) {
		return file
	}
	return ""
}

// RescueEnded notes that a rescue has ended, or that nobody wants one any more.
func RescueEnded(path string) error {
	base, _ := split(path)
	if err := os.Remove(base + rescueMark); err != nil && !errors.Is(err, os.ErrNotExist) {
		return explain(path, err)
	}
	return nil
}

const asideStamp = "-20060102-150405"

// asideOf is what a history that is moved away is called, without its ending.
func asideOf(base, ext string, at time.Time) string {
	aside := base + at.Format(asideStamp)
	for exists(aside+ext) || exists(aside+".blobs") { // another one of the same second
		at = at.Add(time.Second)
		aside = base + at.Format(asideStamp)
	}
	return aside
}

// leaveBlobs renames a folder of blobs whose history is gone, so that the one that begins in its place does not sweep away what may be
// nowhere else. They follow the newest history that was set aside without its blobs, by a program that died over it.
func (s *Store) leaveBlobs() error {
	if entries, err := os.ReadDir(s.blobs); errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	ext := filepath.Ext(s.path)
	base := strings.TrimSuffix(s.path, ext)
	aside := asideOf(base, ext, time.Now())
	entries, err := os.ReadDir(filepath.Dir(s.path))
	for _, e := range entries { // in the order of their names
		stem := strings.TrimSuffix(e.Name(), ext)
		stamp, ours := strings.CutPrefix(stem, filepath.Base(base))
		whole := filepath.Join(filepath.Dir(s.path), stem)
		if _, other := time.Parse(asideStamp, stamp); ours && other == nil && stem != e.Name() && !exists(whole+".blobs") {
			aside = whole
		}
	}
	if err == nil {
		err = files.Move(s.blobs, aside+".blobs")
	}
	if errors.Is(err, os.ErrNotExist) { // SetAside of another process has done it
		return nil
	}
	return err
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Close closes the file.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.release != nil {
		defer s.release()
	}
	return s.db.Close()
}

// change is one transaction with the files that belong to it.
type change struct {
	*bbolt.Tx
	s        *Store
	written  []string          // files to remove when it fails
	unneeded map[string]bool   // blobs to remove when it succeeds
	discard  []discardedResult // pictures likewise
}

type discardedResult struct{ file, sha256 string }

// update runs one change: all of it is on disk when it returns nil, nothing of it otherwise.
func (s *Store) update(do func(*change) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.turn()()
	c := &change{s: s, unneeded: map[string]bool{}}
	err := guard(s.path, func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			c.Tx = tx
			if tx.Bucket(doomedBucket) != nil { // else it is a new one
				for _, sum := range s.removed {
					if err := c.Bucket(doomedBucket).Delete(sum); err != nil {
						return err
					}
				}
			}
			return do(c)
		})
	})
	if err != nil {
		for _, f := range c.written {
			_ = os.Remove(f)
		}
		return explain(s.path, err)
	}
	s.removed = nil
	for sum := range c.unneeded {
		if err := os.Remove(s.blobFile([]byte(sum))); err == nil || errors.Is(err, os.ErrNotExist) {
			s.removed = append(s.removed, []byte(sum))
		}
	}
	for _, d := range c.discard {
		if hasSum(d.file, d.sha256) { // a file that the user has changed since is the user's
			_ = os.Remove(d.file)
		}
	}
	return nil
}

// turn waits until no other process copies the history, which would have to begin anew after a change, and has them wait until release. One
// that does not come to its end, because somebody has stopped it, is waited for once. The caller holds mu.
func (s *Store) turn() (release func()) {
	for end := time.Now().Add(longestCopy); ; time.Sleep(5 * time.Millisecond) {
		release, free, err := files.TryLock(turnFile(s.path))
		if free {
			s.stuck = false
			return release
		}
		if s.stuck = s.stuck || time.Now().After(end); err != nil || s.stuck {
			return func() {}
		}
	}
}

// longestCopy is how long a change waits for a copy: a minute is some gigabytes on a slow disk.
const longestCopy = time.Minute

// turnFile is the file with the lock of who changes or copies the history at path.
func turnFile(path string) string {
	base, _ := split(path)
	return base + ".lock"
}

// read is what one reading transaction finds.
func read[T any](s *Store, find func(*bbolt.Tx) (T, error)) (out T, err error) {
	err = s.view(func(tx *bbolt.Tx) (err error) {
		out, err = find(tx)
		return err
	})
	return out, err
}

// view runs one reading transaction. What it reads has to be copied before it ends.
func (s *Store) view(do func(*bbolt.Tx) error) error {
	return explain(s.path, guard(s.path, func() error { return s.db.View(do) }))
}
