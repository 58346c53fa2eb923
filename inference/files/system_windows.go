package files

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

const nonblocking = 0 // pipes have a namespace of their own there

var (
	kernel             = syscall.NewLazyDLL("kernel32.dll")
	lockFileEx         = kernel.NewProc("LockFileEx")
	getDiskFreeSpaceEx = kernel.NewProc("GetDiskFreeSpaceExW")
)

func free(dir string) (int64, error) {
	path, err := syscall.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var available uint64
	if ok, _, err := getDiskFreeSpaceEx.Call(uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(&available)), 0, 0); ok == 0 {
		return 0, err
	}
	return int64(available), nil
}

// lock takes the lock of an open file; it goes with the close of the file. Folders have none.
func lock(f *os.File, wait bool) error {
	const exclusively, atOnce = 2, 1
	how := uintptr(exclusively)
	if !wait {
		how |= atOnce
	}
	// The byte far behind the end, because locks keep others from reading here.
	at := syscall.Overlapped{Offset: ^uint32(0), OffsetHigh: ^uint32(0) >> 1}
	if ok, _, err := lockFileEx.Call(f.Fd(), how, 0, 1, 0, uintptr(unsafe.Pointer(&at))); ok == 0 {
		return err
	}
	return nil
}

// Nameless makes a file in the system's folder for temporary things that goes with its Close, or with the program, however that ends.
func Nameless() (f *os.File, err error) {
	const how = os.O_RDWR | os.O_CREATE | os.O_EXCL | windows.FILE_FLAG_DELETE_ON_CLOSE | windows.FILE_ATTRIBUTE_TEMPORARY
	_, err = fresh(filepath.Join(os.TempDir(), scratch), func(path string) (err error) {
		f, err = os.OpenFile(path, how, 0o600)
		return err
	})
	return f, err
}

// hold keeps the lock of a folder until done. Folders have none, and one in which a file is open cannot be renamed: it is that of a
// file beside it.
func hold(folder string) (done func()) {
	f, err := os.OpenFile(beside(folder), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return func() {} // as on a file system without locks
	}
	_ = lock(f, false)
	return func() { unclaim(f) }
}

// beside is the file whose lock is that of a folder.
func beside(folder string) string {
	return filepath.Join(filepath.Dir(folder), unfinishedFile+filepath.Base(folder))
}

// held tells whether another open file has the lock of a folder. Of files it tells nothing here: the system itself does not remove what a
// program has open.
func held(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil || !info.IsDir() {
		return false, err
	}
	l, err := os.OpenFile(beside(f.Name()), os.O_RDWR, 0)
	if err != nil {
		return false, err
	}
	defer l.Close()
	err = lock(l, false)
	if isHeld(err) {
		return true, nil
	}
	return false, err
}

// isHeld tells whether an error of lock means that another one has it.
func isHeld(err error) bool {
	const lockViolation, ioPending = syscall.Errno(33), syscall.Errno(997)
	return errors.Is(err, lockViolation) || errors.Is(err, ioPending)
}

// IsFull tells whether an error means that the disk is full.
func IsFull(err error) bool {
	const handleDiskFull, diskFull = syscall.Errno(39), syscall.Errno(112)
	return errors.Is(err, handleDiskFull) || errors.Is(err, diskFull)
}

// inUse tells whether an error of a rename may come from another program that has the file, or one in the folder, open.
func inUse(err error) bool {
	const accessDenied, sharingViolation = syscall.Errno(5), syscall.Errno(32)
	return errors.Is(err, accessDenied) || errors.Is(err, sharingViolation)
}

// unclaim removes the file of a claim. An open one cannot be removed here, so that of somebody who came meanwhile stays.
func unclaim(f *os.File) {
	_ = f.Close()
	_ = os.Remove(f.Name())
}

// knownFolder is where Windows has a folder of the user's, "" where it does not say.
func knownFolder(usual string) string {
	const pathAlone = windows.KF_FLAG_DONT_VERIFY // also on a drive that is away
	path, err := windows.KnownFolderPath(map[string]*windows.KNOWNFOLDERID{
		"Pictures": windows.FOLDERID_Pictures, "Downloads": windows.FOLDERID_Downloads, "Desktop": windows.FOLDERID_Desktop,
	}[usual], pathAlone)
	if err != nil {
		return ""
	}
	return path
}
