package nn

import (
	"fmt"
	"maps"

	"realword/inference/onnx"
	"realword/inference/tensor"
)

// Branch is a part of the graph that runs only when a flag says so. What is built between Begin and End belongs to it; such
// values must not be used afterwards, but for the results of End. Parameters that are asked for inside are stored in the branch:
// ONNX Runtime reorders the weights of convolutions for its fast kernels only in the graph that owns them.
type Branch struct {
	b     *Builder
	cond  *Value
	outer frame
}

// Begin opens a branch under flag, an integer [1]: not zero means that it runs.
func Begin(flag *Value) *Branch {
	b := flag.b
	br := &Branch{b: b, cond: condition(flag), outer: b.frame}
	b.frame = frame{params: maps.Clone(br.outer.params)}
	return br
}

// Condition makes the condition of a flag here, for all branches from now on and those within them, where the target is a device: in a
// branch, every run of it would fetch the condition to the host, and the device would wait meanwhile.
func Condition(flag *Value) {
	if flag.b.target != CPU {
		condition(flag)
	}
}

func condition(flag *Value) *Value {
	b, key := flag.b, "whether "+flag.name
	if b.params[key] == nil {
		b.params[key] = cast(flag, tensor.Bool)
	}
	return b.params[key]
}

// End closes the branch. Its results are then's where the flag is set, and otherwise's where it is not; both have the same
// number of values, types and ranks. otherwise is built as a branch of its own.
func (br *Branch) End(then []*Value, otherwise func() []*Value) []*Value {
	b := br.b
	name := b.unique("if")
	first, firstOut := b.close(name+".then", then)
	b.frame = frame{params: maps.Clone(br.outer.params)}
	other := otherwise()
	second, _ := b.close(name+".else", other)
	b.frame = br.outer
	if len(then) != len(other) {
		Fail("the branches of %s have %d and %d results", name, len(then), len(other))
	}
	node := onnx.Node{
		Op: "If", Name: name, Inputs: []string{br.cond.name},
		Attrs: []onnx.Attr{attr("then_branch", first), attr("else_branch", second)},
	}
	results := make([]*Value, len(then))
	for i, v := range then {
		shape := append([]int(nil), v.Shape...)
		if len(shape) != len(other[i].Shape) || v.DType != other[i].DType {
			Fail("result %d of %s is %v %s in one branch and %v %s in the other", i, name, v.DType, shapeString(shape), other[i].DType,
				shapeString(other[i].Shape))
		}
		for d, n := range other[i].Shape {
			if shape[d] != n {
				shape[d] = -1
			}
		}
		results[i] = &Value{b: b, name: b.unique(firstOut[i].Name + ".chosen"), Shape: shape, DType: v.DType}
		node.Outputs = append(node.Outputs, results[i].name)
	}
	b.nodes = append(b.nodes, node)
	return results
}

// If builds both branches at once; see Begin and End.
func If(flag *Value, then, otherwise func() []*Value) []*Value {
	br := Begin(flag)
	return br.End(then(), otherwise)
}

// close makes the current frame a graph with the given results.
func (b *Builder) close(name string, results []*Value) (*onnx.Graph, []onnx.ValueInfo) {
	var outputs []onnx.ValueInfo
	for i, v := range results {
		out := b.unique(fmt.Sprintf("%s.%d", name, i)) // a branch cannot give out a value of the graph around it as it is
		b.nodes = append(b.nodes, onnx.Node{Op: "Identity", Name: out, Inputs: []string{v.name}, Outputs: []string{out}})
		outputs = append(outputs, onnx.ValueInfo{Name: out, DType: v.DType, Shape: v.Shape})
	}
	b.prune(outputs)
	return &onnx.Graph{Name: name, Nodes: append(b.casts, b.nodes...), Initializers: b.inits, Outputs: outputs}, outputs
}
