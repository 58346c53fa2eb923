package state

import (
	"context"
	"errors"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"realword/inference/picture"
	"realword/ui/uitest"
)

func TestReadFileRefuses(t *testing.T) {
	huge := uitest.File(t, "huge.png", nil)
	if err := os.Truncate(huge, picture.DefaultLimits.Bytes+1); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		t.TempDir():                            "is a folder",
		filepath.Join(t.TempDir(), "gone.png"): "gone.png cannot be opened: no such file",
		huge:                                   "larger than 256 MiB",
		os.DevNull:                             "is not a file",
	} {
		if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}

func TestReadCardNamesTheFile(t *testing.T) {
	for name, data := range map[string][]byte{"text.png": []byte("hello"), "empty.png": nil, "cut.png": uitest.PNG(uitest.Red)[:40]} {
		if _, err := (Eye{Model: uitest.Toybox}).Card(name, data); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c, err := (Eye{Model: uitest.Toybox}).Card("rex.png", uitest.PNG(uitest.Red))
	if err != nil || c.View.Bounds() != image.Rect(0, 0, 64, 64) || len(c.Ref.SHA256) != 64 {
		t.Errorf("%+v, %v", c, err)
	}
}

// A closing window waits for no picture.
func TestReadingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Eye{Ctx: ctx, Model: uitest.Toybox}).Card("rex.png", uitest.PNG(uitest.Red)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := ReadThumb(ctx, uitest.PNG(uitest.Red), QueueThumb); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
