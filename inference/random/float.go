package random

import "math"

// The functions below are logf, sinf and cosf of the Cephes library (S. Moshier), in the order of operations of
// PyTorch's AVX2 code, where a product followed by a sum is fused. Conversions to float32 keep every other operation apart.

// fma returns a·b + c rounded once. The product is exact in float64. The sum there is rounded to odd, so that rounding it
// again to float32 gives the nearest.
func fma(a, b, c float32) float32 {
	p, q := float64(a)*float64(b), float64(c)
	s := p + q
	t := s - p
	if lost := (p - (s - t)) + (q - t); lost != 0 {
		if bits := math.Float64bits(s); bits&1 == 0 {
			if (lost > 0) == (s > 0) {
				bits++
			} else {
				bits--
			}
			s = math.Float64frombits(bits)
		}
	}
	return float32(s)
}

// polynomial is Horner's rule with fused steps, the highest power first.
func polynomial(x float32, coefficients ...float32) float32 {
	y := coefficients[0]
	for _, c := range coefficients[1:] {
		y = fma(y, x, c)
	}
	return y
}

// log returns ln x for a normal x in (0, 1]: x = m·2ᵉ with m in [√½, √2), then a polynomial in m − 1. ln 2 is split in two.
func log(x float32) float32 {
	const ln2High, ln2Low = 0.693359375, -2.12194440e-4
	bits := math.Float32bits(x)
	e := float32(int(bits>>23) - 126)
	m := math.Float32frombits(bits&0x007fffff | 0x3f000000)
	if m < float32(math.Sqrt2/2) {
		e--
		m += float32(m - 1)
	} else {
		m--
	}
	z := float32(m * m)
	y := polynomial(m, 7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
		-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)
	y = fma(float32(y*m), z, float32(e*ln2Low))
	y = fma(z, -0.5, y)
	return fma(e, ln2High, float32(m+y))
}

// sincos returns sine and cosine of an angle of [0, 2π]: what is left of the nearest even multiple of π/4, split in three,
// goes into one polynomial each.
func sincos(angle float32) (sin, cos float32) {
	octant := (int(float32(angle*float32(4/math.Pi))) + 1) &^ 1
	j := float32(octant)
	x := fma(j, -0.78515625, angle)
	x = fma(j, -2.4187564849853515625e-4, x)
	x = fma(j, -3.77489497744594108e-8, x)
	z := float32(x * x)
	cos = polynomial(z, 2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
	cos = fma(float32(cos*z), z, -float32(z*0.5)) + 1
	sin = polynomial(z, -1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
	sin = fma(x, float32(sin*z), x)
	if octant&2 != 0 {
		sin, cos = cos, sin
	}
	if octant&4 != 0 {
		sin = -sin
	}
	if (octant-2)&4 == 0 {
		cos = -cos
	}
	return sin, cos
}
