package bundle

import "testing"

// Drives has paths lie on drives during a test, as on Windows.
func Drives(t *testing.T, of func(path string) string) {
	before := volumeOf
	volumeOf = of
	t.Cleanup(func() { volumeOf = before })
}
