package files

import (
	"os"
	"path/filepath"
	"strings"
)

// Pictures is where finished pictures go: the folder Realword inside the user's folder for pictures, which need not be there yet.
func Pictures() string { return filepath.Join(userFolder("PICTURES", "Pictures"), "Realword") }

// Arrives tells whether files of all kinds come into a folder, so that its name says nothing of one of them: the user's downloads, desktop
// and home.
func Arrives(dir string) bool {
	home, err := os.UserHomeDir()
	at, err2 := os.Stat(dir)
	if err != nil || err2 != nil {
		return false
	}
	for _, folder := range []string{home, userFolder("DOWNLOAD", "Downloads"), userFolder("DESKTOP", "Desktop")} {
		if there, err := os.Stat(folder); err == nil && os.SameFile(at, there) {
			return true
		}
	}
	return false
}

// userFolder is a folder of the user's, by its name for a Linux desktop and the one that it has elsewhere. It need not be there.
func userFolder(xdg, usual string) string {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	if dir := xdgFolder(home, "XDG_"+xdg+"_DIR"); dir != "" {
		return dir
	}
	return filepath.Join(home, usual)
}

// xdgFolder reads where a Linux desktop has a folder (freedesktop.org, user-dirs.dirs); "" where nothing says so.
func xdgFolder(home, key string) string {
	if dir := os.Getenv(key); filepath.IsAbs(dir) {
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
		value, found := strings.CutPrefix(strings.TrimSpace(line), key+"=")
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
