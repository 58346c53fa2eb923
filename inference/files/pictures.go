package files

import (
	"os"
	"path/filepath"
	"strings"
)

// Pictures is where finished pictures go: the folder Realword inside the user's folder for pictures, which need not be there yet.
func Pictures() string {
	const usual = "Pictures"
	at := userFolder("PICTURES", usual)
	if home, err := os.UserHomeDir(); err == nil && at == knownFolder(usual) {
		at = stays(at, filepath.Join(home, usual))
	}
	return filepath.Join(at, ours)
}

// ours is the folder of finished pictures among the user's.
const ours = "Realword"

// stays is the folder for pictures before where it has finished ones: Realword did not ask Windows where its users have their pictures, and
// what is there would not be found.
func stays(now, before string) string {
	if d, err := os.Open(filepath.Join(before, ours)); err == nil {
		defer d.Close()
		if names, _ := d.Readdirnames(1); len(names) > 0 {
			return before
		}
	}
	return now
}

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

// userFolder is a folder of the user's, by its name for a Linux desktop and the one that it has elsewhere: Windows says where it is, which
// may be in OneDrive or on another disk. It need not be there.
func userFolder(xdg, usual string) string {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	if dir := xdgFolder(home, "XDG_"+xdg+"_DIR"); dir != "" {
		return dir
	}
	if dir := knownFolder(usual); filepath.IsAbs(dir) {
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
