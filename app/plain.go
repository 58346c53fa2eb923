package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plain writes for people and programs what may come from anywhere: prompts, names and errors of files. A character that a terminal
// would obey is written out as in JSON, \u001b, so that it can be seen and JSON stays what it says; lines and tabs stay.
type plain struct{ io.Writer }

// Write implements io.Writer.
func (p plain) Write(text []byte) (int, error) {
	if n, err := io.WriteString(p.Writer, visible(string(text))); err != nil {
		return min(n, len(text)), err
	}
	return len(text), nil
}

func visible(text string) string {
	clean := true
	for _, r := range text {
		clean = clean && (r == '\n' || r == '\t' || !obeyed(r) && r != utf8.RuneError)
	}
	if clean {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && n == 1 && text[0] >= 0x80 && text[0] < 0xa0: // what a terminal of eight bits obeys
			fmt.Fprintf(&b, `\u%04x`, text[0])
		case r == '\n' || r == '\t' || !obeyed(r):
			b.WriteString(text[:n])
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		text = text[n:]
	}
	return b.String()
}

// obeyed tells whether a terminal does something on a character instead of showing it: control characters, and those that turn the
// direction of what follows.
func obeyed(r rune) bool {
	return unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// bare is what lies below a plain writer.
func bare(w io.Writer) io.Writer {
	if p, ok := w.(plain); ok {
		return p.Writer
	}
	return w
}

// overwrite writes a line of a terminal over the one that is there.
func overwrite(screen io.Writer, line string) {
	fmt.Fprint(bare(screen), "\r\033[K"+visible(line))
}
