package colour

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/kovidgoyal/imaging/prism/meta/icc"
)

// Bounds of a profile that is read. The largest that printers hand out are about 3 MB.
const (
	maxProfile = 16 << 20 // bytes
	maxTags    = 100      // as LittleCMS has it
)

// FromICC reads an ICC profile of version 2 or 4. The space is nil where the profile says sRGB, in whatever words. The intent is
// perceptual, as in most programs that show pictures.
func FromICC(profile []byte) (s *Space, err error) {
	if profile, err = whole(profile); err != nil {
		return nil, err
	}
	defer func() { // the reader is other people's, the bytes are strangers'
		if p := recover(); p != nil {
			s, err = nil, fmt.Errorf("it is damaged (%v)", p)
		}
	}()
	p, err := icc.DecodeProfile(bytes.NewReader(profile))
	if err != nil {
		return nil, fmt.Errorf("it is damaged: %w", err)
	}
	n := map[icc.ColorSpace]int{icc.ColorSpaceGray: 1, icc.ColorSpaceRGB: 3, icc.ColorSpaceCMYK: 4}[p.Header.DataColorSpace]
	if n == 0 {
		return nil, fmt.Errorf("it is for %s, not for grey, RGB or CMYK", p.Header.DataColorSpace)
	}
	t, err := p.CreateTransformerToPCS(intent, n, true)
	if err != nil {
		return nil, fmt.Errorf("it says too little: %w", err)
	}
	lab := p.Header.ProfileConnectionSpace == icc.ColorSpaceLab
	xyz := func(in []float64) vector {
		// The library takes the first values of both for its own.
		var values, out [4]float64
		copy(values[:], in)
		t.TransformGeneral(out[:], values[:])
		v := vector(out[:3])
		if lab {
			v = fromLab(v)
		}
		return v
	}
	black := blackPoint(p, n, xyz)
	name, _ := p.Description() // many have none
	s, err = sample(name, n, func(in []float64) vector {
		v := xyz(in)
		for i := range v {
			v[i] = white[i] * (v[i] - black[i]) / (white[i] - black[i])
		}
		return fromD50.apply(v)
	})
	if err == nil && s.identical() {
		s = nil
	}
	return s, err
}

const intent = icc.PerceptualRenderingIntent

// blackPoint is the darkest colour of a profile, which becomes black on the screen (Adobe's black point compensation). LittleCMS does
// that for the perceptual intent wherever one side is of version 4, as the sRGB that it makes is.
func blackPoint(p *icc.Profile, n int, xyz func([]float64) vector) (black vector) {
	shaper := p.IsMatrixShaper()
	if !shaper && p.Header.Version.Major >= 4 {
		return vector{0.00336, 0.0034731, 0.00287} // of the reference medium of version 4
	}
	if !shaper && !p.TagTable.Has(icc.AToB0TagSignature) {
		return black
	}
	darkest := make([]float64, n)
	if n == 4 {
		darkest = []float64{1, 1, 1, 1}
	}
	v := xyz(darkest)
	const half = 0.1842               // L* = 50
	if !(v[1] >= 0 && v[1] <= half) { // no black at all
		return black
	}
	return v
}

// white is D50 as profiles have it.
var white = vector{0.9642, 1, 0.8249}

// fromD50 takes XYZ under D50 to linear sRGB.
var fromD50 = func() matrix {
	m, _ := SRGB.toXYZ(white)
	m, _ = m.inverse()
	return m
}()

// fromLab is CIE L*a*b* under D50 as XYZ.
func fromLab(v vector) vector {
	y := (v[0] + 16) / 116
	out := vector{y + v[1]/500, y, y - v[2]/200}
	for i, t := range out {
		if t > 24./116 {
			t = t * t * t
		} else {
			t = (t - 16./116) * 108 / 841
		}
		out[i] = t * white[i]
	}
	return out
}

// whole refuses profiles whose table of tags would cost more than the profile has, or points out of it.
func whole(b []byte) ([]byte, error) {
	const header, entry = 132, 12
	if len(b) < header || string(b[36:40]) != "acsp" {
		return nil, errors.New("it is not an ICC profile")
	}
	if len(b) > maxProfile {
		return nil, fmt.Errorf("it has more than the %d MB that are read", maxProfile>>20)
	}
	tags := binary.BigEndian.Uint32(b[128:])
	if tags == 0 || tags > maxTags || header+entry*int(tags) > len(b) {
		return nil, fmt.Errorf("it is damaged (%d tags in %d bytes)", tags, len(b))
	}
	first := uint64(header + entry*tags)
	for i := range int(tags) {
		e := b[header+entry*i:]
		at, size := uint64(binary.BigEndian.Uint32(e[4:])), uint64(binary.BigEndian.Uint32(e[8:]))
		if at < first || at+size > uint64(len(b)) {
			return nil, errors.New("it is damaged (a tag lies outside of it)")
		}
		if err := bounded(b[at : at+size]); err != nil {
			return nil, err
		}
	}
	b = bytes.Clone(b)
	copy(b[68:], d50) // LittleCMS does not look at what stands there, the library believes it
	return b, nil
}

// d50 is the white between profiles (0.9642, 1, 0.8249), as a header says it: every legal one says the same.
const d50 = "\x00\x00\xf6\xd6\x00\x01\x00\x00\x00\x00\xd3\x2d"
