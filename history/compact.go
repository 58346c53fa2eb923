package history

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"realword/inference/files"

	"go.etcd.io/bbolt"
)

// bbolt gives no page back to the disk, and with each change it writes the list of those that are free: where step data of a gigabyte was
// trimmed, a step of 20 kB writes 2.7 MB and takes twice as long, for ever. So Open writes a file anew that is mostly free.
const (
	worthwhile = 64 << 20  // bytes that are free at least; they have to be more than those in use
	bearable   = 512 << 20 // bytes in use at most: with two seconds nobody waits long for the history, which is opened beside the window
	compacted  = ".compact"
)

// compact makes the file of a history smaller that was just opened and is not used yet, where that is worth it and there is room. Until the
// new file is whole, on the disk and has the name, the old one is the history, and it stays so where anything goes wrong. An error says
// that the history is not open any more.
func (s *Store) compact(reopen func() (*bbolt.DB, error)) error {
	path, err := filepath.EvalSymlinks(s.path) // the link stays one
	if err != nil {
		return nil
	}
	base, _ := split(path)
	small := base + compacted
	_ = os.Remove(small) // of a program that died
	info, err := os.Stat(path)
	stats := s.db.Stats()
	free := int64(stats.FreePageN+stats.PendingPageN) * int64(s.db.Info().PageSize)
	if err != nil || free < worthwhile || info.Size()-free > min(free, bearable) || files.Fits(filepath.Dir(path), info.Size()-free) != nil {
		return nil
	}
	turn := sync.OnceFunc(s.turn()) // nobody changes it while nobody has its lock
	defer turn()
	if s.copyTo(small, info) != nil {
		_ = os.Remove(small)
		return nil
	}
	rename := files.Rename
	if runtime.GOOS == "windows" { // which renames over no open file: what another program opens in this moment stays as it is
		rename, err = os.Rename, s.db.Close()
	}
	if err = errors.Join(err, rename(small, path)); err != nil {
		_ = os.Remove(small)
	}
	if runtime.GOOS != "windows" {
		if err != nil {
			return nil
		}
		if err = s.db.Close(); err != nil { // only now, so that who waits for its lock sees that it has no name any more
			return err
		}
	}
	turn() // who was quicker has the lock of the new file, and waits for its turn
	s.db, err = reopen()
	return err
}

// copyTo writes everything of a history into a new file, which has the owner and the permissions of the old one.
func (s *Store) copyTo(path string, like os.FileInfo) error {
	const most = 1 << 20 // of a transaction; 64 kB take three times as long, 16 MB longer, too
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true, NoGrowSync: true})
	if err != nil {
		return err
	}
	err = guard(path, func() error { return bbolt.Compact(db, s.db, most) })
	if err == nil && !s.db.NoSync {
		err = db.Sync()
	}
	if err = errors.Join(err, db.Close(), keepOwner(path, like), os.Chmod(path, like.Mode().Perm())); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if like, err = f.Stat(); err != nil {
		return err
	}
	return soundPages(f, like.Size())
}
