package files

import (
	"slices"
	"strings"
	"unicode"
)

// Forbidden are the characters that some system does not take in the name of a file.
const Forbidden = `/\:*?"<>|`

// Name makes a text a name, or a part of one, that every system takes: without forbidden characters, at most so many letters long;
// it may be empty. What is the name of a device on Windows gets a letter more.
func Name(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), strings.ContainsRune(Forbidden, r):
			return -1
		}
		return r
	}, text)
	return noDevice(strings.Trim(cut(strings.Trim(text, " ."), most), " ."))
}

// noDevice changes a name that Windows has for a device, with any ending and as a folder, too.
func noDevice(name string) string {
	stem, rest, _ := strings.Cut(name, ".")
	device := strings.ToUpper(strings.TrimSpace(stem))
	const numbers = "0123456789¹²³" // those above the line, too
	port := strings.TrimRight(device, numbers)
	if slices.Contains([]string{"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}, device) ||
		(port == "COM" || port == "LPT") && len([]rune(device)) == len("COM1") {
		return strings.TrimSuffix(stem+"_."+rest, ".")
	}
	return name
}

// Words is Name of nothing but the text's words, with dashes between them. Words that do not fit whole are left out, unless it is
// the first.
func Words(text string, most int) string {
	const joiners = "\u200c\u200d" // a word has its vowel signs, and the marks that join or part its letters
	between := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) && !strings.ContainsRune(joiners, r)
	}
	name := ""
	for _, word := range strings.FieldsFunc(text, between) {
		if word = strings.TrimFunc(word, func(r rune) bool { return strings.ContainsRune(joiners, r) || r == '\ufe0f' }); word == "" {
			continue
		}
		longer := strings.TrimPrefix(name+"-"+word, "-")
		if len([]rune(longer)) > most {
			if name == "" {
				name = cut(word, most)
			}
			break
		}
		name = longer
	}
	return noDevice(name)
}

// Base is the last part of a path of any system; it is empty where the path ends with a separator.
func Base(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }

// Shown is a text of a file of strangers as a message may have it: at most so many bytes, and nothing that cannot be printed.
func Shown(text string, most int) string {
	end := ""
	if len(text) > most {
		text, end = strings.ToValidUTF8(text[:most], ""), "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text) + end
}

// cut shortens a text to so many letters; none is parted from its signs.
func cut(text string, most int) string {
	r := []rune(text)
	if len(r) <= most {
		return text
	}
	for most > 0 && unicode.IsMark(r[most]) {
		most--
	}
	return string(r[:most])
}

// OfSystem tells whether what has a name was left by a system, for itself, in a folder that somebody has looked into, or that is a drive.
func OfSystem(name string) bool {
	return strings.HasPrefix(name, "._") || slices.Contains([]string{
		".DS_Store", ".localized", ".Spotlight-V100", ".Trashes", ".fseventsd", ".TemporaryItems", ".DocumentRevisions-V100", // macOS
		"desktop.ini", "Thumbs.db", "System Volume Information", "$RECYCLE.BIN", // Windows
		".directory", "lost+found", // Linux
	}, name) || strings.HasPrefix(name, ".Trash-")
}
