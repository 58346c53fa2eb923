package network

import (
	"fmt"
	"strings"

	"realword/inference/onnx"
	"realword/inference/tensor"
)

// dump writes the model as text, one line per input, output, initializer and node. Names of intermediate values are kept, so
// the text shows the path of the data; it is made for reading and for comparing with a golden file, not for reading back.
func dump(m *onnx.Model) string {
	var b strings.Builder
	fmt.Fprintf(&b, "graph %s opset %d\n", m.Graph.Name, onnx.Opset)
	dumpGraph(&b, &m.Graph, "")
	return b.String()
}

// dumpGraph writes the graph's lines, each after indent; branches follow their node.
func dumpGraph(b *strings.Builder, g *onnx.Graph, indent string) {
	for _, v := range g.Inputs {
		fmt.Fprintf(b, indent+"in   %s %s\n", v.Name, shapeText(v.DType.String(), v.Shape, v.Dims))
	}
	for _, v := range g.Outputs {
		fmt.Fprintf(b, indent+"out  %s %s\n", v.Name, shapeText(v.DType.String(), v.Shape, v.Dims))
	}
	for _, t := range g.Initializers {
		where := "inline"
		if t.Data == nil {
			where = t.File
		}
		fmt.Fprintf(b, indent+"init %s %s %s\n", t.Name, shapeText(t.DType.String(), t.Shape, nil), where)
	}
	for _, n := range g.Nodes {
		op := n.Op
		var branches []*onnx.Graph
		if n.Domain != "" {
			op = n.Domain + "." + op
		}
		for i, a := range n.Attrs {
			sep := ", "
			if i == 0 {
				sep = " {"
			}
			value := a.Value
			switch v := value.(type) {
			case *tensor.Tensor:
				value = fmt.Sprint(v.F32, v.I64)
			case *onnx.Graph:
				value = v.Name
				branches = append(branches, v)
			}
			op += fmt.Sprintf("%s%s=%v", sep, a.Name, value)
		}
		if len(n.Attrs) > 0 {
			op += "}"
		}
		fmt.Fprintf(b, indent+"%s = %s(%s)\n", strings.Join(n.Outputs, ", "), op, strings.Join(n.Inputs, ", "))
		for _, branch := range branches {
			fmt.Fprintf(b, indent+"  %s:\n", branch.Name)
			dumpGraph(b, branch, indent+"    ")
		}
	}
}

func shapeText(dtype string, shape []int, names []string) string {
	dims := make([]string, len(shape))
	for i, d := range shape {
		switch {
		case d >= 0:
			dims[i] = fmt.Sprint(d)
		case i < len(names) && names[i] != "":
			dims[i] = names[i]
		default:
			dims[i] = "?"
		}
	}
	return dtype + "[" + strings.Join(dims, " ") + "]"
}
