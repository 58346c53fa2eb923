//go:build !windows

package ort

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// unguarded says why a library in the folder of the program is not to be loaded, "" where nobody else could have put it there.
func unguarded(dir, library string) string {
	real, err := filepath.EvalSymlinks(library)
	if err != nil {
		return err.Error()
	}
	if why := strangers(dir, 0); why != "" {
		return why
	}
	return strangers(real, 1)
}

// strangers says who, beside this user and the system's administrator, could change what lies at a path: who owns it or a folder on
// the way to it, or may write there. "" is nobody. In a folder with the sticky bit (/tmp) others may add files but not change these;
// that is enough for folders that are more than shallow levels up.
func strangers(path string, shallow int) string {
	for level := 0; ; level++ {
		info, err := os.Stat(path)
		if err != nil {
			return err.Error()
		}
		owner, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return ""
		}
		if owner.Uid != 0 && int(owner.Uid) != os.Getuid() {
			return fmt.Sprintf("%s belongs to another user", path)
		}
		// A group of the user alone has the user's number; administrators of macOS are a group that may do all this anyway.
		own := owner.Gid == 0 || int(owner.Gid) == os.Getgid() && owner.Gid == owner.Uid || runtime.GOOS == "darwin" && owner.Gid == 80
		writable := info.Mode().Perm()&0o002 != 0 || info.Mode().Perm()&0o020 != 0 && !own
		if writable && (level <= shallow || info.Mode()&fs.ModeSticky == 0) {
			return fmt.Sprintf("others may write to %s", path)
		}
		parent := filepath.Dir(path)
		if parent == path {
			return ""
		}
		path = parent
	}
}
