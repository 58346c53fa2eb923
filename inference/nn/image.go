package nn

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
