package state

import (
	"context"
	"errors"
	"image"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"realword/history"
	"realword/inference"
	"realword/inference/picture"
	"realword/ui/uitest"
)

// Where macOS itself keeps the program out, the permissions of the file have no say.
func TestReasonOfAPlaceThatMacOSKeepsUsOutOf(t *testing.T) {
	why := errors.New("the system does: ask it")
	barred := func(err error) error {
		if errors.Is(err, syscall.EPERM) {
			return why
		}
		return nil
	}
	for cause, want := range map[error]string{
		syscall.EPERM: why.Error(), syscall.EACCES: "permission denied; change its permissions or choose another file",
		syscall.ENOENT: "no such file or directory; it may have been moved, choose it again",
	} {
		if got := reason(barred, &os.PathError{Op: "open", Path: "/p", Err: cause}); got.Error() != want {
			t.Errorf("%v: %v, want %s", cause, got, want)
		}
	}
}

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

// Of a picture without a file there may be its pixels, in the window or in the history, what was seen of it when it stopped, or nothing.
func TestReferenceOfWhatHasNoFile(t *testing.T) {
	s, err := history.Options{}.Open(filepath.Join(t.TempDir(), "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	session, err := s.NewSession("", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	kept := uitest.Kept(t, s, "", session, 7)
	ready := inference.PictureReady{Image: image.NewNRGBA(image.Rect(0, 0, 8, 8))}
	gone := filepath.Join(t.TempDir(), "gone.png")
	for name, c := range map[string]struct {
		shot Shot
		side int // 0: there is nothing
	}{
		"in the history":        {Shot{Kept: kept, Pixels: true}, 16},
		"in the window":         {Shot{PictureReady: ready}, 8},
		"its file is gone":      {Shot{PictureReady: ready, Path: gone}, 8},
		"stopped":               {Shot{Kept: 3, Stopped: 4, Thumb: image.NewRGBA(image.Rect(0, 0, 4, 4))}, 4},
		"stopped at once":       {Shot{Kept: 3, Stopped: 1}, 0},
		"gone, and not read":    {Shot{Path: gone, Thumb: image.NewRGBA(image.Rect(0, 0, 4, 4))}, 0},
		"not in the history":    {Shot{Kept: 99, Pixels: true}, 0},
		"no history to look in": {Shot{Pixels: true}, 0},
	} {
		open := s
		if c.shot.Kept == 0 {
			open = nil
		}
		data, err := ReferenceOf(c.shot, open).Read()
		if (err == nil) != (c.side > 0) {
			t.Errorf("%s: %v", name, err)
		} else if err == nil {
			if img, _, err := picture.Decode(data, picture.Limits{}); err != nil || img.Bounds().Dx() != c.side {
				t.Errorf("%s: %v of %v", name, err, img)
			}
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
