package ort

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"realword/inference/onnx"
	"realword/inference/tensor"
)

// lastAxis is the name of a constant that centring adds to a graph: the last axis, as an operator wants it.
const lastAxis = "realword.last_axis"

// operator is what a rewriting looks at in a node.
type operator struct {
	op, domain string
	in, out    []string
	numbers    map[string]float64 // attributes that are one number
}

func readNode(body []byte) (n operator, err error) {
	n.numbers = map[string]float64{}
	err = eachRaw(body, func(field protowire.Number, _, body []byte) error {
		switch field {
		case nodeOperator:
			n.op = string(body)
		case nodeDomain:
			n.domain = string(body)
		case nodeInput:
			n.in = append(n.in, string(body))
		case nodeOutput:
			n.out = append(n.out, string(body))
		case nodeAttribute:
			name, value, err := numberAttribute(body)
			n.numbers[name] = value
			return err
		}
		return nil
	})
	return n, err
}

// forWebGPU returns the nodes that take the place of one, which is often the node itself: what the WebGPU provider has no kernel for is
// put together from what it has, and what it computes badly is written out.
func (r *rewriter) forWebGPU(body []byte) ([][]byte, error) {
	n, err := readNode(body)
	if err != nil || len(n.out) != 1 {
		return [][]byte{body}, err
	}
	r.follow(n)
	switch {
	case n.domain == "" && n.op == "Cast" && r.mapped && n.numbers["to"] == onnxF32:
		if nodes := r.halves(n); nodes != nil {
			return nodes, nil
		}
	case n.domain == "" && n.op == "LayerNormalization" && len(n.in) >= 2:
		return r.centred(n, body)
	case n.domain == "" && n.op == "InstanceNormalization" && len(n.in) == 3:
		return r.instanceNorm(n), nil
	case n.domain == "" && n.op == "ConstantOfShape" && len(n.in) == 1:
		if value, is := filling(body); is {
			r.constants = append(r.constants, floatTensor(n.own("value"), value))
			return [][]byte{newNode("Expand", n.out[0], n.own("value"), n.in[0])}, nil
		}
	case n.domain == "com.microsoft" && n.op == "FusedMatMul" && len(n.in) == 2:
		if r.turned[n.in[1]] {
			n.numbers["transB"] = 0
		}
		if nodes := linear(n); nodes != nil {
			return nodes, nil
		}
	case n.domain == "com.microsoft" && n.op == "MultiHeadAttention" && len(n.in) == 3 && !r.fused:
		if nodes := r.attention(n); nodes != nil {
			return nodes, nil
		}
	}
	return [][]byte{body}, nil
}

// follow learns how many channels a value has, where a linear layer says so.
func (r *rewriter) follow(n operator) {
	if r.channels == nil {
		r.channels, r.rows = map[string]int{}, map[string]int{}
		for _, w := range r.m.weights {
			if len(w.dims) == 2 {
				r.rows[w.name] = w.dims[0]
			}
		}
	}
	known := func(m map[string]int, from int) {
		if v := m[n.in[from]]; v > 0 {
			if n.op == "Cast" {
				m[n.out[0]] = v
			} else {
				r.channels[n.out[0]] = v
			}
		}
	}
	switch {
	case n.op == "Cast" && len(n.in) == 1: // of a stored weight
		known(r.rows, 0)
	case n.op == "FusedMatMul" && len(n.in) == 2 && n.numbers["transB"] == 1:
		known(r.rows, 1)
	case n.op == "Add" && len(n.in) == 2:
		known(r.channels, 0)
	}
}

// own names a value that a rewriting of the node adds.
func (n operator) own(what string) string { return "realword." + what + "." + n.out[0] }

// centring are the nodes that take the mean off the first input, over the last axis: the graphs of Realword normalise over no other
// (package nn). The provider computes a variance as E[x²] - E[x]², which leaves nothing of it where the mean is large beside it.
func (r *rewriter) centring(n operator) [][]byte {
	r.means = true
	return [][]byte{
		newNode("ReduceMean", n.own("mean"), n.in[0], lastAxis), // its dimension stays, with size 1
		newNode("Sub", n.own("centred"), n.in[0], n.own("mean")),
	}
}

// centred is a LayerNormalization of centred numbers, of which the provider's variance is exact.
func (r *rewriter) centred(n operator, body []byte) ([][]byte, error) {
	first := true
	body, err := nested(body, nodeInput, func(name []byte) ([]byte, error) {
		if first {
			first = false
			return []byte(n.own("centred")), nil
		}
		return name, nil
	})
	return append(r.centring(n), body), err
}

// instanceNorm is an InstanceNormalization of [N C L] written out, because the provider's leaves epsilon out besides.
func (r *rewriter) instanceNorm(n operator) [][]byte {
	epsilon, given := n.numbers["epsilon"]
	if !given {
		epsilon = 1e-5
	}
	r.constants = append(r.constants, floatTensor(n.own("epsilon"), float32(epsilon)))
	scale, scaled := r.m.same[n.in[1]]
	bias, biased := r.m.same[n.in[2]]
	plain := scaled && biased && scale == 1 && bias == 0
	normed := n.own("normed")
	if plain {
		normed = n.out[0]
	}
	nodes := append(r.centring(n),
		newNode("Mul", n.own("square"), n.own("centred"), n.own("centred")),
		newNode("ReduceMean", n.own("variance"), n.own("square"), lastAxis),
		newNode("Add", n.own("above"), n.own("variance"), n.own("epsilon")),
		newNode("Sqrt", n.own("deviation"), n.own("above")),
		newNode("Div", normed, n.own("centred"), n.own("deviation")))
	if !plain {
		nodes = append(nodes,
			newNode("Unsqueeze", n.own("scale"), n.in[1], lastAxis),
			newNode("Unsqueeze", n.own("bias"), n.in[2], lastAxis),
			newNode("Mul", n.own("scaled"), normed, n.own("scale")),
			newNode("Add", n.out[0], n.own("scaled"), n.own("bias")))
	}
	return nodes
}

// filling is the number that a ConstantOfShape of float32 repeats. The provider has no kernel for it, so that zeros of the size of an
// image would be made by the processor; an Expand does the same.
func filling(body []byte) (value float32, is bool) {
	is = true // 0 where nothing is said
	err := eachField(body, func(field protowire.Number, body []byte, _ uint64) error {
		if field != nodeAttribute {
			return nil
		}
		return eachField(body, func(field protowire.Number, body []byte, _ uint64) error {
			if field == attributeOne {
				_, value, is = sameFloats(body)
			}
			return nil
		})
	})
	return value, is && err == nil
}

// linear is x·Wᵀ, of which the provider has no kernel, by a transposition of W, which is done once where W is constant. It is nil where
// the node asks for more.
func linear(n operator) [][]byte {
	for name, value := range n.numbers {
		if !(name == "transB" && value == 1 || name == "alpha" && value == 1 || name != "alpha" && value == 0) {
			return nil
		}
	}
	if n.numbers["transB"] == 0 {
		return [][]byte{newNode("MatMul", n.out[0], n.in[0], n.in[1])}
	}
	return [][]byte{
		with(newNode("Transpose", n.own("transposed"), n.in[1]), "perm", []int{1, 0}),
		newNode("MatMul", n.out[0], n.in[0], n.own("transposed")),
	}
}

// halves is the Cast of a matrix that stays on the card in half precision, transposed for linear when the graph is opened, and becomes
// float32 in every pass: numbers are the same, and a model takes half of the card's memory. ONNX Runtime would make a constant of the
// Cast, too; it does not because of a Reshape to the shape that the matrix has, which is an input with a default that nobody gives.
// It is nil for other matrices than those that the provider can cast.
func (r *rewriter) halves(n operator) [][]byte {
	w, is := r.m.linear[n.in[0]]
	if !is || w.dtype != onnxF16 || len(w.dims) != 2 || w.length < large {
		return nil
	}
	shape := fmt.Sprintf("realword.shape.%d.%d", w.dims[1], w.dims[0])
	if !slices.ContainsFunc(r.inputs, func(in input) bool { return in.name == shape }) {
		r.inputs = append(r.inputs, input{
			weight{name: shape, dtype: onnxI64, dims: []int{2}}, intTensor(shape, int64(w.dims[1]), int64(w.dims[0])),
		})
	}
	if r.turned == nil {
		r.turned = map[string]bool{}
	}
	r.turned[n.out[0]] = true
	return [][]byte{
		with(newNode("Transpose", n.own("transposed"), w.name), "perm", []int{1, 0}),
		newNode("Reshape", n.own("half"), n.own("transposed"), shape),
		with(newNode("Cast", n.out[0], n.own("half")), "to", onnxF32),
	}
}

// attention is a MultiHeadAttention of [B N heads·d] written out, for a device whose fused one computes wrong. It is nil where the node
// asks for more.
func (r *rewriter) attention(n operator) [][]byte {
	heads := n.numbers["num_heads"]
	if heads < 1 || len(n.numbers) > 1 {
		return nil
	}
	r.constants = append(r.constants, intTensor(n.own("split"), 0, 0, int64(heads), -1), intTensor(n.own("merge"), 0, 0, -1))
	split := func(what, in string, perm ...int) [][]byte {
		return [][]byte{
			newNode("Reshape", n.own(what+" by head"), in, n.own("split")),
			with(newNode("Transpose", n.own(what), n.own(what+" by head")), "perm", perm),
		}
	}
	var nodes [][]byte
	if c := r.channels[n.in[0]]; c > 0 {
		r.constants = append(r.constants, floatTensor(n.own("root"), float32(math.Sqrt(float64(c)/heads))))
	} else { // the library knows it, mostly when the graph is opened
		r.constants = append(r.constants, floatTensor(n.own("share"), float32(1/heads)))
		nodes = append(nodes,
			with(newNode("Shape", n.own("channels"), n.in[0]), "start", 2),
			with(newNode("Cast", n.own("channels as number"), n.own("channels")), "to", onnxF32),
			newNode("Mul", n.own("d"), n.own("channels as number"), n.own("share")),
			newNode("Sqrt", n.own("root"), n.own("d")))
	}
	nodes = append(nodes, split("q", n.in[0], 0, 2, 1, 3)...)
	nodes = append(nodes, split("k", n.in[1], 0, 2, 3, 1)...)
	nodes = append(nodes, split("v", n.in[2], 0, 2, 1, 3)...)
	return append(nodes,
		newNode("Div", n.own("scaled"), n.own("q"), n.own("root")),
		newNode("MatMul", n.own("logits"), n.own("scaled"), n.own("k")),
		with(newNode("Softmax", n.own("probabilities"), n.own("logits")), "axis", -1),
		newNode("MatMul", n.own("attended"), n.own("probabilities"), n.own("v")),
		with(newNode("Transpose", n.own("attended by head"), n.own("attended")), "perm", []int{0, 2, 1, 3}),
		newNode("Reshape", n.out[0], n.own("attended by head"), n.own("merge")))
}

// numberAttribute reads an attribute that is a number; of others the value is 0.
func numberAttribute(body []byte) (name string, value float64, err error) {
	for len(body) > 0 {
		field, kind, n := protowire.ConsumeTag(body)
		if n < 0 {
			return "", 0, errBroken
		}
		body = body[n:]
		size := protowire.ConsumeFieldValue(field, kind, body)
		if size < 0 {
			return "", 0, errBroken
		}
		switch {
		case field == attributeName && kind == protowire.BytesType:
			text, _ := protowire.ConsumeBytes(body)
			name = string(text)
		case field == attributeFloat && kind == protowire.Fixed32Type:
			bits, _ := protowire.ConsumeFixed32(body)
			value = float64(math.Float32frombits(bits))
		case field == attributeInt && kind == protowire.VarintType:
			bits, _ := protowire.ConsumeVarint(body)
			value = float64(int64(bits))
		}
		body = body[size:]
	}
	return name, value, nil
}

// Fields of AttributeProto.
const (
	attributeName  = 1
	attributeFloat = 2
	attributeInt   = 3
	onnxF32        = 1
	onnxI64        = 7
)

// with appends an attribute, of a kind that onnx.Attr knows, to a node.
func with(node []byte, name string, value any) []byte {
	a := onnx.Attr{Name: name, Value: value}
	return protowire.AppendBytes(protowire.AppendTag(node, nodeAttribute, protowire.BytesType), a.Marshal())
}

// sameFloats tells whether an initializer in the graph file is float32 with one value throughout, and which.
func sameFloats(body []byte) (name string, value float32, same bool) {
	const floatData, rawData = 4, 9
	var kind uint64
	var data []byte
	err := eachField(body, func(field protowire.Number, body []byte, n uint64) error {
		switch field {
		case tensorName:
			name = string(body)
		case tensorType:
			kind = n
		case floatData, rawData: // both little-endian, packed
			data = append(data, body...)
		}
		return nil
	})
	if err != nil || kind != onnxF32 || len(data) < 4 || len(data)%4 != 0 {
		return name, 0, false
	}
	first := binary.LittleEndian.Uint32(data)
	for ; len(data) > 0; data = data[4:] {
		if binary.LittleEndian.Uint32(data) != first {
			return name, 0, false
		}
	}
	return name, math.Float32frombits(first), true
}

// newNode is a node without attributes, called as its output.
func newNode(op, out string, in ...string) []byte {
	n := onnx.Node{Op: op, Name: out, Inputs: in, Outputs: []string{out}}
	return n.Marshal()
}

// intTensor is an initializer of integers.
func intTensor(name string, values ...int64) []byte {
	t := onnx.Initializer{Name: name, DType: tensor.I64, Shape: []int{len(values)}, Data: tensor.OfInts(values, len(values))}
	return t.Marshal()
}

// floatTensor is an initializer of one number.
func floatTensor(name string, value float32) []byte {
	t := onnx.Initializer{Name: name, DType: tensor.F32, Data: tensor.Of([]float32{value})}
	return t.Marshal()
}
