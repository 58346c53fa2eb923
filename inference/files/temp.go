package files

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Prefixes of the names of files and folders that are not finished. They are hidden, and Sweep knows them by these.
const (
	unfinishedFile   = ".realword-"
	unfinishedFolder = ".partial-"
)

// scratch begins the names of Scratch, which are not hidden: not every program takes a file from a hidden folder.
const scratch = "realword-"

// Create makes a new hidden file in dir for data that gets its own name with Publish once it is whole, readable by whom perm and the
// user's umask say. Until it is closed, Sweep of any program leaves it alone. The caller closes it, and removes or publishes it.
func Create(dir string, perm fs.FileMode) (*os.File, error) {
	var f *os.File
	_, err := fresh(filepath.Join(dir, unfinishedFile), func(path string) (err error) {
		f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		return err
	})
	if err != nil {
		return nil, err
	}
	_ = lock(f, false) // a file system without locks: Sweep goes by the age there
	return f, nil
}

// Mkdir makes a new hidden folder in parent for a folder that gets the name base once it is whole. done says that it is finished
// or given up; until then Sweep of any program leaves it alone. It may get its name before that.
func Mkdir(parent, base string) (path string, done func(), err error) {
	path, err = fresh(filepath.Join(parent, unfinishedFolder+base+"-"), func(path string) error { return os.Mkdir(path, 0o777) })
	if err != nil {
		return "", nil, err
	}
	return path, hold(path), nil
}

// Scratch makes a folder in the system's one for temporary things, for what libraries or other programs are to read by its name. It is
// readable by this user alone, and done removes it. What programs that died have left of such folders goes first; see SweepScratch.
func Scratch(base string) (path string, done func(), err error) {
	SweepScratch(base)
	path, err = fresh(filepath.Join(os.TempDir(), scratch+base+"-"), func(path string) error { return os.Mkdir(path, 0o700) })
	if err != nil {
		return "", nil, err
	}
	release := hold(path)
	return path, func() {
		_ = os.RemoveAll(path) // what cannot go now is swept
		release()
	}, nil
}

// SweepScratch removes the folders that programs which died have left of Scratch.
func SweepScratch(base string) {
	sweep(os.TempDir(), unfinishedFile+scratch+base+"-", scratch+base+"-")
}

// Rename is os.Rename for what took long to write: the name lasts, also after a loss of power. On Windows another program may have one of
// its files open for some seconds, such as a scanner that looks for viruses in all that is new: it waits for that.
func Rename(from, to string) error {
	err := patiently(renamePatience, inUse, func() error { return os.Rename(from, to) })
	if err == nil {
		syncName(to)
	}
	return err
}

// Move is os.Rename for what the user waits for: on Windows it waits a moment for a program that just looks at the file, or at one in the
// folder.
func Move(from, to string) error {
	return patiently(movePatience, inUse, func() error { return os.Rename(from, to) })
}

const (
	renamePatience = 20 * time.Second
	movePatience   = 2 * time.Second
)

// patiently does something again for so long as its error may pass.
func patiently(limit time.Duration, passing func(error) bool, do func() error) error {
	const first, last = 5 * time.Millisecond, 100 * time.Millisecond
	end := time.Now().Add(limit)
	for pause := first; ; pause = min(2*pause, last) {
		err := do()
		if err == nil || !passing(err) || time.Now().After(end) {
			return err
		}
		time.Sleep(pause)
	}
}

// fresh calls do with names that begin with prefix until one is free.
func fresh(prefix string, do func(path string) error) (string, error) {
	for {
		path := fmt.Sprintf("%s%016x", prefix, rand.Uint64())
		if err := do(path); !os.IsExist(err) {
			return path, err
		}
	}
}

// openLock opens the file of a lock. Windows may refuse one that was just removed, while another program still looks at it.
func openLock(path string) (f *os.File, err error) {
	going := func(err error) bool { return inUse(err) && Writable(filepath.Dir(path)) == nil }
	return f, patiently(movePatience, going, func() error {
		f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
		return err
	})
}

// Lock waits until no other program holds the lock of this name, and holds it until release. The file path stays. Where there are no
// locks nobody is waited for.
func Lock(path string) (release func(), err error) {
	f, err := openLock(path)
	if err != nil {
		return nil, err
	}
	_ = lock(f, true)
	return func() { _ = f.Close() }, nil
}

// TryLock is Lock that does not wait: free tells whether no other program, and nobody else in this one, holds the lock.
func TryLock(path string) (release func(), free bool, err error) {
	f, err := openLock(path)
	if err != nil {
		return nil, false, err
	}
	if isHeld(lock(f, false)) {
		_ = f.Close() // nothing was written
		return nil, false, nil
	}
	return func() { _ = f.Close() }, true, nil
}

// Claim says in dir that this program makes the thing of that name, which may be any text: free is false while another program, or
// somebody else in this one, has said so. A program that died claims nothing. Release ends it and leaves no file.
func Claim(dir, name string) (release func(), free bool, err error) {
	path := filepath.Join(dir, unfinishedFile+Sum([]byte(name))[:16])
	for {
		f, err := openLock(path)
		if err != nil {
			return nil, false, explain(path, err)
		}
		if isHeld(lock(f, false)) {
			_ = f.Close() // nothing was written
			return nil, false, nil
		}
		have, err := f.Stat()
		if now, gone := os.Stat(path); err == nil && gone == nil && os.SameFile(have, now) {
			return func() { unclaim(f) }, true, nil
		}
		_ = f.Close() // who had it has just removed it
	}
}

// Ages of unfinished things: younger ones are about to be locked, and where there are no locks older ones are left over.
const (
	aboutToLock = 3 * time.Second
	leftOver    = 30 * time.Minute
)

// Sweep removes the unfinished files and folders that programs which died have left in dir, not in folders below it, and returns
// how many those were. What another program still writes stays, and so does what cannot be removed.
func Sweep(dir string) int { return sweep(dir, unfinishedFile, unfinishedFolder) }

// sweep is Sweep of files whose names begin with one of two prefixes, and folders whose names begin with the second one.
func sweep(dir, file, folder string) int {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	n := 0
	for _, e := range entries {
		kind := e.Type()
		left := IsFile(kind) && strings.HasPrefix(e.Name(), file) || (IsFile(kind) || kind.IsDir()) && strings.HasPrefix(e.Name(), folder)
		if path := filepath.Join(dir, e.Name()); left && abandoned(path) && os.RemoveAll(path) == nil {
			n++
		}
	}
	return n
}

// abandoned tells whether no program writes to an unfinished file or folder any more.
func abandoned(path string) bool {
	age := time.Since(newest(path))
	if age < aboutToLock {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return age > leftOver
	}
	defer f.Close()
	switch held, err := held(f); {
	case err != nil:
		return age > leftOver
	default:
		return !held
	}
}

// newest is when something in a file or folder was changed last.
func newest(path string) time.Time {
	var last time.Time
	_ = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error { // what cannot be read counts nothing
		if err == nil {
			if info, err := d.Info(); err == nil && info.ModTime().After(last) {
				last = info.ModTime()
			}
		}
		return nil
	})
	return last
}
