package synthetic

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"regexp"

	"realword/inference/tensor"
)

// deviation of all values.
const deviation = 0.02

// normal holds 65536 values of the normal distribution with that deviation, one for each quantile: drawing is a look-up, so that
// the full size is a matter of writing speed.
var normal = func() (t [1 << 16]float32) {
	for i := range t {
		t[i] = float32(deviation * math.Sqrt2 * math.Erfinv(2*(float64(i)+0.5)/float64(len(t))-1))
	}
	return t
}()

// scale recognises the weights that multiply a normalised activation: they are near 1.
var scale = regexp.MustCompile(`(norm\w*|ln_\w+|projector2?\.5)\.weight$|\.gamma$`)

// values draws a tensor. The same seed and key give the same values in every layout.
func values(seed int64, p part) []float32 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", seed, p.key))
	state := binary.LittleEndian.Uint64(sum[:])
	out := make([]float32, tensor.Count(p.shape))
	for i := 0; i < len(out); i += 4 {
		// SplitMix64 (Steele, Lea, Flood 2014), one quantile per 16 bits.
		state += 0x9e3779b97f4a7c15
		z := state
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
		for j := i; j < min(i+4, len(out)); j++ {
			out[j] = normal[z&0xffff]
			z >>= 16
		}
	}
	if scale.MatchString(p.key) {
		for i := range out {
			out[i]++
		}
	}
	return out
}

// read makes a tensor of a file.
func (t Tensor) read(seed int64) *tensor.Tensor {
	var data []float32
	for _, p := range t.parts {
		if v := values(seed, p); data == nil {
			data = v
		} else {
			data = append(data, v...)
		}
	}
	if t.transpose {
		rows, cols := t.Shape[0], t.Shape[1]
		turned := make([]float32, len(data))
		for r := range rows {
			for c := range cols {
				turned[r*cols+c] = data[c*rows+r]
			}
		}
		data = turned
	}
	return tensor.Of(data, t.Shape...)
}
