package network

import (
	"realword/inference/graph"
	"realword/inference/nn"
	"realword/inference/onnx"
	"realword/inference/tensor"
)

// TiledDecoderGraph builds decoder_tiled.onnx: decoder.onnx with the same weights and the same result, for large pictures. Its
// second input, strips [1] int64, says into how many horizontal strips the picture is cut; it must divide the latent's
// height. Every convolution runs strip by strip, so that beside the maps between two layers only one strip's intermediate
// values are alive, and a cancelled run waits for one strip only.
func TiledDecoderGraph(c VAEConfig, store *nn.Store) (*onnx.Model, error) {
	return nn.Build(graph.TiledDecoder, store, func(s nn.Scope) {
		x := nn.Planes(c.latent(s))
		d := strips{&c, s.B}
		n := s.B.Input("strips", tensor.I64, []int{1})
		y := c.decode(d, s, plane{v: d.cut(x, n)})
		s.B.Output("picture", d.join(y.v), "", "", "picture_height", "picture_width")
	})
}

// TiledEncoderGraph builds encoder_tiled.onnx in the same way: encoder.onnx for large pictures. strips must divide the height of the
// latent.
func TiledEncoderGraph(c VAEConfig, store *nn.Store) (*onnx.Model, error) {
	return nn.Build(graph.TiledEncoder, store, func(s nn.Scope) {
		x := nn.Planes(c.picture(s))
		d := strips{&c, s.B}
		n := s.B.Input("strips", tensor.I64, []int{1})
		c.output(s, nn.Image(d.join(c.encode(d, s, plane{v: d.cut(x, n)}).v)))
	})
}

// stripCells is about how many latent cells a strip has: 4 rows of 1024 pixels. Smaller ones cost time in the halo of every
// convolution, larger ones memory, and a cancelled run waits for the convolution of one strip.
const stripCells = 512

// Tiled tells whether a latent of h × w cells is decoded in strips. Tiny pictures gain nothing from them.
func Tiled(h, w int) bool { return Strips(h, w) >= 4 }

// Strips returns into how many strips a latent is cut: the fewest that divide its rows and are not larger than stripCells.
func Strips(h, w int) int {
	n := 1
	for ; n < h; n++ {
		if h%n == 0 && h/n*w <= stripCells {
			break
		}
	}
	return n
}

// strips computes on maps that are cut into S strips of r rows each, [S 1 C r w]. It is exact: a strip's convolution is given
// the rows next to it from its neighbours, and group normalisation uses the moments of the whole map, which every layer
// gathers per strip while it writes.
type strips struct {
	*VAEConfig
	b *nn.Builder
}

// stripPlane is what strips know of a map.
type stripPlane struct {
	mean, variance *nn.Value // of every strip [S 1 groups 1]
	side           *nn.Value // the residual block's input with the channels of this map, where that input is not kept
	again          *source   // the map is not kept (v is nil): it is computed where it is read
}

// source is how a map is computed again: the convolution of a map that is doubled in size.
type source struct {
	of       *nn.Value
	channels int
	conv     func(*nn.Value) *nn.Value
}

func (d strips) cut(x, n *nn.Value) *nn.Value {
	width := nn.Slice(nn.ShapeOf(x), 0, 3, 4)
	x = nn.Reshape(x, nn.Concat(0, d.b.Ints(1, x.Dim(1)), n, d.b.Ints(-1), width), 1, x.Dim(1), -1, -1, -1)
	return nn.Transpose(x, 2, 0, 1, 3, 4)
}

func (d strips) join(x *nn.Value) *nn.Value {
	width := nn.Slice(nn.ShapeOf(x), 0, 4, 5)
	x = nn.Transpose(x, 1, 2, 0, 3, 4)
	return nn.Reshape(x, nn.Concat(0, d.b.Ints(1, x.Dim(1), -1), width), 1, x.Dim(1), -1, -1)
}

func (d strips) conv(s nn.Scope, x plane, out int, o around) plane {
	before := func(v *nn.Value) *nn.Value { return v }
	if o.norm != nil {
		scale, shift := d.norm(*o.norm, x)
		before = func(v *nn.Value) *nn.Value { return nn.SiLU(nn.Add(nn.Mul(v, scale), shift)) }
	}
	conv := func(v *nn.Value) *nn.Value { return nn.Conv2D(s, v, nn.Conv{Out: out, Kernel: 3, Pad: 1, Rows: true}) }
	switch {
	case x.again != nil:
		return d.each(append(neighbours(x.again.of, same), d.inside(x.again.of)...), func(strip []*nn.Value) []*nn.Value {
			v := x.again.conv(nn.UpsampleNearest(nn.Concat(2, strip[1], strip[0], strip[2]))) // with the rows next to it
			middle, h := nn.Pad(v, 2, -1, -1), before(v)
			h = conv(nn.Concat(2, nn.Mul(nn.Slice(h, 2, 0, 1), strip[3]), nn.Pad(h, 2, -1, -1), nn.Mul(nn.Last(h, 2), strip[4])))
			return []*nn.Value{h, o.bring(middle, out)}
		}, false)
	case o.down:
		below := neighbours(x.v, same)[2]
		return d.each([]*nn.Value{x.v, below}, func(strip []*nn.Value) []*nn.Value {
			half := nn.Conv{Out: out, Kernel: 3, Stride: 2, Pad: 1, Rows: true, End: true}
			return []*nn.Value{nn.Conv2D(s, nn.Concat(2, strip[0], strip[1]), half)}
		}, false)
	case o.up:
		p := d.each(neighbours(x.v, same), func(strip []*nn.Value) []*nn.Value {
			v := nn.UpsampleNearest(nn.Concat(2, strip[1], strip[0], strip[2]))
			return []*nn.Value{conv(nn.Pad(v, 2, -1, -1))}
		}, o.once)
		if o.once {
			p.again = &source{x.v, out, conv}
		}
		return p
	case o.add != nil:
		add := x.side
		if add == nil {
			add = o.add.v
		}
		return d.each(append(neighbours(x.v, before), add), func(strip []*nn.Value) []*nn.Value {
			return []*nn.Value{nn.Add(o.bring(strip[3], out), conv(nn.Concat(2, strip[1], before(strip[0]), strip[2])))}
		}, false)
	default:
		return d.each(neighbours(x.v, before), func(strip []*nn.Value) []*nn.Value {
			return []*nn.Value{conv(nn.Concat(2, strip[1], before(strip[0]), strip[2]))}
		}, false)
	}
}

func same(v *nn.Value) *nn.Value { return v }

// neighbours returns x and the rows next to each of its strips, after before: above is the last row of the strip before it,
// zeros above the first, below likewise.
func neighbours(x *nn.Value, before func(*nn.Value) *nn.Value) []*nn.Value {
	return []*nn.Value{x, nn.Pad(before(nn.Last(x, 3)), 0, 1, -1), nn.Pad(before(nn.Slice(x, 3, 0, 1)), 0, -1, 1)}
}

// inside returns factors of the rows above and below each of x's strips: 0 outside of the picture, else 1.
func (d strips) inside(x *nn.Value) []*nn.Value {
	corner := nn.Slice(nn.Slice(nn.Slice(x, 4, 0, 1), 3, 0, 1), 2, 0, 1) // [S 1 1 1 1]
	one := nn.Add(nn.Scale(corner, 0), d.number(1))
	return []*nn.Value{nn.Pad(one, 0, 1, -1), nn.Pad(one, 0, -1, 1)}
}

func (d strips) attention(s nn.Scope, x plane) plane {
	channels := x.v.Dim(2)
	scale, shift := d.norm(s.In("group_norm"), x)
	qkv := nn.Scan([]*nn.Value{x.v}, func(strip []*nn.Value) []*nn.Value {
		z := nn.Tokens(nn.Add(nn.Mul(strip[0], scale), shift))
		return []*nn.Value{nn.Linear(s.In("to_q"), z, channels), nn.Linear(s.In("to_k"), z, channels), nn.Linear(s.In("to_v"), z, channels)}
	})
	k, v := nn.Fold(qkv[1], 1, -1, channels), nn.Fold(qkv[2], 1, -1, channels)
	return d.each([]*nn.Value{x.v, qkv[0]}, func(strip []*nn.Value) []*nn.Value {
		z := nn.Linear(s.In("to_out", 0), nn.Attention(strip[1], k, v, 1), channels)
		return []*nn.Value{nn.Add(nn.FromTokens(z, strip[0]), strip[0])}
	}, false)
}

// each makes a map strip by strip, its moments and, where make has a second result, that map beside it. forget leaves the
// moments only: what a Scan gives stays in memory even when nobody reads it.
func (d strips) each(over []*nn.Value, make func(strip []*nn.Value) []*nn.Value, forget bool) plane {
	r := nn.Scan(over, func(strip []*nn.Value) []*nn.Value {
		maps := make(strip)
		if maps[0].Dim(1)%d.NormNumGroups != 0 {
			return maps // the picture: no normalisation follows
		}
		mean, variance := nn.Moments(maps[0], d.NormNumGroups)
		if forget {
			return []*nn.Value{mean, variance}
		}
		return append([]*nn.Value{mean, variance}, maps...)
	})
	if len(r) == 1 {
		return plane{v: r[0]}
	}
	p := plane{stripPlane: stripPlane{mean: r[0], variance: r[1]}}
	if len(r) > 2 {
		p.v = r[2]
	}
	if len(r) > 3 {
		p.side = r[3]
	}
	return p
}

// norm returns group normalisation as x·scale + shift, each [1 C 1 1].
func (d strips) norm(s nn.Scope, x plane) (scale, shift *nn.Value) {
	g := d.NormNumGroups
	var c int
	if x.again != nil {
		c = x.again.channels
	} else {
		c = x.v.Dim(2)
	}
	mean := nn.Mean(x.mean, 0) // [1 G 1]; strips have equal sizes
	off := nn.Sub(x.mean, mean)
	variance := nn.Add(nn.Mean(x.variance, 0), nn.Mean(nn.Mul(off, off), 0))
	scale = nn.Div(s.Param("weight", []int{c}, 1, g, c/g), nn.Sqrt(nn.Add(variance, d.number(1e-6))))
	shift = nn.Sub(s.Param("bias", []int{c}, 1, g, c/g), nn.Mul(mean, scale))
	return nn.Fold(scale, 1, c, 1, 1), nn.Fold(shift, 1, c, 1, 1)
}

func (d strips) number(x float32) *nn.Value { return d.b.Const(tensor.Of([]float32{x})) }
