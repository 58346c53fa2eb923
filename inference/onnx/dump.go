package onnx

import (
	"fmt"
	"io"
	"strings"

	"realword/inference/tensor"
)

// Dump writes the model as text, one line per input, output, initializer and node. Names of intermediate values are kept, so
// the text shows the path of the data; it is made for reading and for comparing with a golden file, not for reading back.
func (m *Model) Dump(w io.Writer) error {
	var b strings.Builder
	g := &m.Graph
	fmt.Fprintf(&b, "graph %s opset %d\n", g.Name, Opset)
	for _, v := range g.Inputs {
		fmt.Fprintf(&b, "in   %s %s\n", v.Name, shapeText(v.DType.String(), v.Shape, v.Dims))
	}
	for _, v := range g.Outputs {
		fmt.Fprintf(&b, "out  %s %s\n", v.Name, shapeText(v.DType.String(), v.Shape, v.Dims))
	}
	for _, t := range g.Initializers {
		where := "inline"
		if t.Data == nil {
			where = t.File
		}
		fmt.Fprintf(&b, "init %s %s %s\n", t.Name, shapeText(t.DType.String(), t.Shape, nil), where)
	}
	for _, n := range g.Nodes {
		op := n.Op
		if n.Domain != "" {
			op = n.Domain + "." + op
		}
		for i, a := range n.Attrs {
			sep := ", "
			if i == 0 {
				sep = " {"
			}
			value := a.Value
			if t, ok := value.(*tensor.Tensor); ok {
				value = fmt.Sprint(t.F32, t.I64)
			}
			op += fmt.Sprintf("%s%s=%v", sep, a.Name, value)
		}
		if len(n.Attrs) > 0 {
			op += "}"
		}
		fmt.Fprintf(&b, "%s = %s(%s)\n", strings.Join(n.Outputs, ", "), op, strings.Join(n.Inputs, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
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
