package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"realword/inference/files"
)

// What a process keeps while another one has the history lies in a folder of its own in NAME.waiting: a history, and a lock that is held
// for as long as that process lives.
const (
	besideName  = "history.db"
	besideLock  = "lock"
	besideOld   = time.Minute // an empty folder of this age is left over
	unreadables = "damaged-"  // what could not be read whole; nobody looks into it again
)

// waitingFolder is where processes keep what they cannot put into the history at path.
func waitingFolder(path string) string {
	return strings.TrimSuffix(path, filepath.Ext(path)) + ".waiting"
}

// OpenBeside begins a history of its own beside the one at path, which another process has open. TakeIn of that one brings it over once
// it is closed, or its process has died.
func (o Options) OpenBeside(path string) (*Store, error) {
	parent := waitingFolder(path)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, explain(parent, err)
	}
	for {
		dir, err := os.MkdirTemp(parent, "")
		if err != nil {
			return nil, explain(parent, err)
		}
		release, free, err := files.TryLock(filepath.Join(dir, besideLock))
		if errors.Is(err, os.ErrNotExist) || err == nil && !free { // somebody took it for left over
			continue
		}
		if err != nil {
			return nil, explain(dir, err)
		}
		s, err := o.Open(filepath.Join(dir, besideName))
		if err != nil {
			release()
			return nil, err
		}
		s.release = release
		return s, nil
	}
}

// TakeIn brings over what processes have kept beside this history and that is whole now, and is how much. The files go then. What is
// damaged comes over as far as it can be read, stays as well, and is an error. So is one that cannot be brought over, and waits on.
func (s *Store) TakeIn() (Rescued, error) {
	var out Rescued
	parent := waitingFolder(s.path)
	entries, err := os.ReadDir(parent)
	if errors.Is(err, os.ErrNotExist) {
		return out, nil
	}
	written := func(e os.DirEntry) time.Time {
		info, err := os.Stat(filepath.Join(parent, e.Name(), besideName))
		if err != nil {
			return time.Time{}
		}
		return info.ModTime()
	}
	// in the order in which they ended, since the names are drawn
	slices.SortStableFunc(entries, func(a, b os.DirEntry) int { return written(a).Compare(written(b)) })
	var errs []error
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), unreadables) {
			continue
		}
		one, err := s.takeIn(filepath.Join(parent, e.Name()))
		out.Sessions += one.Sessions
		out.Rounds += one.Rounds
		out.Pictures += one.Pictures
		out.Lost += one.Lost
		errs = append(errs, err)
	}
	_ = os.Remove(parent) // if nothing waits any more
	return out, errors.Join(append(errs, err)...)
}

func (s *Store) takeIn(dir string) (Rescued, error) {
	release, free, err := files.TryLock(filepath.Join(dir, besideLock))
	if err != nil || !free {
		return Rescued{}, explain(dir, err)
	}
	defer release()
	path := filepath.Join(dir, besideName)
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0 { // its process has just begun, or died then
		if age, err := os.Stat(dir); err == nil && time.Since(age.ModTime()) > besideOld {
			release()
			return Rescued{}, os.RemoveAll(dir)
		}
		return Rescued{}, nil
	}
	got, err := s.bring(path, false)
	if err != nil {
		return got, fmt.Errorf("what was recorded in %s: %w", dir, err)
	}
	release() // Windows removes no file that is open; nobody else takes it, since the history is ours
	if got.Lost > 0 {
		aside := filepath.Join(filepath.Dir(dir), unreadables+filepath.Base(dir))
		return got, errors.Join(files.Move(dir, aside), fmt.Errorf("%d parts of it cannot be read: it stays in %s", got.Lost, aside))
	}
	return got, os.RemoveAll(dir)
}
