package colour

import (
	"errors"
	"math"
)

// Space is the colour space of a picture. A nil *Space is sRGB.
type Space struct {
	name     string
	channels int // 1, 3 or 4 values of a pixel say its colour

	grey     [][3]uint8    // one channel: the colour of every value of 16 bits
	light    [3][]contrast // three: what each channel adds to linear sRGB, where channels only add up
	dark     [3]float32    // what is there without them
	grid     []float32     // else: sRGB (0..1) at the points of a grid, the first channel varies slowest
	gridSide int
}

// contrast is a channel's share of red, green and blue light.
type contrast [3]float32

// Name says what the space is called, for people; it may be empty.
func (s *Space) Name() string {
	if s == nil {
		return "sRGB"
	}
	return s.name
}

// Channels is how many values say a colour: 1 (grey), 3 (red, green, blue) or 4 (cyan, magenta, yellow, black; 0 is no ink).
func (s *Space) Channels() int {
	if s == nil {
		return 3
	}
	return s.channels
}

// Convert writes the sRGB colours of pixels into the first three of every four bytes of to. Each pixel is four values of 16 bits in
// from; those beyond the channels of the space are not read.
func (s *Space) Convert(to []uint8, from []uint16) {
	switch {
	case s == nil:
		for i := 0; i+3 < len(from); i += 4 {
			to[i], to[i+1], to[i+2] = to8(from[i]), to8(from[i+1]), to8(from[i+2])
		}
	case s.grey != nil:
		for i := 0; i+3 < len(from); i += 4 {
			c := &s.grey[from[i]]
			to[i], to[i+1], to[i+2] = c[0], c[1], c[2]
		}
	case s.grid == nil:
		encode := encoding()
		for i := 0; i+3 < len(from); i += 4 {
			sum := s.dark
			for c := range 3 {
				at, f := int(from[i+c])>>shareBits, float32(from[i+c]&(1<<shareBits-1))/(1<<shareBits)
				a, b := &s.light[c][at], &s.light[c][at+1]
				sum[0] += a[0] + (b[0]-a[0])*f
				sum[1] += a[1] + (b[1]-a[1])*f
				sum[2] += a[2] + (b[2]-a[2])*f
			}
			for c, v := range sum {
				to[i+c] = encode[uint16(min(max(v, 0), 1)*65535+0.5)]
			}
		}
	default:
		for i := 0; i+3 < len(from); i += 4 {
			s.interpolate(to[i:i+3], from[i:i+s.channels])
		}
	}
}

func to8(v uint16) uint8 { return uint8((uint32(v) + 128) / 257) }

// interpolate reads the grid at one colour, linearly along every channel.
func (s *Space) interpolate(to []uint8, from []uint16) {
	n := len(from)
	var f [4]float32
	base := 0
	for c, v := range from {
		at := float32(v) * float32(s.gridSide-1) / 65535
		i := min(int(at), s.gridSide-2)
		f[c] = at - float32(i)
		base = base*s.gridSide + i
	}
	var sum [3]float32
	for corner := range 1 << n {
		weight, step, offset := float32(1), 1, 0
		for c := n - 1; c >= 0; c-- {
			if corner>>c&1 == 1 {
				weight *= f[c]
				offset += step
			} else {
				weight *= 1 - f[c]
			}
			step *= s.gridSide
		}
		if weight == 0 {
			continue
		}
		p := s.grid[3*(base+offset):][:3]
		sum[0] += weight * p[0]
		sum[1] += weight * p[1]
		sum[2] += weight * p[2]
	}
	for c, v := range sum {
		to[c] = uint8(min(max(v, 0), 1)*255 + 0.5)
	}
}

// The shares of a channel are known at every 16th of its values.
const (
	shareBits = 4
	shares    = 1<<(16-shareBits) + 1
)

// Points of a grid along one channel: as many as LittleCMS takes.
const (
	gridOf3 = 33
	gridOf4 = 17
)

type vector [3]float64

// sample makes a space of a function that gives linear sRGB for n channels of 0..1.
func sample(name string, n int, light func([]float64) vector) (*Space, error) {
	s := &Space{name: name, channels: n}
	shown := func(in []float64) (v vector, err error) {
		v = light(in)
		for c := range v {
			if math.IsNaN(v[c]) || math.IsInf(v[c], 0) {
				return v, errors.New("its colours are not numbers")
			}
			v[c] = encodeSRGB(min(max(v[c], 0), 1))
		}
		return v, nil
	}
	if n == 1 {
		s.grey = make([][3]uint8, 1<<16)
		for i := range s.grey {
			v, err := shown([]float64{float64(i) / 65535})
			if err != nil {
				return nil, err
			}
			for c := range v {
				s.grey[i][c] = uint8(v[c]*255 + 0.5)
			}
		}
		if last := &s.grey[1<<16-1]; min(last[0], last[1], last[2]) > 200 {
			*last = [3]uint8{255, 255, 255} // as below
		}
		return s, nil
	}
	if n == 3 && additive(light) {
		s.additive(light)
		return s, nil
	}
	s.gridSide = gridOf3
	if n == 4 {
		s.gridSide = gridOf4
	}
	points := 1
	for range n {
		points *= s.gridSide
	}
	s.grid = make([]float32, 0, 3*points)
	in := make([]float64, n)
	for p := range points {
		for c, rest := n-1, p; c >= 0; c, rest = c-1, rest/s.gridSide {
			in[c] = float64(rest%s.gridSide) / float64(s.gridSide-1)
		}
		v, err := shown(in)
		if err != nil {
			return nil, err
		}
		s.grid = append(s.grid, float32(v[0]), float32(v[1]), float32(v[2]))
	}
	// The white of the picture is white on the screen, whatever paper the profile was measured on: so do LittleCMS and its users.
	white := s.grid[3*(points-1):]
	if n == 4 {
		white = s.grid
	}
	white[0], white[1], white[2] = 1, 1, 1
	return s, nil
}

// additive tells whether the light of the channels adds up, as it does in a profile of curves and a matrix.
func additive(light func([]float64) vector) bool {
	black := light([]float64{0, 0, 0})
	for i := range 64 {
		in := []float64{float64(i*37%64) / 63, float64(i*23%61) / 60, float64(i*11%59) / 58}
		whole, sum := light(in), black
		for c := range 3 {
			alone := []float64{0, 0, 0}
			alone[c] = in[c]
			for k, v := range light(alone) {
				sum[k] += v - black[k]
			}
		}
		for k := range 3 {
			if !(math.Abs(whole[k]-sum[k]) < 1e-5) { // nor where it is no number
				return false
			}
		}
	}
	return true
}

func (s *Space) additive(light func([]float64) vector) {
	black := light([]float64{0, 0, 0})
	for c := range 3 {
		s.dark[c] = float32(black[c])
		s.light[c] = make([]contrast, shares+1) // one more, for the neighbour of the last
		for i := range shares {
			in := []float64{0, 0, 0}
			in[c] = min(1, float64(i<<shareBits)/65535)
			for k, v := range light(in) {
				s.light[c][i][k] = float32(v - black[k])
			}
		}
		s.light[c][shares] = s.light[c][shares-1]
	}
}

// identical tells whether the space gives back what it gets, within a rounding: then it is sRGB by another name.
func (s *Space) identical() bool {
	if s.channels == 4 {
		return false
	}
	var from [4]uint16
	var to [4]uint8
	for i := range 512 {
		v := [3]uint8{uint8(i * 83), uint8(i * 157 >> 1), uint8(i * 29)}
		if i < 256 || s.channels == 1 {
			v = [3]uint8{uint8(i), uint8(i), uint8(i)}
		}
		for c := range 3 {
			from[c] = uint16(v[c]) * 257
		}
		s.Convert(to[:], from[:])
		for c := range 3 {
			if d := int(to[c]) - int(v[c]); d < -1 || d > 1 {
				return false
			}
		}
	}
	return true
}

// decodeSRGB and encodeSRGB are the curve of IEC 61966-2-1, continued as a line below zero.
func decodeSRGB(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

func encodeSRGB(v float64) float64 {
	if v <= 0.0031308 {
		return v * 12.92
	}
	return 1.055*math.Pow(v, 1/2.4) - 0.055
}
