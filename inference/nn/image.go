package nn

import "realword/inference/tensor"

// An image is an activation map of N pictures, C channels, h×w cells. How it lies in memory is the target's business: networks
// ask Channels and Size, not Dim, and move between images and tokens [N hw C] with Tokens and FromTokens. Conv2D, GroupNorm,
// GroupNormSiLU, UpsampleNearest, ConcatChannels and AddChannels take images, and so does what works element by element.

// Image makes an image of float32 planes [N C h w], as graph inputs have them; Planes is the way back.
func Image(x *Value) *Value {
	x = Activation(x)
	if x.b.target.channelsLast() {
		x = Transpose(x, 0, 2, 3, 1)
	}
	return x
}

// Planes turns an image into float32 planes [N C h w].
func Planes(x *Value) *Value {
	if x.b.target.channelsLast() {
		x = Transpose(x, 0, 3, 1, 2)
	}
	return Float(x)
}

// Channels is the number of channels of an image.
func Channels(x *Value) int {
	if x.b.target.channelsLast() {
		return x.Dim(3)
	}
	return x.Dim(1)
}

// Size returns the running height and width of an image as integers [2].
func Size(x *Value) *Value {
	if x.b.target.channelsLast() {
		return Slice(ShapeOf(x), 0, 1, 3)
	}
	return Slice(ShapeOf(x), 0, 2, 4)
}

// Tokens turns an image into one row per cell [N hw C], row by row.
func Tokens(x *Value) *Value {
	if x.b.target.channelsLast() {
		return Fold(x, 0, -1, x.Dim(3))
	}
	return Transpose(Fold(x, 0, 0, -1), 0, 2, 1)
}

// FromTokens turns rows [N hw C] into an image of the shape of like.
func FromTokens(rows, like *Value) *Value {
	if !rows.b.target.channelsLast() {
		rows = Transpose(rows, 0, 2, 1)
	}
	return Reshape(rows, ShapeOf(like), like.Shape...)
}

// ConcatChannels puts the channels of images one after the other.
func ConcatChannels(xs ...*Value) *Value {
	if xs[0].b.target.channelsLast() {
		return Concat(3, xs...)
	}
	return Concat(1, xs...)
}

// AddChannels adds t [1 C] to every cell of an image.
func AddChannels(x, t *Value) *Value {
	if x.b.target.channelsLast() {
		return Add(x, Fold(t, 1, 1, 1, t.Dim(-1)))
	}
	return Add(x, Fold(t, 1, t.Dim(-1), 1, 1))
}

// GEGLU is a · GELU(g) [N hw width], where [a g] is the linear layer of the scope, 2·width wide.
func GEGLU(s Scope, x *Value, width int) *Value {
	// CUDA's kernel is compiled for the widths of Stable Diffusion only.
	if x.b.target != CPU && (width == 1280 || width == 2560 || width == 5120) {
		h := Linear(s, x, 2*width, NoBias)
		return x.b.contrib("BiasSplitGelu", []int{h.Dim(0), h.Dim(1), width}, []*Value{h, s.param("bias", x.DType, []int{2 * width})})
	}
	h := Linear(s, x, 2*width)
	return Mul(Slice(h, -1, 0, width), GELU(Slice(h, -1, width, 2*width)))
}

// AttentionColumns is Attention, and beside it MapColumns of the same queries and keys.
func AttentionColumns(q, k, v, columns *Value, heads int) (out, mapped *Value) {
	if q.b.target != CPU {
		return Attention(q, k, v, heads), MapColumns(q, k, columns, heads)
	}
	d := v.Dim(-1) / heads
	wide := Concat(3, Fold(v, 0, 0, heads, d), perHead(columns, heads))
	got := Fold(Attention(q, k, Fold(wide, 0, 0, -1), heads), 0, 0, heads, -1) // [1 hw heads d+G]
	return Fold(Slice(got, 3, 0, d), 0, 0, v.Dim(-1)), Mean(From(got, 3, d), 2)
}

// columnScale lifts columns of attention, numbers from 0 to at most 64, into the middle of what half precision resolves.
const columnScale = 256

// MapColumns is the head mean of softmax(QKᵀ/√d) times float32 columns [1 hw G], [1 hw G], of queries and keys [1 hw heads·d]. The
// columns are the values of a fused attention, so that no map is written out, and the mean is taken after the product.
// On CUDA there may be at most d columns.
func MapColumns(q, k, columns *Value, heads int) *Value {
	if q.b.target == CPU {
		got := Attention(q, k, Fold(perHead(columns, heads), 0, 0, -1), heads)
		return Mean(Fold(got, 0, 0, heads, -1), 2)
	}
	// CUDA's fast kernels want values as wide as keys: zeros fill them up.
	b, d := q.b, q.Dim(-1)/heads
	count := Slice(ShapeOf(columns), 0, 2, 3)
	rest := zeros(Concat(0, b.Ints(1), Slice(ShapeOf(columns), 0, 1, 2), b.Ints(d)), tensor.F32, 1, columns.Dim(1), d)
	wide := Slice(Concat(2, Scale(columns, columnScale), rest), 2, 0, d)
	got := Attention(q, k, Fold(perHead(Activation(wide), heads), 0, 0, -1), heads)
	mean := Mean(Float(Fold(got, 0, 0, heads, d)), 2) // [1 hw d]
	mean = b.node("Slice", columns.Shape, []*Value{mean, b.Ints(0), count, b.Ints(2)})
	return Scale(mean, 1./columnScale)
}

// perHead turns columns [1 hw G] into the same columns for every head [1 hw heads G].
func perHead(columns *Value, heads int) *Value {
	return Expand(Unsqueeze(columns, 2), 1, 1, heads, 1)
}
