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

// take takes the next byte that is no white space when it is c.
func (s *headerScanner) take(c byte) bool {
	if c == 0 || s.peek() != c {
		return false
	}
	_, _ = s.r.ReadByte() // it was just seen
	return true
}

// object reads an object; field must take the value of each key.
func (s *headerScanner) object(field func(key string) error) error {
	if !s.take('{') {
		return errSyntax
	}
	if s.take('}') {
		return nil
	}
	for {
		key, cut, err := s.text(maxName)
		if err != nil {
			return err
		}
		if cut {
			return fmt.Errorf("a name of more than %d bytes", maxName)
		}
		if !s.take(':') {
			return errSyntax
		}
		if err := field(key); err != nil {
			return err
		}
		switch {
		case s.take(','):
		case s.take('}'):
			return nil
		default:
			return errSyntax
		}
	}
}

// text reads a string. Of a longer one than limit bytes it returns the beginning, and true.
func (s *headerScanner) text(limit int) (text string, cut bool, err error) {
	if !s.take('"') {
		return "", false, errSyntax
	}
	raw, escaped := append(s.buf[:0], '"'), false
	defer func() { s.buf = raw[:0] }()
	for {
		c, err := s.r.ReadByte()
		switch {
		case err != nil:
			return "", false, errSyntax
		case c < ' ':
			return "", false, errSyntax
		case c == '"':
			switch {
			case limit == 0:
				return "", cut, nil
			case cut:
				return strings.ToValidUTF8(string(raw[1:]), ""), true, nil
			}
			if raw = append(raw, c); !escaped {
				return strings.ToValidUTF8(string(raw[1:len(raw)-1]), "\uFFFD"), false, nil
			}
			if err := json.Unmarshal(raw, &text); err != nil {
				return "", false, errSyntax
			}
			return text, false, nil
		}
		next := byte(0)
		if c == '\\' {
			escaped = true
			if next, err = s.r.ReadByte(); err != nil || !strings.ContainsRune(`"\/bfnrtu`, rune(next)) {
				return "", false, errSyntax
			}
		}
		if cut = cut || len(raw) > limit; cut {
			continue
		}
		if raw = append(raw, c); next != 0 {
			raw = append(raw, next)
		}
	}
}

// numbers reads an array of non-negative whole numbers; with more than most of them it returns so many and how many there are.
func (s *headerScanner) numbers(most int) (list []int64, count int, err error) {
	if !s.take('[') {
		return nil, 0, errors.New("it is not a list")
	}
	if s.take(']') {
		return []int64{}, 0, nil
	}
	for {
		word, err := s.word()
		if err != nil {
			return nil, 0, err
		}
		n, err := strconv.ParseInt(word, 10, strconv.IntSize)
		switch {
		case err != nil || word == "-0":
			return nil, 0, fmt.Errorf("%q is not a whole number that fits", word)
		case n < 0:
			return nil, 0, fmt.Errorf("%d is negative", n)
		case word[0] == '+' || word[0] == '0' && len(word) > 1:
			return nil, 0, errSyntax
		}
		if count++; count <= most {
			list = append(list, n)
		}
		switch {
		case s.take(','):
		case s.take(']'):
			return list, count, nil
		default:
			return nil, 0, errSyntax
		}
	}
}

// word reads a number, true, false or null as it is written.
func (s *headerScanner) word() (string, error) {
	s.peek()
	raw := s.buf[:0]
	defer func() { s.buf = raw[:0] }()
	for {
		c, err := s.r.ReadByte()
		if err != nil {
			return "", errSyntax
		}
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == 'E' || c == '-' || c == '+' || c == '.' {
			if raw = append(raw, c); len(raw) > maxNumber {
				return "", fmt.Errorf("a number of more than %d digits", maxNumber)
			}
			continue
		}
		_ = s.r.UnreadByte() // it was just read
		if len(raw) == 0 {
			return "", errSyntax
		}
		return string(raw), nil
	}
}

// skip takes any value.
func (s *headerScanner) skip(depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("it nests deeper than %d levels", maxDepth)
	}
	switch s.peek() {
	case '{':
		return s.object(func(string) error { return s.skip(depth + 1) })
	case '[':
		s.take('[')
		if s.take(']') {
			return nil
		}
		for {
			if err := s.skip(depth + 1); err != nil {
				return err
			}
			switch {
			case s.take(','):
			case s.take(']'):
				return nil
			default:
				return errSyntax
			}
		}
	case '"':
		_, _, err := s.text(0)
		return err
	}
	word, err := s.word()
	if err != nil || word == "true" || word == "false" || word == "null" {
		return err
	}
	if !json.Valid([]byte(word)) {
		return errSyntax
	}
	return nil
}
