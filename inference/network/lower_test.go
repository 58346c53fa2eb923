package network

import (
	"fmt"

	"realword/inference/onnx"
	"realword/inference/tensor"
)

// lowered is the model with the operators that only CUDA has replaced by plain ONNX operators that mean the same by the
// documentation of ONNX Runtime's contrib operators (NhwcConv, GroupNorm, BiasSplitGelu), so that the CPU provider can run it.
// dtype is the type of their activations. used counts what was replaced.
func lowered(m *onnx.Model, dtype tensor.DType) (plain *onnx.Model, used map[string]int) {
	l := &lowering{dtype: dtype, used: map[string]int{}}
	out := *m
	out.Graph = *l.graph(&m.Graph)
	return &out, l.used
}

type lowering struct {
	dtype tensor.DType
	used  map[string]int
	names int
	to    *onnx.Graph // where nodes go
}

func (l *lowering) graph(g *onnx.Graph) *onnx.Graph {
	outer := l.to
	defer func() { l.to = outer }()
	out := *g
	out.Nodes = nil
	l.to = &out
	for _, n := range g.Nodes {
		l.node(n)
	}
	return &out
}

func (l *lowering) node(n onnx.Node) {
	attr := map[string]any{}
	for i, a := range n.Attrs {
		attr[a.Name] = a.Value
		if branch, ok := a.Value.(*onnx.Graph); ok {
			n.Attrs = append([]onnx.Attr(nil), n.Attrs...)
			n.Attrs[i].Value = l.graph(branch)
		}
	}
	var y string
	switch {
	case n.Domain != onnx.Microsoft:
	case n.Op == "NhwcConv": // X [N h w C], W [Out kh kw C], bias [Out] -> [N h w Out]
		inputs := append([]string{l.op("Transpose", n.Inputs[:1], perm(0, 3, 1, 2)), l.op("Transpose", n.Inputs[1:2], perm(0, 3, 1, 2))}, n.Inputs[2:]...)
		y = l.op("Transpose", []string{l.op("Conv", inputs, n.Attrs...)}, perm(0, 2, 3, 1))
	case n.Op == "GroupNorm": // X [N h w C], gamma [C], beta [C] -> the same, with SiLU where activation is 1
		x := l.op("Transpose", []string{l.cast(n.Inputs[0], tensor.F32)}, perm(0, 3, 1, 2))
		grouped := l.op("Reshape", []string{x, l.ints(0, attr["groups"].(int), -1)})
		mean := l.op("ReduceMean", []string{grouped, l.ints(2)})
		d := l.op("Sub", []string{grouped, mean})
		variance := l.op("ReduceMean", []string{l.op("Mul", []string{d, d}), l.ints(2)})
		sigma := l.op("Sqrt", []string{l.op("Add", []string{variance, l.number(attr["epsilon"].(float32))})})
		normed := l.op("Reshape", []string{l.op("Div", []string{d, sigma}), l.op("Shape", []string{x})})
		y = l.op("Transpose", []string{normed}, perm(0, 2, 3, 1))
		y = l.op("Add", []string{l.op("Mul", []string{y, n.Inputs[1]}), n.Inputs[2]})
		if attr["activation"] == 1 {
			y = l.op("Mul", []string{y, l.op("Sigmoid", []string{y})})
		}
		y = l.cast(y, l.dtype)
	case n.Op == "BiasSplitGelu": // X [N S D], bias [D] -> left · GELU(right) [N S D/2]
		x := l.op("Add", []string{l.cast(n.Inputs[0], tensor.F32), l.cast(n.Inputs[1], tensor.F32)})
		left, right := l.name(), l.name()
		l.to.Nodes = append(l.to.Nodes, onnx.Node{
			Op: "Split", Inputs: []string{x}, Outputs: []string{left, right},
			Attrs: []onnx.Attr{{Name: "axis", Value: -1}, {Name: "num_outputs", Value: 2}},
		})
		erf := l.op("Erf", []string{l.op("Mul", []string{right, l.number(0.70710678)})})
		gelu := l.op("Mul", []string{l.op("Mul", []string{right, l.number(0.5)}), l.op("Add", []string{erf, l.number(1)})})
		y = l.cast(l.op("Mul", []string{left, gelu}), l.dtype)
	}
	if y == "" {
		l.to.Nodes = append(l.to.Nodes, n)
		return
	}
	l.used[n.Op]++
	l.to.Nodes = append(l.to.Nodes, onnx.Node{Op: "Identity", Inputs: []string{y}, Outputs: n.Outputs})
}

// op appends a node and returns the name of its result.
func (l *lowering) op(op string, inputs []string, attrs ...onnx.Attr) string {
	out := l.name()
	l.to.Nodes = append(l.to.Nodes, onnx.Node{Op: op, Inputs: inputs, Outputs: []string{out}, Attrs: attrs})
	return out
}

func (l *lowering) name() string {
	l.names++
	return fmt.Sprintf("lowered.%d", l.names)
}

func (l *lowering) cast(x string, to tensor.DType) string {
	return l.op("Cast", []string{x}, onnx.Attr{Name: "to", Value: onnx.Element(to)})
}

func (l *lowering) ints(xs ...int) string {
	data := make([]int64, len(xs))
	for i, x := range xs {
		data[i] = int64(x)
	}
	return l.constant(tensor.OfInts(data, len(data)))
}

func (l *lowering) number(x float32) string { return l.constant(tensor.Of([]float32{x})) }

func (l *lowering) constant(t *tensor.Tensor) string {
	name := l.name()
	l.to.Initializers = append(l.to.Initializers, onnx.Initializer{Name: name, DType: t.DType, Shape: t.Shape, Data: t})
	return name
}

func perm(axes ...int) onnx.Attr { return onnx.Attr{Name: "perm", Value: axes} }
