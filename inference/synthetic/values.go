package synthetic

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"regexp"
	"slices"
	"sync"

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
var scale = regexp.MustCompile(`(norm\w*|ln_\w+|projector(2|_base)?\.5)\.weight$|\.gamma$`)

// quantiles are the values of normal around a centre in an element type: bits of two or four bytes.
type quantiles struct {
	half []uint16
	full []uint32
}

// tables returns the quantiles around 0, or around 1 for norms.
func tables(d tensor.DType, one bool) quantiles {
	key := struct {
		tensor.DType
		bool
	}{d, one}
	if t, ok := made.Load(key); ok {
		return t.(quantiles)
	}
	var t quantiles
	for _, v := range normal {
		if one {
			v++
		}
		switch d {
		case tensor.F16:
			t.half = append(t.half, tensor.ToF16(v))
		case tensor.BF16:
			t.half = append(t.half, tensor.ToBF16(v))
		default:
			t.full = append(t.full, math.Float32bits(v))
		}
	}
	made.Store(key, t)
	return t
}

var made sync.Map

// piece is how many values one goroutine draws in a row, a multiple of four.
const piece = 1 << 20

// draw fills dst with the values of a part as elements of type d, F32, F16 or BF16, on all processors. The same seed and key give
// the same values in every layout.
func draw(dst []byte, seed int64, p part, d tensor.DType) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", seed, p.key))
	state, table := binary.LittleEndian.Uint64(sum[:]), tables(d, scale.MatchString(p.key))
	var all sync.WaitGroup
	for i, b := range slices.Collect(slices.Chunk(dst, piece*d.Size())) {
		from := state + uint64(i)*(piece/4)*gamma
		if len(dst) <= len(b) {
			table.fill(b, from)
			return
		}
		all.Go(func() { table.fill(b, from) })
	}
	all.Wait()
}

const gamma = 0x9e3779b97f4a7c15

// fill draws with SplitMix64 (Steele, Lea, Flood 2014), one quantile per 16 bits. Its state counts, so that a tensor may be drawn
// in pieces.
func (t quantiles) fill(dst []byte, state uint64) {
	size := 4
	if t.half != nil {
		size = 2
	}
	for b := range slices.Chunk(dst, 4*size) {
		state += gamma
		z := state
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
		for j := 0; j < len(b); j += size {
			if size == 2 {
				binary.LittleEndian.PutUint16(b[j:], t.half[z&0xffff])
			} else {
				binary.LittleEndian.PutUint32(b[j:], t.full[z&0xffff])
			}
			z >>= 16
		}
	}
}

// fill makes the elements of a tensor in type d. dst has room for exactly them.
func (t Tensor) fill(dst []byte, seed int64, d tensor.DType) {
	if d == tensor.I64 { // positions
		for i := range len(dst) / 8 {
			binary.LittleEndian.PutUint64(dst[8*i:], uint64(i))
		}
		return
	}
	at, size := 0, d.Size()
	for _, p := range t.parts {
		n := tensor.Count(p.shape) * size
		draw(dst[at:at+n], seed, p, d)
		at += n
	}
	if t.transpose {
		rows, cols := t.Shape[0], t.Shape[1]
		upright := bytes.Clone(dst)
		for r := range rows {
			for c := range cols {
				copy(dst[(r*cols+c)*size:][:size], upright[(c*rows+r)*size:])
			}
		}
	}
}
