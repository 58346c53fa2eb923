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
