//go:build !windows

package ort

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
)

// unguarded says why a library in the folder of the program is not to be loaded, "" where nobody else could have put it there.
func unguarded(dir, library string) string {
	real, err := filepath.EvalSymlinks(library)
	if err != nil {
		return err.Error()
	}
	h := host{user: os.Getuid(), group: os.Getgid(), apple: runtime.GOOS == "darwin", administers: administers}
	if why := h.strangers(dir, 0); why != "" {
		return why
	}
	return h.strangers(real, 1)
}

// admin is the group of those who administer a Mac.
const admin = 80

// administers tells whether a user of a Mac administers it.
func administers(uid uint32) bool {
	who, err := user.LookupId(strconv.Itoa(int(uid)))
	if err != nil {
		return false
	}
	groups, err := who.GroupIds()
	return err == nil && slices.Contains(groups, strconv.Itoa(admin))
}

// host is who runs the program, and where.
type host struct {
	user, group int
	apple       bool
	administers func(uid uint32) bool // of a Mac
}

// strangers says who, beside this user and the system's administrator, could change what lies at a path: who owns it or a folder on
// the way to it, or may write there. "" is nobody. In a folder with the sticky bit (/tmp) others may add files but not change these;
// that is enough for folders that are more than shallow levels up. On a Mac an app belongs to the one who has put it into the folder of
// apps, and who may put others there for everybody.
func (h host) strangers(path string, shallow int) string {
	for level := 0; ; level++ {
		info, err := os.Stat(path)
		if err != nil {
			return err.Error()
		}
		owner, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return ""
		}
		trusted := owner.Uid == 0 || int(owner.Uid) == h.user || h.apple && h.administers(owner.Uid)
		if !trusted {
			return fmt.Sprintf("%s belongs to another user", path)
		}
		// A group of the user alone has the user's number; administrators of macOS are a group that may do all this anyway.
		own := owner.Gid == 0 || int(owner.Gid) == h.group && owner.Gid == owner.Uid || h.apple && owner.Gid == admin
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
