//go:build !windows

package files

import (
	"errors"
	"os"
	"syscall"
)

// nonblocking opens pipes without waiting for their other end.
const nonblocking = syscall.O_NONBLOCK

func free(dir string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}

// lock takes the lock of an open file or folder; it goes with the last close of the file.
func lock(f *os.File, wait bool) error {
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	for {
		if err := syscall.Flock(int(f.Fd()), how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// Nameless makes a file in the system's folder for temporary things that goes with its Close, or with the program, however that ends.
func Nameless() (*os.File, error) {
	f, err := os.CreateTemp("", scratch+"*")
	if err == nil {
		_ = os.Remove(f.Name())
	}
	return f, err
}

// hold keeps the lock of a folder until done.
func hold(folder string) (done func()) {
	d, err := os.Open(folder)
	if err != nil {
		return func() {} // as on a file system without locks
	}
	_ = lock(d, false)
	return func() { _ = d.Close() }
}

// held tells whether another open file has the lock. An error means that this file system has no locks.
func held(f *os.File) (bool, error) {
	err := lock(f, false)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}

// isHeld tells whether an error of lock means that another one has it.
func isHeld(err error) bool { return errors.Is(err, syscall.EWOULDBLOCK) }

// IsFull tells whether an error means that the disk, or the user's share of it, is full.
func IsFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// inUse tells nothing here: what is open can be renamed.
func inUse(error) bool { return false }

// unclaim removes the file of a claim while it is held, so that whoever gets the lock after us sees that it is gone.
func unclaim(f *os.File) {
	_ = os.Remove(f.Name())
	_ = f.Close()
}

// knownFolder is "": no system but Windows has a list of the user's folders.
func knownFolder(string) string { return "" }
