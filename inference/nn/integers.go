package nn

import (
	"math"

	"realword/inference/onnx"
	"realword/inference/tensor"
)

func sqrt(n int) float64 { return math.Sqrt(float64(n)) }

// FirstEqual returns, for ids [1 T], the first position that holds id, as an index [1].
func FirstEqual(ids *Value, id int) *Value {
	b := ids.b
	eq := b.emit(onnx.Node{Op: "Equal"}, tensor.Bool, ids.Shape, []*Value{ids, b.Const(tensor.OfInts([]int64{int64(id)}, 1))})
	num := b.emit(onnx.Node{Op: "Cast", Attrs: []onnx.Attr{attr("to", 1)}}, tensor.F32, ids.Shape, []*Value{eq})
	return b.emit(onnx.Node{Op: "ArgMax", Attrs: []onnx.Attr{attr("axis", 1), attr("keepdims", 0)}}, tensor.I64, []int{ids.Dim(0)}, []*Value{num})
}

// FirstMax returns, for ids [1 T], the first position of the largest value, as an index [1].
func FirstMax(ids *Value) *Value {
	b := ids.b
	return b.emit(onnx.Node{Op: "ArgMax", Attrs: []onnx.Attr{attr("axis", 1), attr("keepdims", 0)}}, tensor.I64, []int{ids.Dim(0)}, []*Value{ids})
}

// Identity returns the unit matrix whose size is the running number n [1].
func Identity(n *Value) *Value {
	b := n.b
	square := b.emit(onnx.Node{Op: "ConstantOfShape"}, tensor.F32, []int{-1, -1}, []*Value{Concat(0, n, n)})
	return b.node("EyeLike", []int{-1, -1}, []*Value{square}, attr("dtype", 1))
}

// Product multiplies a list of integers to a list of one.
func Product(xs *Value) *Value {
	return xs.b.emit(onnx.Node{Op: "ReduceProd", Attrs: []onnx.Attr{attr("keepdims", 1)}}, tensor.I64, []int{1}, []*Value{xs})
}

// Repeat stacks x, whose first dimension is 1, n times, where n [1] is known only when running and may be 0 (MatMul does not
// broadcast towards an empty dimension).
func Repeat(x, n *Value) *Value {
	zeros := x.b.emit(onnx.Node{Op: "ConstantOfShape", Attrs: []onnx.Attr{attr("value", tensor.OfInts([]int64{0}, 1))}}, tensor.I64, []int{-1}, []*Value{n})
	return Gather(x, zeros)
}
