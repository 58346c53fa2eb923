package nn

import "realword/inference/tensor"

// TappedAttention is Attention of q [1 hw heads·d] over text, float32 k and v [1 n heads·d]; taps are its probabilities times
// float32 columns [1 n G], [1 heads hw G], and only if the flag wanted is set they mean anything. attend returns the attention
// itself [1 hw heads·d]; what is called between the two may open a branch that it shall lie in. Taps are computed in float32.
func TappedAttention(q, k, v, columns, wanted *Value, heads int) (taps *Value, attend func() *Value) {
	written := func() (p, taps *Value) {
		p = Probabilities(SplitHeads(Float(q), heads), SplitHeads(k, heads), nil) // [1 heads hw n]
		return p, MatMul(p, columns)
	}
	apply := func(p *Value) *Value {
		return MergeHeads(MatMul(Activation(p), SplitHeads(Activation(v), heads)))
	}
	if q.b.target == CPU { // written out costs the same as fused
		p, taps := written()
		return taps, func() *Value { return apply(p) }
	}
	both := If(wanted, func() []*Value {
		p, taps := written()
		return []*Value{taps, apply(p)}
	}, func() []*Value {
		return []*Value{q.b.Const(tensor.Zeros(1, 1, 1, 1)), Attention(q, Activation(k), Activation(v), heads)}
	})
	both[0].Shape = []int{1, heads, q.Dim(1), columns.Dim(2)}
	return both[0], func() *Value { return both[1] }
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
