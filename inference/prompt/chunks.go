package prompt

import (
	"strings"
	"unicode/utf8"
)

// This file shares the tokens of a prompt out among chunks, as A1111 does:
//
//   - a chunk has Room tokens, and the first that finds it full begins the next one;
//   - if that one is no comma, and there is one among the last commaBack tokens of the full chunk, what stands behind that comma goes along
//     into the next chunk, so that what commas part stays together;
//   - BREAK ends a chunk, be it full or empty, and what is behind it begins another: nothing behind the last one begins none.
//
// What a chunk does not have is filled up behind its end. A comma is the token of one by itself; CLIP has another for "),".

// Long tells whether a text may be read otherwise in chunks than in one, so that a picture of it must say which it was: it holds BREAK, or
// so much that it may have more than Room tokens. Each has at least a byte of the normalised text.
func Long(text string) bool {
	const swells = 6 // at most so many times in lower case and composed, other signs than those of English
	n := len(text)
	if strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) {
		n *= swells
	}
	return n > Room || strings.Contains(text, "BREAK")
}

// commaBack is how many tokens back a comma may be, as in A1111's settings as it comes.
const commaBack = 20

// token is an id with its weight.
type token struct {
	id     int64
	weight float32
	number int // of the tokens of the prompt
}

// sheet takes the tokens of a prompt one by one.
type sheet struct {
	most  int   // chunks
	back  int   // commaBack; 0: what does not fit stands where it stands
	comma int64 // -1: there is none

	pages  [][]token // closed chunks
	open   []token   // the one that is written
	last   int       // one behind the place of its last comma; 0: it has none
	places []int     // of every token so far: its id's; 0: it is cut off
}

// add takes a token.
func (s *sheet) add(id int64, weight float32) {
	if len(s.open) == Room && len(s.pages) < s.most-1 {
		keep := Room
		if id != s.comma && s.last > 0 && Room-s.last < s.back {
			keep = s.last
		}
		moved := s.open[keep:]
		s.open = s.open[:keep:keep]
		s.next()
		for _, t := range moved {
			s.put(t)
		}
	}
	t := token{id, weight, len(s.places)}
	s.places = append(s.places, 0)
	if len(s.pages) == s.most || len(s.open) == Room {
		return
	}
	if s.put(t); id == s.comma {
		s.last = len(s.open)
	}
}

// put writes a token into the open chunk.
func (s *sheet) put(t token) {
	s.open = append(s.open, t)
	s.places[t.number] = len(s.pages)*Length + len(s.open)
}

// turn ends chunks for so many BREAK.
func (s *sheet) turn(breaks int) {
	for range breaks {
		if len(s.pages) < s.most {
			s.next()
		}
	}
}

func (s *sheet) next() {
	s.pages = append(s.pages, s.open)
	s.open, s.last = nil, 0
}

// close ends the last chunk. There is at least one.
func (s *sheet) close() {
	if len(s.open) > 0 || len(s.pages) == 0 {
		s.next()
	}
}
