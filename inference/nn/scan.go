package nn

import (
	"fmt"
	"maps"

	"realword/inference/onnx"
	"realword/inference/tensor"
)

// Scan runs body once for every entry of dimension 0 of xs, one after the other, and stacks its results along a new dimension
// 0: what a run needs beside the results is there once, not once per entry. body is given the entries, one of each of xs, and
// may use values from around it. Its own values must not be used outside. Parameters that it asks for are stored in it; see
// Branch. All of xs have the same number of entries.
func Scan(xs []*Value, body func(entries []*Value) []*Value) []*Value {
	b := xs[0].b
	outer := b.frame
	b.frame = frame{params: maps.Clone(outer.params)}
	name := b.unique("scan")
	node := onnx.Node{Op: "Scan", Name: name}
	var entries []*Value
	var inputs []onnx.ValueInfo
	for i, x := range xs {
		e := &Value{b: b, name: b.unique(fmt.Sprintf("%s.in.%d", name, i)), Shape: x.Shape[1:], DType: x.DType}
		entries = append(entries, e)
		inputs = append(inputs, onnx.ValueInfo{Name: e.name, DType: e.DType, Shape: e.Shape})
		node.Inputs = append(node.Inputs, x.name)
	}
	inner := body(entries)
	graph, outs := b.close(name+".body", inner)
	graph.Inputs = inputs
	b.frame = outer
	node.Attrs = []onnx.Attr{attr("body", graph), attr("num_scan_inputs", len(xs))}
	results := make([]*Value, len(inner))
	for i, v := range inner {
		shape := append([]int{xs[0].Dim(0)}, v.Shape...)
		results[i] = &Value{b: b, name: b.unique(outs[i].Name + ".all"), Shape: shape, DType: v.DType}
		node.Outputs = append(node.Outputs, results[i].name)
	}
	b.nodes = append(b.nodes, node)
	return results
}

// Last returns the last entry of an axis, which stays with size 1.
func Last(x *Value, axis int) *Value {
	b := x.b
	shape := append([]int(nil), x.Shape...)
	shape[axis] = 1
	return b.emit(onnx.Node{Op: "Slice"}, x.DType, shape, []*Value{x, b.Ints(-1), b.Ints(1 << 31), b.Ints(axis)})
}

// Pad puts zeros before and after an axis; a negative number takes entries away.
func Pad(x *Value, axis, before, after int) *Value {
	b := x.b
	shape := append([]int(nil), x.Shape...)
	if shape[axis] >= 0 {
		shape[axis] += before + after
	}
	return b.emit(onnx.Node{Op: "Pad"}, x.DType, shape, []*Value{x, b.Ints(before, after), nil, b.Ints(axis)})
}

// Sqrt is elementwise.
func Sqrt(x *Value) *Value { return unary("Sqrt", x) }

// Moments returns mean and variance of each of groups of channels of x [1 C H W], each [1 groups 1].
func Moments(x *Value, groups int) (mean, variance *Value) {
	b := x.b
	grouped := Reshape(x, b.Ints(0, groups, -1), x.Dim(0), groups, -1)
	average := func(v *Value) *Value {
		return b.emit(onnx.Node{Op: "ReduceMean", Attrs: []onnx.Attr{attr("keepdims", 1)}}, tensor.F32, []int{x.Dim(0), groups, 1},
			[]*Value{v, b.Ints(2)})
	}
	mean = average(grouped)
	d := Sub(grouped, mean)
	return mean, average(Mul(d, d))
}
