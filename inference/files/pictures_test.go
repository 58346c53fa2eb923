package files

import (
	"os"
	"path/filepath"
	"testing"
)

func TestXDGPictures(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"relative to home": {"# comment\nXDG_MUSIC_DIR=\"$HOME/M\"\nXDG_PICTURES_DIR=\"$HOME/Bilder\"\n", "/home/ada/Bilder"},
		"absolute":         {"XDG_PICTURES_DIR=\"/data/pictures\"\n", "/data/pictures"},
		"switched off":     {"XDG_PICTURES_DIR=\"$HOME/\"\n", ""},
		"nothing":          {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("XDG_PICTURES_DIR", "")
			config := t.TempDir()
			t.Setenv("XDG_CONFIG_HOME", config)
			if err := os.WriteFile(filepath.Join(config, "user-dirs.dirs"), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := xdgFolder("/home/ada", "XDG_PICTURES_DIR"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	t.Setenv("XDG_PICTURES_DIR", "/mnt/p")
	if got := Pictures(); got != filepath.Join("/mnt/p", "Realword") {
		t.Errorf("got %q", got)
	}
}

// Pictures that Realword has made stay where they are, also when Windows says that the user has pictures elsewhere.
func TestPicturesStay(t *testing.T) {
	now, before := t.TempDir(), t.TempDir()
	if got := stays(now, before); got != now {
		t.Errorf("%s, want %s", got, now)
	}
	if err := os.Mkdir(filepath.Join(before, "Realword"), 0o777); err != nil {
		t.Fatal(err)
	}
	if got := stays(now, before); got != now {
		t.Errorf("an empty folder holds %s", got)
	}
	if err := os.WriteFile(filepath.Join(before, "Realword", "dog-0001.png"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if got := stays(now, before); got != before {
		t.Errorf("%s, want %s", got, before)
	}
}
