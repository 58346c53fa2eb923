package ui

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sentence is an error as the window says it. Errors of this program are sentences with their remedy already and only get a
// capital letter and a full stop; errors that were joined get a line each.
func Sentence(err error) string {
	if err == nil {
		return ""
	}
	var lines []string
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, sentence(line))
		}
	}
	if len(lines) == 0 {
		return say("Something failed without saying why.")
	}
	return strings.Join(lines, "\n")
}

func sentence(text string) string {
	word, _, _ := strings.Cut(text, " ")
	first, size := utf8.DecodeRuneInString(text)
	// File names and symbols such as γ stay as they are.
	if unicode.IsLower(first) && first < utf8.RuneSelf && !strings.ContainsAny(word, "./\\_") {
		text = string(unicode.ToUpper(first)) + text[size:]
	}
	if last, _ := utf8.DecodeLastRuneInString(text); !strings.ContainsRune(".!?…”", last) {
		text += "."
	}
	return text
}
