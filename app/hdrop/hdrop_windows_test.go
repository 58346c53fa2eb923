package hdrop

import (
	"slices"
	"testing"
)

func TestFilesGoThroughTheClipboard(t *testing.T) {
	for _, want := range [][]string{{`C:\a.png`}, {`C:\Bilder\Füchse 狐.png`, `D:\b\c.jpg`}} {
		if err := Copy(want); err != nil {
			t.Fatal(err)
		}
		if got, err := Paste(); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
}
