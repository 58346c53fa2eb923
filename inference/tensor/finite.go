package tensor

import (
	"encoding/binary"
	"slices"
)

// NotFiniteFloat returns the index of the first NaN or infinity, -1 where there is none.
func NotFiniteFloat(list []float32) int {
	return slices.IndexFunc(list, func(v float32) bool { return v-v != 0 })
}

// NotFinite returns the index of the first NaN or infinity among little-endian elements of type F16, BF16 or F32, -1 where there
// is none. It reads several gigabytes a second.
func NotFinite(raw []byte, d DType) int {
	// An exponent with all bits set, looked for in all lanes of a word at once: where a lane of ^w&exponents is not 0, adding
	// all ones but the highest bit sets that bit, and cannot carry into the next lane.
	var exponents, ones uint64
	switch d {
	case F16:
		exponents, ones = 0x7c00_7c00_7c00_7c00, 0x7fff_7fff_7fff_7fff
	case BF16:
		exponents, ones = 0x7f80_7f80_7f80_7f80, 0x7fff_7fff_7fff_7fff
	default:
		exponents, ones = 0x7f80_0000_7f80_0000, 0x7fff_ffff_7fff_ffff
	}
	at := 0
	for ; at+32 <= len(raw); at += 32 {
		b := raw[at : at+32]
		all := ^binary.LittleEndian.Uint64(b)&exponents + ones
		all &= ^binary.LittleEndian.Uint64(b[8:])&exponents + ones
		all &= ^binary.LittleEndian.Uint64(b[16:])&exponents + ones
		all &= ^binary.LittleEndian.Uint64(b[24:])&exponents + ones
		if ^all&^ones != 0 {
			break
		}
	}
	size := d.Size()
	for ; at+size <= len(raw); at += size {
		if size == 2 && uint64(binary.LittleEndian.Uint16(raw[at:]))&exponents&0xffff == exponents&0xffff ||
			size == 4 && uint64(binary.LittleEndian.Uint32(raw[at:]))&exponents&0xffffffff == exponents&0xffffffff {
			return at / size
		}
	}
	return -1
}
