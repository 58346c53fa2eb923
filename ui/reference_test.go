package ui

import (
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"realword/inference/picture"
)

func TestReadFileRefuses(t *testing.T) {
	huge := write(t, "huge.png", nil)
	if err := os.Truncate(huge, picture.DefaultLimits.Bytes+1); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		t.TempDir():                            "is a folder",
		filepath.Join(t.TempDir(), "gone.png"): "gone.png cannot be opened: no such file",
		huge:                                   "larger than 256 MiB",
		os.DevNull:                             "is not a file",
	} {
		if _, err := readFile(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}

func TestReadCardNamesTheFile(t *testing.T) {
	for name, data := range map[string][]byte{"text.png": []byte("hello"), "empty.png": nil, "cut.png": pngOf(red)[:40]} {
		if _, err := readCard(name, data, toybox); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c, err := readCard("rex.png", pngOf(red), toybox)
	if err != nil || c.View.Bounds() != image.Rect(0, 0, 64, 64) || len(c.Ref.SHA256) != 64 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestXDGPictures(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"relative to home": {"# comment\nXDG_MUSIC_DIR=\"$HOME/M\"\nXDG_PICTURES_DIR=\"$HOME/Bilder\"\n", "/home/ada/Bilder"},
		"absolute":         {"XDG_PICTURES_DIR=\"/data/pictures\"\n", "/data/pictures"},
		"switched off":     {"XDG_PICTURES_DIR=\"$HOME/\"\n", ""},
		"nothing":          {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("XDG_PICTURES_DIR", "")
			t.Setenv("XDG_CONFIG_HOME", filepath.Dir(write(t, "user-dirs.dirs", []byte(c.text))))
			if got := xdgPictures("/home/ada"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	t.Setenv("XDG_PICTURES_DIR", "/mnt/p")
	if got := DefaultPictures(); got != filepath.Join("/mnt/p", "Realword") {
		t.Errorf("got %q", got)
	}
}
