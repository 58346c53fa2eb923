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
	num := Float(eq)
	return b.emit(onnx.Node{Op: "ArgMax", Attrs: []onnx.Attr{attr("axis", 1), attr("keepdims", 0)}}, tensor.I64, []int{ids.Dim(0)},
		[]*Value{num})
}

// FirstMax returns, for ids [1 T], the first position of the largest value, as an index [1].
func FirstMax(ids *Value) *Value {
	b := ids.b
	return b.emit(onnx.Node{Op: "ArgMax", Attrs: []onnx.Attr{attr("axis", 1), attr("keepdims", 0)}}, tensor.I64, []int{ids.Dim(0)},
		[]*Value{ids})
}

// Identity returns the unit matrix whose size is the running number n [1].
func Identity(n *Value) *Value {
	b := n.b
	square := zeros(Concat(0, n, n), tensor.F32, -1, -1)
	return b.node("EyeLike", []int{-1, -1}, []*Value{square}, attr("dtype", 1))
}

// Product multiplies a list of integers to a list of one.
func Product(xs *Value) *Value {
	return xs.b.emit(onnx.Node{Op: "ReduceProd", Attrs: []onnx.Attr{attr("keepdims", 1)}}, tensor.I64, []int{1}, []*Value{xs})
}

// Largest returns the largest of a list of integers as a list of one.
func Largest(xs *Value) *Value {
	return xs.b.emit(onnx.Node{Op: "ReduceMax", Attrs: []onnx.Attr{attr("keepdims", 1)}}, tensor.I64, []int{1}, []*Value{xs})
}

// Scatter writes updates [R T C] at index [R T 2], pairs (r, row), into zeros [R N C], where N is the number of rows of like
// [1 N C]. Pairs must be distinct: ONNX Runtime adds duplicates up in no fixed order.
func Scatter(index, updates, like *Value) *Value {
	b := index.b
	shape := Concat(0, Slice(ShapeOf(updates), 0, 0, 1), Slice(ShapeOf(like), 0, 1, 3))
	empty := zeros(shape, updates.DType, updates.Dim(0), like.Dim(1), like.Dim(2))
	return b.node("ScatterND", empty.Shape, []*Value{empty, index, updates})
}

// zeros returns zeros of a running shape, of which known is known now.
func zeros(shape *Value, dtype tensor.DType, known ...int) *Value {
	fill := onnx.Node{Op: "ConstantOfShape"}
	if dtype != tensor.F32 {
		value := tensor.OfInts([]int64{0}, 1)
		if dtype != tensor.I64 {
			value = &tensor.Tensor{DType: dtype, Shape: []int{1}, F32: []float32{0}}
		}
		fill.Attrs = []onnx.Attr{attr("value", value)}
	}
	return shape.b.emit(fill, dtype, known, []*Value{shape})
}
