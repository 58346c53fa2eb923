package tensor

import (
	"encoding/binary"
	"fmt"
	"math"
)

// FromF16 widens an IEEE 754 half-precision number. The result is exact; NaN payloads are kept.
func FromF16(h uint16) float32 {
	sign, rest := uint32(h&0x8000)<<16, uint32(h&0x7fff)
	switch {
	case rest >= 0x7c00: // infinity and NaN
		return math.Float32frombits(sign | 0x7f800000 | (rest&0x3ff)<<13)
	case rest < 0x400: // zero and subnormal: a multiple of 2^-24
		return math.Float32frombits(sign | math.Float32bits(float32(rest)*0x1p-24))
	}
	return math.Float32frombits(sign | (rest<<13 + (127-15)<<23))
}

// ToF16 rounds to the nearest half-precision number, ties to even. Values from 65520 on become infinite.
func ToF16(f float32) uint16 {
	b := math.Float32bits(f)
	sign, abs := uint16(b>>16&0x8000), b&0x7fffffff
	switch {
	case abs > 0x7f800000: // NaN stays NaN, made quiet so that dropping payload bits cannot turn it into infinity
		return sign | 0x7e00 | uint16(abs>>13&0x1ff)
	case abs >= f16Overflow:
		return sign | 0x7c00
	case abs < 0x38800000: // below 2^-14: adding 1/2, whose last place is 2^-24, rounds to the subnormal grid
		return sign | uint16(math.Float32bits(math.Float32frombits(abs)+0.5)-0x3f000000)
	}
	abs += 0xfff + abs>>13&1
	return sign | uint16((abs-(127-15)<<23)>>13)
}

// FromBF16 widens a bfloat16 number. The result is exact.
func FromBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// ToBF16 rounds to the nearest bfloat16 number, ties to even.
func ToBF16(f float32) uint16 {
	b := math.Float32bits(f)
	if b&0x7fffffff > 0x7f800000 {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// Smallest magnitudes, as float32 bits, that round to infinity.
const (
	f16Overflow  = 0x477ff000 // 65520
	bf16Overflow = 0x7f7f8000
)

// DecodeFloats reads little-endian elements of type d from src into dst. F32, F16 and BF16 are exact, F64 and the
// integers are rounded to the nearest float32 (integers up to 2^24 are exact), Bool gives 0 and 1. It fails when src is
// not exactly len(dst) elements long.
func DecodeFloats(dst []float32, src []byte, d DType) error {
	if err := fits(len(dst), len(src), d); err != nil {
		return err
	}
	switch d {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
	case F16:
		for i := range dst {
			dst[i] = FromF16(binary.LittleEndian.Uint16(src[2*i:]))
		}
	case BF16:
		for i := range dst {
			dst[i] = FromBF16(binary.LittleEndian.Uint16(src[2*i:]))
		}
	case F64:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
		}
	default:
		for i := range dst {
			dst[i] = float32(integer(src, i, d))
		}
	}
	return nil
}

// DecodeInts reads little-endian integers (or Bool, as 0 and 1) of type d from src into dst. It fails for a float type
// and when src is not exactly len(dst) elements long.
func DecodeInts(dst []int64, src []byte, d DType) error {
	if d.Float() {
		return fmt.Errorf("tensor: %v elements are not integers", d)
	}
	if err := fits(len(dst), len(src), d); err != nil {
		return err
	}
	for i := range dst {
		dst[i] = integer(src, i, d)
	}
	return nil
}

func integer(src []byte, i int, d DType) int64 {
	switch d {
	case I64:
		return int64(binary.LittleEndian.Uint64(src[8*i:]))
	case I32:
		return int64(int32(binary.LittleEndian.Uint32(src[4*i:])))
	case I16:
		return int64(int16(binary.LittleEndian.Uint16(src[2*i:])))
	case I8:
		return int64(int8(src[i]))
	case U8:
		return int64(src[i])
	}
	if src[i] != 0 { // Bool
		return 1
	}
	return 0
}

// OverflowError says that finite numbers became infinite in a narrower type.
type OverflowError struct {
	DType DType
	Count int     // how many did
	Index int     // the first of them
	Value float32 // and what it was
}

func (e *OverflowError) Error() string {
	return fmt.Sprintf("%d of the numbers do not fit %v (the first is element %d, %g); keep this tensor in F32 or BF16",
		e.Count, e.DType, e.Index, e.Value)
}

// EncodeFloats writes src to dst as little-endian elements of type d, one of F32, F64, F16 and BF16, rounding to
// nearest even. When finite numbers became infinite it returns an *OverflowError; dst is complete even then, so a
// caller that accepts infinities may go on.
func EncodeFloats(dst []byte, src []float32, d DType) error {
	if err := fits(len(src), len(dst), d); err != nil {
		return err
	}
	switch d {
	case F32:
		for i, f := range src {
			binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(f))
		}
		return nil
	case F64:
		for i, f := range src {
			binary.LittleEndian.PutUint64(dst[8*i:], math.Float64bits(float64(f)))
		}
		return nil
	case F16:
		for i, f := range src {
			binary.LittleEndian.PutUint16(dst[2*i:], ToF16(f))
		}
		return overflow(src, d, f16Overflow)
	case BF16:
		for i, f := range src {
			binary.LittleEndian.PutUint16(dst[2*i:], ToBF16(f))
		}
		return overflow(src, d, bf16Overflow)
	}
	return fmt.Errorf("tensor: floats are not written as %v", d)
}

func overflow(src []float32, d DType, limit uint32) error {
	var e *OverflowError
	for i, f := range src {
		if abs := math.Float32bits(f) & 0x7fffffff; abs >= limit && abs < 0x7f800000 {
			if e == nil {
				e = &OverflowError{DType: d, Index: i, Value: f}
			}
			e.Count++
		}
	}
	if e == nil {
		return nil
	}
	return e
}

// EncodeInts writes src to dst as little-endian elements of type d, one of I64, I32, I16, I8, U8 and Bool. It fails at
// the first number that d cannot hold.
func EncodeInts(dst []byte, src []int64, d DType) error {
	if err := fits(len(src), len(dst), d); err != nil {
		return err
	}
	if d.Float() {
		return fmt.Errorf("tensor: integers are not written as %v", d)
	}
	lo, hi := d.integerRange()
	for i, v := range src {
		if v < lo || v > hi {
			return fmt.Errorf("tensor: element %d, %d, does not fit %v", i, v, d)
		}
		switch d.Size() {
		case 8:
			binary.LittleEndian.PutUint64(dst[8*i:], uint64(v))
		case 4:
			binary.LittleEndian.PutUint32(dst[4*i:], uint32(v))
		case 2:
			binary.LittleEndian.PutUint16(dst[2*i:], uint16(v))
		case 1:
			dst[i] = byte(v)
		}
	}
	return nil
}

// Float reports whether d is a floating-point type.
func (d DType) Float() bool { return d == F32 || d == F16 || d == BF16 || d == F64 }

func (d DType) integerRange() (lo, hi int64) {
	switch d {
	case U8:
		return 0, math.MaxUint8
	case Bool:
		return 0, 1
	}
	hi = math.MaxInt64 >> (64 - 8*d.Size())
	return -hi - 1, hi
}

func fits(n, bytes int, d DType) error {
	if d.Size() == 0 {
		return fmt.Errorf("tensor: %v is not an element type", d)
	}
	if bytes%d.Size() != 0 || bytes/d.Size() != n {
		return fmt.Errorf("tensor: %d bytes are not %d elements of %v", bytes, n, d)
	}
	return nil
}
