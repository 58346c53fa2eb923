package checkpoint

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Bounds on what of a header is held in memory, so that reading one takes its size at most, whatever stands in it. An SDXL
// checkpoint has some 2,500 tensors, twice that with averaged weights; names have about 100 bytes.
const (
	maxTensors  = 1 << 15 // of one file
	maxName     = 4 << 10 // bytes of a name or a field
	maxMetadata = 1 << 12 // entries of __metadata__
	allValues   = 1 << 20 // bytes of metadata values that are kept
	keptValue   = 256     // bytes that are kept of any value; pictures and training notes are longer and not needed
	maxNumber   = 40      // digits
	maxDepth    = 100     // of values that are skipped
)

// headerScanner reads JSON from a stream and holds one token at a time; encoding/json would hold the text several times over. It
// takes what the format allows and no more: objects, arrays, strings, and numbers without fractions; other values are skipped.
type headerScanner struct {
	r   *bufio.Reader
	buf []byte
	err error // of the stream
}

func newHeaderScanner(r io.Reader) *headerScanner {
	return &headerScanner{r: bufio.NewReaderSize(r, 64<<10)}
}

var errSyntax = errors.New("it is not valid JSON there")

// peek skips white space and returns the next byte without taking it, 0 at the end.
func (s *headerScanner) peek() byte {
	for {
		c, err := s.r.ReadByte()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				s.err = err
			}
			return 0
		}
		switch c {
		case ' ', '\n', '\r', '\t':
			continue
		}
		_ = s.r.UnreadByte() // it was just read
		return c
	}
}

// end wants nothing but white space, to the end of the text. A zero byte is none.
func (s *headerScanner) end() {
	if s.peek() != 0 {
		fail(errSyntax)
	}
	if _, err := s.r.ReadByte(); err == nil {
		fail(errSyntax)
	}
}

// take takes the next byte that is no white space when it is c.
func (s *headerScanner) take(c byte) bool {
	if c == 0 || s.peek() != c {
		return false
	}
	_, _ = s.r.ReadByte() // it was just seen
	return true
}

// need takes the next byte that is no white space, which must be c.
func (s *headerScanner) need(c byte) {
	if !s.take(c) {
		fail(errSyntax)
	}
}

// each calls item, which takes it, for everything between two brackets.
func (s *headerScanner) each(begin, end byte, item func()) {
	s.need(begin)
	if s.take(end) {
		return
	}
	for {
		item()
		if s.take(end) {
			return
		}
		s.need(',')
	}
}

// object reads an object; field must take the value of each key.
func (s *headerScanner) object(field func(key string)) {
	s.each('{', '}', func() {
		key, cut := s.text(maxName)
		if cut {
			fail(fmt.Errorf("a name of more than %d bytes", maxName))
		}
		s.need(':')
		field(key)
	})
}

// next is the next byte, whatever it is.
func (s *headerScanner) next() byte {
	c, err := s.r.ReadByte()
	if err != nil {
		fail(errSyntax)
	}
	return c
}

// text reads a string. Of a longer one than limit bytes it returns the beginning, and true.
func (s *headerScanner) text(limit int) (text string, cut bool) {
	s.need('"')
	raw, escaped := append(s.buf[:0], '"'), false
	defer func() { s.buf = raw[:0] }()
	for {
		c := s.next()
		switch {
		case c < ' ':
			fail(errSyntax)
		case c == '"' && limit == 0:
			return "", cut
		case c == '"' && cut:
			return strings.ToValidUTF8(string(raw[1:]), ""), true
		case c == '"':
			if raw = append(raw, c); !escaped {
				return strings.ToValidUTF8(string(raw[1:len(raw)-1]), "\uFFFD"), false
			}
			if json.Unmarshal(raw, &text) != nil {
				fail(errSyntax)
			}
			return text, false
		}
		after := byte(0)
		if c == '\\' {
			escaped = true
			if after = s.next(); !strings.ContainsRune(`"\/bfnrtu`, rune(after)) {
				fail(errSyntax)
			}
		}
		if cut = cut || len(raw) > limit; cut {
			continue
		}
		if raw = append(raw, c); after != 0 {
			raw = append(raw, after)
		}
	}
}

// numbers reads an array of non-negative whole numbers; with more than most of them it returns so many and how many there are.
func (s *headerScanner) numbers(most int) (list []int64, count int) {
	if s.peek() != '[' {
		fail(errors.New("it is not a list"))
	}
	s.each('[', ']', func() {
		word := s.word()
		n, err := strconv.ParseInt(word, 10, strconv.IntSize)
		switch {
		case err != nil || word == "-0":
			fail(fmt.Errorf("%q is not a whole number that fits", word))
		case n < 0:
			fail(fmt.Errorf("%d is negative", n))
		case word[0] == '+' || word[0] == '0' && len(word) > 1:
			fail(errSyntax)
		}
		if count++; count <= most {
			list = append(list, n)
		}
	})
	return list, count
}

// word reads a number, true, false or null as it is written.
func (s *headerScanner) word() string {
	s.peek()
	raw := s.buf[:0]
	defer func() { s.buf = raw[:0] }()
	for {
		c := s.next()
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == 'E' || c == '-' || c == '+' || c == '.' {
			if raw = append(raw, c); len(raw) > maxNumber {
				fail(fmt.Errorf("a number of more than %d digits", maxNumber))
			}
			continue
		}
		_ = s.r.UnreadByte() // it was just read
		if len(raw) == 0 {
			fail(errSyntax)
		}
		return string(raw)
	}
}

// skip takes any value.
func (s *headerScanner) skip(depth int) {
	if depth > maxDepth {
		fail(fmt.Errorf("it nests deeper than %d levels", maxDepth))
	}
	switch s.peek() {
	case '{':
		s.object(func(string) { s.skip(depth + 1) })
	case '[':
		s.each('[', ']', func() { s.skip(depth + 1) })
	case '"':
		s.text(0)
	default:
		if word := s.word(); !json.Valid([]byte(word)) {
			fail(errSyntax)
		}
	}
}
