package nn

import (
	"realword/inference/onnx"
	"realword/inference/tensor"
)

// Masked are the rows of R subjects' masks: what is computed at them alone is put where it belongs, weighted, and added up.
type Masked struct {
	index, weight *Value

	// Of targets that fetch rows, which other graphs do not have: where among the R·T of the index is the row of every cell [R N], 0 for
	// those that have none, and its weight [R N 1], which is 0 there.
	places, dense *Value
}

// NewMasked takes index [R T 2], pairs (subject, cell) that are distinct, and float32 weights [R T 1]. What it computes lies in a branch
// that runs if subjects, R as a list of one, is not zero; cells is any value [1 N C] of the cells of the index.
func NewMasked(index, weight, subjects, cells *Value) *Masked {
	m := &Masked{index: index, weight: weight}
	if index.b.target == CPU {
		return m
	}
	// CUDA's ScatterND copies a row with one thread, number by number, so that the widest row sets the time. Gather copies with as many
	// threads as there are numbers.
	b := index.b
	both := If(subjects, func() []*Value {
		size := Slice(ShapeOf(index), 0, 0, 2)
		number := func(n int64) *Value { return b.Const(tensor.OfInts([]int64{n})) }
		all := b.emit(onnx.Node{Op: "Range"}, tensor.I64, []int{-1}, []*Value{number(0), Squeeze(Product(size), 0), number(1)})
		into := func(x *Value) *Value { // numbers [R T] -> [R N]
			shape := Concat(0, Slice(ShapeOf(index), 0, 0, 1), Slice(ShapeOf(cells), 0, 1, 2))
			empty := zeros(shape, x.DType, index.Dim(0), cells.Dim(1))
			return b.node("ScatterND", empty.Shape, []*Value{empty, index, x})
		}
		places := into(Reshape(all, size, index.Dim(0), index.Dim(1)))
		return []*Value{places, Unsqueeze(into(Activation(Squeeze(weight, 2))), 2)}
	}, func() []*Value {
		return []*Value{b.Const(tensor.OfInts([]int64{0}, 1, 1)), Activation(b.Const(tensor.Zeros(1, 1, 1)))}
	})
	m.places, m.dense = both[0], both[1]
	return m
}

// Attention is Σ_r weight · attention of the subject's rows of q [1 N heads·d] over its keys k [R heads d n] and values v [R heads n d],
// float32, with a float32 bias [R 1 1 n] on the logits; [1 N heads·d], 0 where no mask is. The flag several says whether there is more
// than one subject; the bias of one is taken to be 0.
func (m *Masked) Attention(q, k, v, bias, several *Value, heads int) *Value {
	at := Squeeze(Slice(m.index, 2, 1, 2), 2) // [R T]
	picked := Gather(Fold(q, -1, q.Dim(-1)), at)
	written := func() *Value {
		scores := MatMul(Scale(SplitHeads(picked, heads), 1/sqrt(q.Dim(-1)/heads)), Activation(k))
		p := Activation(Softmax(Add(Float(scores), bias)))
		return MergeHeads(MatMul(p, Activation(v)))
	}
	if q.b.target == CPU {
		return Sum(Scatter(m.index, Mul(written(), Activation(m.weight)), q), 0)
	}
	spread := func(rows *Value) *Value { return Mul(Gather(Fold(rows, -1, rows.Dim(-1)), m.places), m.dense) } // [R N C]
	return If(several, func() []*Value { return []*Value{Sum(spread(written()), 0)} }, func() []*Value {
		keys := Transpose(Activation(k), 0, 3, 1, 2) // [1 n heads d]
		one := spread(Attention(picked, Fold(keys, 0, 0, q.Dim(-1)), MergeHeads(Activation(v)), heads))
		return []*Value{one} // CUDA's sum over an axis of size 1 takes as long as all the rest
	})[0]
}
