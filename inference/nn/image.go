package nn

// An image is an activation map [N C h w]. How it lies in memory is the target's business: networks ask Channels and Size, not
// Dim, and move between images and tokens [N hw C] with Tokens and FromTokens. Conv2D, GroupNorm, GroupNormSiLU,
// UpsampleNearest, ConcatChannels and AddChannels take images; whatever works element by element takes them, too.

// Image makes an image of float32 planes [N C h w], as graph inputs have them; Planes is the way back.
func Image(x *Value) *Value { return x }

// Planes turns an image into float32 planes [N C h w].
func Planes(x *Value) *Value { return x }

// Channels is the number of channels of an image.
func Channels(x *Value) int { return x.Dim(1) }

// Size returns the running height and width of an image as integers [2].
func Size(x *Value) *Value { return Slice(ShapeOf(x), 0, 2, 4) }

// Tokens turns an image into one row per cell [N hw C], row by row.
func Tokens(x *Value) *Value { return Transpose(Fold(x, 0, 0, -1), 0, 2, 1) }

// FromTokens turns rows [N hw C] into an image of the shape of like.
func FromTokens(rows, like *Value) *Value {
	return Reshape(Transpose(rows, 0, 2, 1), ShapeOf(like), like.Shape...)
}

// ConcatChannels puts the channels of images one after the other.
func ConcatChannels(xs ...*Value) *Value { return Concat(1, xs...) }

// AddChannels adds t [1 C] to every cell of an image.
func AddChannels(x, t *Value) *Value { return Add(x, Fold(t, 1, t.Dim(-1), 1, 1)) }

// GroupNormSiLU is SiLU(GroupNorm(x)).
func GroupNormSiLU(s Scope, x *Value, groups int, eps float64) *Value {
	return SiLU(GroupNorm(s, x, groups, eps))
}

// GEGLU is a · GELU(g) [N hw width], where [a g] is the linear layer of the scope, 2·width wide.
func GEGLU(s Scope, x *Value, width int) *Value {
	h := Linear(s, x, 2*width)
	return Mul(Slice(h, -1, 0, width), GELU(Slice(h, -1, width, 2*width)))
}

// AttentionColumns is Attention, and beside it the head mean of its probabilities times columns [1 hw G], [1 hw G]: no map is
// written out.
func AttentionColumns(q, k, v, columns *Value, heads int) (out, mapped *Value) {
	d := v.Dim(-1) / heads
	wide := Concat(3, Fold(v, 0, 0, heads, d), perHead(columns, heads))
	got := Fold(Attention(q, k, Fold(wide, 0, 0, -1), heads), 0, 0, heads, -1) // [1 hw heads d+G]
	return Fold(Slice(got, 3, 0, d), 0, 0, v.Dim(-1)), Mean(From(got, 3, d), 2)
}

// MapColumns is the second result of AttentionColumns alone. The columns are the values of a fused attention, and the mean is
// taken after the product.
func MapColumns(q, k, columns *Value, heads int) *Value {
	got := Attention(q, k, Fold(perHead(columns, heads), 0, 0, -1), heads)
	return Mean(Fold(got, 0, 0, heads, -1), 2)
}

// perHead turns columns [1 hw G] into the same columns for every head [1 hw heads G].
func perHead(columns *Value, heads int) *Value {
	return Expand(Unsqueeze(columns, 2), 1, 1, heads, 1)
}
