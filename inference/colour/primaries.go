package colour

import (
	"fmt"
	"math"
)

// Chromaticities are the CIE 1931 x and y of white, red, green and blue, in the order of PNG's cHRM chunk.
type Chromaticities [4][2]float64

var (
	d65 = [2]float64{0.3127, 0.3290}
	// SRGB are the chromaticities of sRGB and ITU-R BT.709.
	SRGB = Chromaticities{d65, {0.640, 0.330}, {0.300, 0.600}, {0.150, 0.060}}
)

// codePoints are the colour primaries of ITU-T H.273.
var codePoints = map[uint8]Chromaticities{
	1:  SRGB,
	4:  {{0.310, 0.316}, {0.67, 0.33}, {0.21, 0.71}, {0.14, 0.08}},
	5:  {d65, {0.64, 0.33}, {0.29, 0.60}, {0.15, 0.06}},
	6:  {d65, {0.630, 0.340}, {0.310, 0.595}, {0.155, 0.070}},
	7:  {d65, {0.630, 0.340}, {0.310, 0.595}, {0.155, 0.070}},
	8:  {{0.310, 0.316}, {0.681, 0.319}, {0.243, 0.692}, {0.145, 0.049}},
	9:  {d65, {0.708, 0.292}, {0.170, 0.797}, {0.131, 0.046}},
	11: {{0.314, 0.351}, {0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}},
	12: {d65, {0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}},
	22: {d65, {0.630, 0.340}, {0.295, 0.605}, {0.155, 0.077}},
}

// FromCodePoints makes the space of ITU-T H.273 code points (PNG's cICP chunk). Only RGB (matrix 0) over the full range is read. Of the two
// curves for high dynamic range, 203 candela (ITU-R BT.2408) become white and what is brighter is cut; hdr says so.
func FromCodePoints(primaries, transfer, matrix uint8, fullRange bool) (s *Space, hdr bool, err error) {
	c, ok := codePoints[primaries]
	if !ok || matrix != 0 || !fullRange {
		return nil, false, fmt.Errorf("colour code points %d, %d, %d are not read", primaries, transfer, matrix)
	}
	var curve func(float64) float64
	switch transfer {
	case 1, 6, 11, 12, 14, 15:
		curve = camera
	case 4:
		curve = func(v float64) float64 { return math.Pow(v, 2.2) }
	case 5:
		curve = func(v float64) float64 { return math.Pow(v, 2.8) }
	case 8:
		curve = func(v float64) float64 { return v }
	case 13:
		curve = decodeSRGB
	case 16:
		curve, hdr = perceptualQuantizer, true
	case 18:
		curve, hdr = hybridLogGamma, true
	default:
		return nil, false, fmt.Errorf("the colour curve %d is not read", transfer)
	}
	s, err = fromCurve(fmt.Sprintf("colour code points %d, %d", primaries, transfer), c, curve)
	return s, hdr, err
}

// camera undoes the curve of ITU-R BT.709, as profiles for it do.
func camera(v float64) float64 {
	if v < 0.081 {
		return v / 4.5
	}
	return math.Pow((v+0.099)/1.099, 1/0.45)
}

const paperWhite = 203 // candela per square metre

func perceptualQuantizer(v float64) float64 { // SMPTE ST 2084
	p := math.Pow(v, 1/78.84375)
	return 10000 / float64(paperWhite) * math.Pow(max(p-0.8359375, 0)/(18.8515625-18.6875*p), 1/0.1593017578125)
}

func hybridLogGamma(v float64) float64 { // ITU-R BT.2100, on a screen of 1000 candela, where paper white is at 0.75
	const a, b, c = 0.17883277, 0.28466892, 0.55991073
	light := v * v / 3
	if v > 0.5 {
		light = (math.Exp((v-c)/a) + b) / 12
	}
	return 1000 / float64(paperWhite) * math.Pow(light, 1.2)
}

// FromGamma makes the space of PNG's gAMA and cHRM chunks: what is stored is light to the power of gamma (1/2.2 in most files). Zero
// chromaticities are those of sRGB. A gamma of 1/2.2 over these is sRGB itself, as writers mean it.
func FromGamma(gamma float64, c Chromaticities) (*Space, error) {
	if !(gamma >= 0.05 && gamma <= 20) {
		return nil, fmt.Errorf("a gamma of %g is not read", gamma)
	}
	if c == (Chromaticities{}) {
		c = SRGB
	}
	curve := func(v float64) float64 { return math.Pow(v, 1/gamma) }
	if math.Abs(gamma-1/2.2) < 0.005 && near(c, SRGB) {
		return nil, nil
	}
	return fromCurve(fmt.Sprintf("gamma %.4g", 1/gamma), c, curve)
}

func near(a, b Chromaticities) bool {
	for i := range a {
		if math.Abs(a[i][0]-b[i][0]) > 0.002 || math.Abs(a[i][1]-b[i][1]) > 0.002 {
			return false
		}
	}
	return true
}

type matrix [3][3]float64

func (m matrix) apply(v vector) (out vector) {
	for i := range m {
		out[i] = m[i][0]*v[0] + m[i][1]*v[1] + m[i][2]*v[2]
	}
	return out
}

func (m matrix) times(n matrix) (out matrix) {
	for i := range m {
		for j := range m {
			out[i][j] = m[i][0]*n[0][j] + m[i][1]*n[1][j] + m[i][2]*n[2][j]
		}
	}
	return out
}

// inverse is by Cramer's rule; ok is false where there is none.
func (m matrix) inverse() (out matrix, ok bool) {
	minor := func(i, j int) float64 {
		a, b, c, d := (i+1)%3, (i+2)%3, (j+1)%3, (j+2)%3
		return m[a][c]*m[b][d] - m[a][d]*m[b][c]
	}
	det := m[0][0]*minor(0, 0) + m[0][1]*minor(0, 1) + m[0][2]*minor(0, 2)
	if math.IsNaN(det) || math.Abs(det) < 1e-9 {
		return out, false
	}
	for i := range m {
		for j := range m {
			out[j][i] = minor(i, j) / det
		}
	}
	return out, true
}

// xyzOf is a chromaticity as CIE XYZ of luminance 1.
func xyzOf(p [2]float64) vector { return vector{p[0] / p[1], 1, (1 - p[0] - p[1]) / p[1]} }

// toXYZ is the matrix from light of these chromaticities to CIE XYZ, adapted to a white (Bradford).
func (c Chromaticities) toXYZ(to vector) (matrix, bool) {
	for _, p := range c {
		if !(p[1] > 0.001 && p[1] <= 1 && p[0] >= 0 && p[0] <= 1) {
			return matrix{}, false
		}
	}
	var m matrix
	for j := range 3 {
		for i, v := range xyzOf(c[j+1]) {
			m[i][j] = v
		}
	}
	inverse, ok := m.inverse()
	if !ok {
		return matrix{}, false
	}
	for j, v := range inverse.apply(xyzOf(c[0])) {
		for i := range 3 {
			m[i][j] *= v
		}
	}
	bradford := matrix{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}
	back, _ := bradford.inverse()
	seen, wanted := bradford.apply(xyzOf(c[0])), bradford.apply(to)
	var gain matrix
	for i := range 3 {
		if math.Abs(seen[i]) < 1e-6 {
			return matrix{}, false
		}
		gain[i][i] = wanted[i] / seen[i]
	}
	return back.times(gain).times(bradford).times(m), true
}

func fromCurve(name string, c Chromaticities, curve func(float64) float64) (*Space, error) {
	m, ok := c.toXYZ(xyzOf(d65))
	if !ok {
		return nil, fmt.Errorf("the chromaticities %v are no colours", c)
	}
	srgb, _ := SRGB.toXYZ(xyzOf(d65))
	inverse, _ := srgb.inverse()
	m = inverse.times(m)
	s, err := sample(name, 3, func(in []float64) vector {
		return m.apply(vector{curve(in[0]), curve(in[1]), curve(in[2])})
	})
	if err == nil && s.identical() {
		s = nil
	}
	return s, err
}
