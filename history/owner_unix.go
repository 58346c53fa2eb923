//go:build unix

package history

import (
	"os"
	"syscall"
)

// keepOwner gives a file the owner of another one: a program of the administrator's takes no history away from its user. A group that its
// user may not give is not worth an error.
func keepOwner(path string, like os.FileInfo) error {
	of, ok := like.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if err := os.Chown(path, int(of.Uid), int(of.Gid)); err != nil && int(of.Uid) != os.Geteuid() {
		return err
	}
	return nil
}
