package colour

import (
	"encoding/binary"
	"errors"
	"slices"
)

// Bounds of what a tag says of itself. The library takes as much memory as a tag asks for before it looks whether the tag has it, and
// looks through a curve that falls once for every point of it.
const (
	mostPoints  = 0x7fff  // of a curve, as LittleCMS has it
	mostFalling = 4096    // of a curve that falls somewhere
	mostTable   = 4096    // entries of a table of mft2, as the standard has it
	mostTexts   = 512     // languages of a name
	mostLetters = 1 << 20 // bytes of these, all together
)

var errTag = errors.New("it is damaged (a tag asks for more than it has)")

// bounded refuses a tag that would cost more than it has.
func bounded(tag []byte) error {
	if len(tag) < 4 {
		return nil // of no type
	}
	fits := true
	switch string(tag[:4]) {
	case "curv":
		_, fits = curve(tag)
	case "mft1", "mft2":
		fits = len(tag) >= 52 && tag[8] <= 4 && tag[9] <= 4 &&
			(string(tag[:4]) == "mft1" || short(tag[48:]) <= mostTable && short(tag[50:]) <= mostTable)
	case "mAB ", "mBA ":
		fits = modular(tag)
	case "mluc":
		fits = texts(tag)
	}
	if !fits {
		return errTag
	}
	return nil
}

func short(b []byte) int { return int(binary.BigEndian.Uint16(b)) }
func long(b []byte) int  { return int(binary.BigEndian.Uint32(b)) }

// curve is how many bytes a curve takes at the beginning of b.
func curve(b []byte) (size int, fits bool) {
	if len(b) < 12 {
		return 0, false
	}
	if string(b[:4]) == "para" {
		numbers := []int{1, 3, 4, 5, 7}
		kind := short(b[8:])
		return 12 + 4*numbers[min(kind, len(numbers)-1)], kind < len(numbers)
	}
	n := long(b[8:])
	if string(b[:4]) != "curv" || n > mostPoints || 12+2*n > len(b) {
		return 0, false
	}
	points := make([]uint16, n)
	for i := range points {
		points[i] = uint16(short(b[12+2*i:]))
	}
	return (12 + 2*n + 3) &^ 3, n <= mostFalling || slices.IsSorted(points)
}

// modular looks through the curves and the table of an mAB or mBA.
func modular(b []byte) bool {
	if len(b) < 32 || b[8] > 4 || b[9] > 4 {
		return false
	}
	in, out := int(b[8]), int(b[9])
	if string(b[:4]) == "mBA " {
		in, out = out, in
	}
	for at, n := range map[int]int{12: out, 20: out, 28: in} {
		rest := b[min(long(b[at:]), len(b)):]
		for i := 0; long(b[at:]) > 0 && i < n; i++ {
			size, fits := curve(rest)
			if !fits || size > len(rest)+3 { // the last one need not be rounded up
				return false
			}
			rest = rest[min(size, len(rest)):]
		}
	}
	table := b[min(long(b[24:]), len(b)):]
	return long(b[24:]) == 0 || len(table) > 16 && (table[16] == 1 || table[16] == 2)
}

// texts adds up what the languages of a name take: all of them may point to the same letters.
func texts(b []byte) bool {
	if len(b) < 16 {
		return false
	}
	n, sum := long(b[8:]), 0
	if n > mostTexts || 16+12*n > len(b) {
		return false
	}
	for i := range n {
		sum += long(b[20+12*i:])
	}
	return sum <= mostLetters
}
