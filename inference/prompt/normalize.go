package prompt

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// normalize returns text[from:to] in NFC and lower case, each character with the place it came from. A character that is
// composed of several has the place of all of them.
func normalize(text string, from, to int) []letter {
	out := make([]letter, 0, to-from)
	var it norm.Iter
	it.InitString(norm.NFC, text[from:to])
	for !it.Done() {
		start := from + it.Pos()
		composed := slices.Clone(it.Next())
		for it.Pos() == start-from && !it.Done() { // of a character that is taken apart it answers one by one
			composed = append(composed, it.Next()...)
		}
		end := from + it.Pos()
		same := string(composed) == text[start:end]
		for at := 0; at < len(composed); {
			r, n := utf8.DecodeRune(composed[at:])
			l := letter{r, start, end}
			if same {
				l.start, l.end = start+at, start+at+n
			}
			out = lower(out, l)
			at += n
		}
	}
	return out
}

// lower appends a character in lower case. Only İ becomes two.
func lower(out []letter, l letter) []letter {
	if l.r == 'İ' {
		return append(out, letter{'i', l.start, l.end}, letter{'\u0307', l.start, l.end})
	}
	l.r = unicode.ToLower(l.r)
	return append(out, l)
}

// split appends the pieces of normalised text: the first that fits of a contraction, a run of letters, one digit, a run of
// anything else; spaces only separate.
func split(out []piece, letters []letter) []piece {
	for len(letters) > 0 {
		n := contraction(letters)
		if n == 0 {
			kind := kindOf(letters[0].r)
			for n = 1; kind != digit && n < len(letters) && kindOf(letters[n].r) == kind; n++ {
			}
			if kind == space {
				letters = letters[n:]
				continue
			}
		}
		var text strings.Builder
		for _, l := range letters[:n] {
			text.WriteRune(l.r)
		}
		out = append(out, piece{text.String(), letters[0].start, letters[n-1].end, -1, letters[:n]})
		letters = letters[n:]
	}
	return out
}

// contraction returns the length of 's 't 're 've 'm 'll 'd at the beginning, 0 for none.
func contraction(letters []letter) int {
	if letters[0].r != '\'' || len(letters) < 2 {
		return 0
	}
	second := letters[1].r
	if strings.ContainsRune("stmd", second) {
		return 2
	}
	if len(letters) > 2 {
		switch string([]rune{second, letters[2].r}) {
		case "re", "ve", "ll":
			return 3
		}
	}
	return 0
}

type kind uint8

const (
	other kind = iota
	space
	word
	digit
)

func kindOf(r rune) kind {
	switch {
	case unicode.IsSpace(r):
		return space
	case unicode.IsLetter(r):
		return word
	case unicode.IsNumber(r):
		return digit
	}
	return other
}
