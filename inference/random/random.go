// Package random makes the noise that a generation starts from: the numbers of torch.randn(n, generator=g,
// dtype=torch.float32) with g = torch.Generator("cpu").manual_seed(seed), bit for bit, so that a seed means the same
// picture here and in other programs.
//
// Contract: pure arithmetic, nothing of Realword imported. The reference is PyTorch 2 on x86-64 with AVX2, whatever machine
// this runs on: every operation is written so that no compiler can round it differently. (PyTorch itself gives other last
// digits on machines without AVX2.) Draws of fewer than 16 numbers go through float64 library functions and rely on them
// being within half a float32 unit, which is all but certain. A Generator belongs to one goroutine.
package random

import "math"

// Normal returns n standard normal numbers for a seed: one draw of a new Generator.
func Normal(seed uint64, n int) []float32 { return New(seed).Normal(n) }

// Generator is the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998) with PyTorch's normal numbers on top.
type Generator struct {
	state [size]uint32
	next  int     // index into state; size means that a new block is due
	spare float64 // second number of the last pair of a small draw
	has   bool
}

const (
	size   = 624
	period = 397
)

// New seeds a generator as manual_seed does. Only the low 32 bits of the seed count, which is so in PyTorch too. A negative
// PyTorch seed is uint64 of it: -1 is 1<<64 - 1.
func New(seed uint64) *Generator {
	g := &Generator{next: size}
	g.state[0] = uint32(seed)
	for i := 1; i < size; i++ {
		last := g.state[i-1]
		g.state[i] = 1812433253*(last^last>>30) + uint32(i)
	}
	return g
}

// Uint32 returns the next 32 random bits.
func (g *Generator) Uint32() uint32 {
	if g.next == size {
		g.twist()
	}
	y := g.state[g.next]
	g.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

func (g *Generator) twist() {
	for i := range g.state {
		y := g.state[i]&0x80000000 | g.state[(i+1)%size]&0x7fffffff
		g.state[i] = g.state[(i+period)%size] ^ y>>1 ^ (y&1)*0x9908b0df
	}
	g.next = 0
}

// uniform returns 24 random bits as a number in [0, 1).
func (g *Generator) uniform() float32 { return float32(g.Uint32()&(1<<24-1)) / (1 << 24) }

// uniform53 returns 53 random bits as a number in [0, 1).
func (g *Generator) uniform53() float64 {
	high := uint64(g.Uint32())
	bits := high<<32 | uint64(g.Uint32())
	return float64(bits&(1<<53-1)) / (1 << 53)
}

// block is how many numbers PyTorch makes at once.
const block = 16

// Normal returns the next n standard normal numbers. Small draws (n < 16) make pairs in float64 and keep the odd one for
// the next small draw. Larger draws work in blocks of 16; when n is no multiple of 16, the last 16 numbers are drawn anew,
// over the end of the last whole block.
func (g *Generator) Normal(n int) []float32 {
	out := make([]float32, max(n, 0))
	if n < block {
		for i := range out {
			out[i] = float32(g.pair())
		}
		return out
	}
	for i := range out {
		out[i] = g.uniform()
	}
	for i := 0; i+block <= n; i += block {
		boxMuller(out[i : i+block])
	}
	if n%block != 0 {
		tail := out[n-block:]
		for i := range tail {
			tail[i] = g.uniform()
		}
		boxMuller(tail)
	}
	return out
}

// Skip goes on as if Normal(n) had been called.
func (g *Generator) Skip(n int) {
	if n < block {
		g.Normal(n)
		return
	}
	if n%block != 0 {
		n += block
	}
	for n > 0 {
		if g.next == size {
			g.twist()
		}
		some := min(n, size-g.next)
		g.next += some
		n -= some
	}
}

// pair returns one number of a Box–Muller pair in float64.
func (g *Generator) pair() float64 {
	if g.has {
		g.has = false
		return g.spare
	}
	turn := 2 * math.Pi * g.uniform53()
	radius := math.Sqrt(-2 * math.Log1p(-g.uniform53()))
	sin, cos := math.Sincos(turn)
	g.spare, g.has = radius*sin, true
	return radius * cos
}

// boxMuller turns 16 uniform numbers into normal ones in place: the first 8 give radii, the other 8 angles.
func boxMuller(b []float32) {
	for i := range block / 2 {
		radius := float32(math.Sqrt(float64(-2 * log(1-b[i]))))
		sin, cos := sincos(float32(2*math.Pi) * b[i+block/2])
		b[i] = radius*cos + 0 // + 0 turns a negative zero into zero
		b[i+block/2] = radius*sin + 0
	}
}
