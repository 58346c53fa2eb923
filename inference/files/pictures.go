package files

import (
	"os"
	"path/filepath"
	"strings"
)

// Pictures is where finished pictures go: the folder Realword inside the user's folder for pictures, which need not be there yet.
func Pictures() string {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	if dir := xdgPictures(home); dir != "" {
		return filepath.Join(dir, "Realword")
	}
	return filepath.Join(home, "Pictures", "Realword")
}

// xdgPictures reads where a Linux desktop keeps pictures (freedesktop.org, user-dirs.dirs); "" where nothing says so.
func xdgPictures(home string) string {
	if dir := os.Getenv("XDG_PICTURES_DIR"); filepath.IsAbs(dir) {
		return dir
	}
	config := os.Getenv("XDG_CONFIG_HOME")
	if config == "" {
		config = filepath.Join(home, ".config")
	}
	text, err := Read(filepath.Join(config, "user-dirs.dirs"), 1<<20)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		value, found := strings.CutPrefix(strings.TrimSpace(line), "XDG_PICTURES_DIR=")
		if !found {
			continue
		}
		value = strings.Trim(value, `"`)
		if rest, relative := strings.CutPrefix(value, "$HOME"); relative {
			value = home + rest
		}
		if filepath.IsAbs(value) && filepath.Clean(value) != filepath.Clean(home) {
			return value
		}
	}
	return ""
}
