//go:build !windows

package ort

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An app on a Mac belongs to the administrator who has put it there, and the library in it is nobody else's for another user.
func TestAnAppOfAnAdministratorHasNoStrangers(t *testing.T) {
	dir := t.TempDir()
	library := filepath.Join(dir, "libonnxruntime.1.dylib")
	if err := os.WriteFile(library, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	owner, user := os.Getuid(), os.Getuid()+1
	if owner == 0 { // it may do everything: another one has the app
		owner, user = 501, 502
		for _, path := range []string{dir, library} {
			if err := os.Chown(path, owner, 0); err != nil {
				t.Skip(err)
			}
		}
	}
	for _, c := range []struct {
		apple, administrator bool
		want                 string
	}{{false, true, "belongs to another user"}, {true, false, "belongs to another user"}, {true, true, ""}} {
		h := host{user: user, group: os.Getgid(), apple: c.apple, administers: func(uid uint32) bool { return c.administrator && int(uid) == owner }}
		for path, shallow := range map[string]int{dir: 0, library: 1} {
			if why := h.strangers(path, shallow); c.want == "" && why != "" || !strings.Contains(why, c.want) {
				t.Errorf("a Mac: %v, of an administrator: %v: %s: %q, want %q", c.apple, c.administrator, path, why, c.want)
			}
		}
	}
	if administers(4000000000) {
		t.Error("somebody who is not there administers this machine")
	}
}
