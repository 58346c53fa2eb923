package ui

import (
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"

	"realword/inference"
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
		if _, err := (eye{model: toybox}).card(name, data); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c, err := (eye{model: toybox}).card("rex.png", pngOf(red))
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

// A picture is decoded once on its way from the disk into a round, by the engine, in the square that the round asks for, and again
// only for another square.
func TestAReferenceIsDecodedOnce(t *testing.T) {
	for preset, fit := range map[string]picture.Fit{"paper": picture.Pad, "release": picture.Stretch} {
		b := ready(t, nil)
		b.state.Form = b.state.Form.WithPreset(preset, toybox)
		b.promptChanged("a dog")
		b.drop(nil, write(t, "dog.png", pngOf(red)))
		b.settle()
		card := b.state.Form.Cards[0]
		if len(b.engine.read) != 1 || b.engine.read[0].Square.Fit != fit || b.engine.read[0].SHA256 != card.Ref.SHA256 || card.Fit != fit || card.Ref.Square.Fit != "" {
			t.Fatalf("%s: %+v was read, the card is %+v", preset, b.engine.read, card)
		}
		b.keepDraft()
		test.Tap(b.set.generate)
		j := b.started()
		if ref := j.request.Subjects[0].References[0]; len(b.engine.read) != 1 || ref.SHA256 != card.Ref.SHA256 {
			t.Errorf("%s: %d are read, the round has %+v", preset, len(b.engine.read), ref)
		}
		b.finish(j, inference.Done{})
		b.setSquare(card.ID, picture.Square{Fit: picture.Crop}, true)
		b.until("its square is made", func() bool {
			b.engine.mu.Lock()
			defer b.engine.mu.Unlock()
			return len(b.engine.read) == 2
		})
		if got := b.engine.read[1].Square.Fit; got != picture.Crop {
			t.Errorf("%s: read to be fitted by %q", preset, got)
		}
		b.settle()
	}
}
