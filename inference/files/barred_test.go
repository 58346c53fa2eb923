package files

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"
)

// On a Mac the user may keep a program out of a folder whose permissions are all right: then nothing is said of these.
func TestAPlaceThatMacOSKeepsUsOutOf(t *testing.T) {
	const place = "System Settings > Privacy & Security"
	on := func(system string) func(error) error { return func(err error) error { return barredOn(system, err) } }
	for _, c := range []struct {
		system string
		err    error
		barred bool
	}{
		{"darwin", syscall.EPERM, true},
		{"darwin", &fs.PathError{Op: "open", Path: "/p", Err: syscall.EPERM}, true},
		{"darwin", syscall.EACCES, false},
		{"linux", syscall.EPERM, false},
		{"windows", syscall.EPERM, false},
		{"darwin", nil, false},
	} {
		if err := barredOn(c.system, c.err); (err != nil) != c.barred {
			t.Errorf("%v on %s: %v", c.err, c.system, err)
		}
		if c.err == nil {
			continue
		}
		for _, err := range []error{explainWith(inUse, on(c.system), "/p", c.err), asIsWith(on(c.system), "/p", c.err)} {
			if strings.Contains(err.Error(), place) != c.barred || strings.Contains(err.Error(), "read-only") == c.barred ||
				!strings.HasPrefix(err.Error(), "/p cannot be written: ") || !errors.Is(err, fs.ErrPermission) {
				t.Errorf("%v on %s is said so: %v", c.err, c.system, err)
			}
		}
	}
}
