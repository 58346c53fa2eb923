package tensor

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// value is the definition of a binary float of the given exponent and mantissa widths, in float64.
func value(bits uint16, exponent, mantissa int) float64 {
	m := float64(bits & (1<<mantissa - 1))
	e := int(bits>>mantissa) & (1<<exponent - 1)
	bias := 1<<(exponent-1) - 1
	var v float64
	switch e {
	case 1<<exponent - 1:
		v = math.Inf(1)
		if m != 0 {
			v = math.NaN()
		}
	case 0:
		v = math.Ldexp(m, 1-bias-mantissa)
	default:
		v = math.Ldexp(1+m/float64(int(1)<<mantissa), e-bias)
	}
	if bits&0x8000 != 0 {
		v = -v
	}
	return v
}

// nearest is the literal definition of rounding to nearest even: of the two neighbours in a 16-bit format, the closer one,
// on a tie the one with the even last bit; past the largest number, the next one of an unbounded exponent counts as infinity.
func nearest(f float32, exponent, mantissa int) uint16 {
	sign := uint16(math.Float32bits(f) >> 16 & 0x8000)
	x := math.Abs(float64(f))
	infinity := uint16(1<<exponent-1) << mantissa
	past := math.Ldexp(1, 1<<(exponent-1))
	number := func(b uint16) float64 {
		if b == infinity {
			return past
		}
		return value(b, exponent, mantissa)
	}
	if x >= past {
		return sign | infinity
	}
	hi := uint16(0)
	for step := uint16(1 << 14); step > 0; step >>= 1 {
		if b := hi + step; b <= infinity && number(b) <= x {
			hi = b
		}
	}
	lo := hi
	hi++
	if lo == infinity || x-number(lo) < number(hi)-x || (x-number(lo) == number(hi)-x && lo&1 == 0) {
		return sign | lo
	}
	return sign | hi
}

func TestHalfTypesWiden(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		for _, c := range []struct {
			name               string
			got                float32
			back               uint16
			exponent, mantissa int
		}{
			{"F16", FromF16(h), ToF16(FromF16(h)), 5, 10},
			{"BF16", FromBF16(h), ToBF16(FromBF16(h)), 8, 7},
		} {
			want := value(h, c.exponent, c.mantissa)
			if math.IsNaN(want) {
				if !math.IsNaN(float64(c.got)) || !math.IsNaN(value(c.back, c.exponent, c.mantissa)) {
					t.Fatalf("%s %#04x: NaN became %v and then %#04x", c.name, h, c.got, c.back)
				}
				continue
			}
			if float64(c.got) != want || math.Signbit(float64(c.got)) != math.Signbit(want) || c.back != h {
				t.Fatalf("%s %#04x: got %v and back %#04x, want %v", c.name, h, c.got, c.back, want)
			}
		}
	}
}

func TestHalfTypesRoundToNearestEven(t *testing.T) {
	inf, random := float32(math.Inf(1)), rand.New(rand.NewPCG(1, 2))
	cases := []float32{
		0, float32(math.Copysign(0, -1)), 1, 65504, 65519.996, 65520, 1e-8, 0x1p-24, 0x1p-25, 0x1.000002p-25, 0x1p-14,
		0x1.ffcp-15, 0x1.ffep-15, 0x1.fffp-15, math.MaxFloat32, math.SmallestNonzeroFloat32, 0x1.fep127, 0x1.fefffep127, 0x1.ffp127, inf,
	}
	for h := range uint16(0x7c00) { // every midpoint of two halves, and its neighbours
		mid := (FromF16(h) + FromF16(h+1)) / 2
		if h == 0x7bff {
			mid = 65520
		}
		cases = append(cases, mid, math.Nextafter32(mid, 0), math.Nextafter32(mid, inf))
	}
	for range 200_000 {
		if f := math.Float32frombits(random.Uint32()); f == f {
			cases = append(cases, f)
		}
	}
	for _, f := range cases {
		for _, f := range []float32{f, -f} {
			if got, want := ToF16(f), nearest(f, 5, 10); got != want {
				t.Fatalf("ToF16(%g) = %#04x, want %#04x", f, got, want)
			}
			if got, want := ToBF16(f), nearest(f, 8, 7); got != want {
				t.Fatalf("ToBF16(%g) = %#04x, want %#04x", f, got, want)
			}
		}
	}
	for _, bits := range []uint32{0x7f800001, 0x7fffffff, 0xff800001, 0x7fc00000} {
		f := math.Float32frombits(bits)
		if h := ToF16(f); h&0x7c00 != 0x7c00 || h&0x3ff == 0 {
			t.Errorf("ToF16 of NaN %#x = %#04x", bits, h)
		}
		if h := ToBF16(f); h&0x7f80 != 0x7f80 || h&0x7f == 0 {
			t.Errorf("ToBF16 of NaN %#x = %#04x", bits, h)
		}
	}
}

func TestDecodeFloats(t *testing.T) {
	for _, c := range []struct {
		d    DType
		src  []byte
		want []float32
	}{
		{F32, []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0}, []float32{1, -2}},
		{F16, []byte{0x00, 0x3c, 0x00, 0xc0, 1, 0}, []float32{1, -2, 0x1p-24}},
		{BF16, []byte{0x80, 0x3f, 0x00, 0xc0}, []float32{1, -2}},
		{F64, []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f}, []float32{1}},
		{I64, []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, []float32{-2}},
		{I32, []byte{0xfe, 0xff, 0xff, 0xff}, []float32{-2}},
		{I16, []byte{0xfe, 0xff}, []float32{-2}},
		{I8, []byte{0xfe}, []float32{-2}},
		{U8, []byte{0xfe}, []float32{254}},
		{Bool, []byte{0, 1, 7}, []float32{0, 1, 1}},
		{F32, nil, nil},
	} {
		got := make([]float32, len(c.want))
		if err := DecodeFloats(got, c.src, c.d); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%v: got %v (%v), want %v", c.d, got, err, c.want)
		}
	}
	for _, c := range []struct {
		d     DType
		n, sz int
	}{{F32, 1, 3}, {F32, 1, 8}, {F16, 2, 3}, {Invalid, 0, 0}, {DType(99), 1, 1}} {
		if DecodeFloats(make([]float32, c.n), make([]byte, c.sz), c.d) == nil {
			t.Errorf("%d bytes passed for %d elements of %v", c.sz, c.n, c.d)
		}
	}
	if DecodeInts(make([]int64, 1), make([]byte, 4), F32) == nil {
		t.Error("floats were decoded as integers")
	}
}

func TestEncodeFloatsReportsOverflow(t *testing.T) {
	src := []float32{1, 70000, float32(math.Inf(1)), float32(math.NaN()), -1e30, 65519}
	dst := make([]byte, 2*len(src))
	err := EncodeFloats(dst, src, F16)
	over, ok := errors.AsType[*OverflowError](err)
	if !ok || over.Count != 2 || over.Index != 1 || over.Value != 70000 || over.DType != F16 {
		t.Fatalf("F16 overflow: %v", err)
	}
	back := make([]float32, len(src))
	if err := DecodeFloats(back, dst, F16); err != nil || !math.IsInf(float64(back[4]), -1) || back[5] != 65504 {
		t.Errorf("the numbers after an overflow are %v (%v)", back, err)
	}
	if err := EncodeFloats(dst, src, BF16); err != nil {
		t.Errorf("BF16 holds all of them, yet: %v", err)
	}
	if err := EncodeFloats(dst[:2], []float32{math.MaxFloat32}, BF16); err == nil {
		t.Error("the largest float32 does not fit BF16, and nothing was said")
	}
	if EncodeFloats(dst[:6], src, I8) == nil {
		t.Error("floats were written as I8")
	}
}

func TestIntegersRoundTrip(t *testing.T) {
	for d, values := range map[DType][]int64{
		I64: {0, -1, math.MaxInt64, math.MinInt64}, I32: {0, math.MaxInt32, math.MinInt32}, I16: {math.MaxInt16, math.MinInt16},
		I8: {127, -128}, U8: {0, 255}, Bool: {0, 1},
	} {
		b, got := make([]byte, len(values)*d.Size()), make([]int64, len(values))
		if err := errors.Join(EncodeInts(b, values, d), DecodeInts(got, b, d)); err != nil || !slices.Equal(got, values) {
			t.Errorf("%v: %v became %v (%v)", d, values, got, err)
		}
		if d != I64 && EncodeInts(make([]byte, d.Size()), []int64{values[len(values)-1] + math.MaxInt32*4}, d) == nil {
			t.Errorf("%v took a number out of its range", d)
		}
	}
	if EncodeInts(make([]byte, 4), []int64{1}, F32) == nil {
		t.Error("integers were written as F32")
	}
}

func BenchmarkDecodeF16(b *testing.B) {
	src, dst := make([]byte, 1<<21), make([]float32, 1<<20)
	for i := range src {
		src[i] = byte(i * 31)
	}
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if err := DecodeFloats(dst, src, F16); err != nil {
			b.Fatal(err)
		}
	}
}
