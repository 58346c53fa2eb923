package ort

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"realword/inference/onnx"
	"realword/inference/session"
	"realword/inference/tensor"
)

// changer rewrites a graph so that inputs change some of its weights.
type changer struct {
	changes map[string]session.Change
	stored  map[string]weight   // initializers by name
	from    map[string]string   // what a Cast or a Transpose gives -> what it reads
	cast    map[string]uint64   // what a Cast gives -> its type
	turned  map[string]bool     // what a Transpose gives
	byCast  map[string]bool     // initializers that a Cast reads
	taken   map[string]bool     // keys whose change was put in
	ports   []session.Port      // that come in
	inputs  map[string]struct{} // their names
}

func newChanger(m *model, changes map[string]session.Change) (*changer, error) {
	if len(changes) == 0 {
		return nil, nil
	}
	c := &changer{
		changes: changes, stored: map[string]weight{}, from: map[string]string{}, cast: map[string]uint64{}, turned: map[string]bool{},
		byCast: map[string]bool{}, taken: map[string]bool{}, inputs: map[string]struct{}{},
	}
	for _, w := range m.weights {
		c.stored[w.name] = w
	}
	return c, eachField(m.bytes, func(field protowire.Number, graph []byte, _ uint64) error {
		if field != modelGraph {
			return nil
		}
		return c.scan(graph)
	})
}

// scan follows weights through what converts them, in the branches, too. parseModel has looked at the depth.
func (c *changer) scan(graph []byte) error {
	return eachField(graph, func(field protowire.Number, body []byte, _ uint64) error {
		if field != graphNode {
			return nil
		}
		n, err := readNode(body)
		if err != nil {
			return err
		}
		if (n.op == "Cast" || n.op == "Transpose") && len(n.in) == 1 && len(n.out) == 1 {
			c.from[n.out[0]] = n.in[0]
			if n.op == "Cast" {
				c.cast[n.out[0]] = uint64(n.numbers["to"])
				c.byCast[n.in[0]] = true
			} else {
				c.turned[n.out[0]] = true
			}
		}
		return eachField(body, func(field protowire.Number, body []byte, _ uint64) error {
			if field != nodeAttribute {
				return nil
			}
			return eachField(body, func(field protowire.Number, body []byte, _ uint64) error {
				if field == attributeGraph {
					return c.scan(body)
				}
				return nil
			})
		})
	})
}

// weightOf finds the stored weight that a value is, the type in which it is computed with, and whether it was transposed.
func (c *changer) weightOf(value string) (w weight, dtype uint64, turned, ok bool) {
	for range 4 {
		if w, ok = c.stored[value]; ok {
			if dtype == 0 {
				dtype = w.dtype
			}
			return w, dtype, turned, true
		}
		if dtype == 0 {
			dtype = c.cast[value]
		}
		turned = turned || c.turned[value]
		if value, ok = c.from[value]; !ok {
			return w, 0, false, false
		}
	}
	return w, 0, false, false
}

// input declares an input once.
func (c *changer) input(name string, shape ...int) string {
	if _, is := c.inputs[name]; !is {
		c.inputs[name] = struct{}{}
		c.ports = append(c.ports, session.Port{Name: name, DType: tensor.F32, Shape: shape})
	}
	return name
}

// replaced returns the nodes that take the place of an initializer, nil where it stays.
func (c *changer) replaced(w weight) [][]byte {
	key := session.KeyOf(w.name)
	if c == nil || c.changes[key] != session.Replaced {
		return nil
	}
	c.taken[key] = true
	shape := w.name + " realword.shape"
	dims := make([]int64, len(w.dims))
	for i, d := range w.dims {
		dims[i] = int64(d)
	}
	in := c.input(key+session.WholeWeight, tensor.Count(w.dims))
	constant := onnx.Node{
		Op: "Constant", Name: shape, Outputs: []string{shape},
		Attrs: []onnx.Attr{{Name: "value", Value: tensor.OfInts(dims, len(dims))}},
	}
	if w.half() && !c.byCast[w.name] { // it is computed with as it is stored
		whole := w.name + " realword.whole"
		return [][]byte{
			constant.Marshal(), newNode("Reshape", whole, in, shape),
			with(newNode("Cast", w.name, whole), "to", int(w.dtype)),
		}
	}
	return [][]byte{constant.Marshal(), newNode("Reshape", w.name, in, shape)}
}

// added returns the nodes that take the place of one, which is often the node itself: where it multiplies with a weight that is
// changed, a product in few ranks is added to what it gives.
func (c *changer) added(body []byte) ([][]byte, error) {
	same := [][]byte{body}
	if c == nil {
		return same, nil
	}
	n, err := readNode(body)
	if err != nil || len(n.in) < 2 || len(n.out) != 1 {
		return same, err
	}
	linear := n.op == "FusedMatMul" && n.numbers["transB"] == 1
	if !linear && n.op != "Conv" && n.op != "NhwcConv" {
		return same, nil
	}
	w, dtype, turned, ok := c.weightOf(n.in[1])
	key := session.KeyOf(w.name)
	if !ok || c.changes[key] != session.Added || len(w.dims) < 2 {
		return same, nil
	}
	c.taken[key] = true
	dims := w.dims
	if n.op == "NhwcConv" && !turned && len(dims) == 4 { // of 1 × 1, the channels last
		dims = []int{dims[0], dims[3], 1, 1}
	}
	a := c.input(key+session.FactorA, append([]int{-1}, dims[1:]...)...)
	b := c.input(key+session.FactorB, append([]int{dims[0], -1}, slices.Repeat([]int{1}, len(dims)-2)...)...)
	var nodes [][]byte
	prepared := func(what, in string) string {
		if dtype != onnxF32 {
			nodes = append(nodes, with(newNode("Cast", n.own(what+" cast"), in), "to", int(dtype)))
			in = n.own(what + " cast")
		}
		if n.op == "NhwcConv" {
			nodes = append(nodes, with(newNode("Transpose", n.own(what+" turned"), in), "perm", []int{0, 2, 3, 1}))
			in = n.own(what + " turned")
		}
		return in
	}
	a, b = prepared("a", a), prepared("b", b)
	plain, low, delta := n.own("plain"), n.own("low"), n.own("delta")
	base, err := again(body, n.in, plain)
	if err != nil {
		return nil, err
	}
	first, err := again(body, []string{n.in[0], a}, low)
	if err != nil {
		return nil, err
	}
	second := onnx.Node{Op: n.op, Domain: n.domain, Name: delta, Inputs: []string{low, b}, Outputs: []string{delta}}
	if linear {
		second.Attrs = []onnx.Attr{{Name: "transB", Value: 1}}
	} else {
		second.Attrs = []onnx.Attr{{Name: "kernel_shape", Value: []int{1, 1}}}
	}
	return append(nodes, base, first, second.Marshal(), newNode("Add", n.out[0], plain, delta)), nil
}

// again is a node with other inputs and another output, which is its name as well.
func again(body []byte, in []string, out string) ([]byte, error) {
	var node []byte
	for _, name := range in {
		node = protowire.AppendString(protowire.AppendTag(node, nodeInput, protowire.BytesType), name)
	}
	node = protowire.AppendString(protowire.AppendTag(node, nodeOutput, protowire.BytesType), out)
	node = protowire.AppendString(protowire.AppendTag(node, nodeName, protowire.BytesType), out)
	err := eachRaw(body, func(field protowire.Number, raw, _ []byte) error {
		if field != nodeInput && field != nodeOutput && field != nodeName {
			node = append(node, raw...)
		}
		return nil
	})
	return node, err
}

// finish declares the inputs and says which changes were not put in.
func (c *changer) finish(graph []byte) ([]byte, error) {
	if c == nil {
		return graph, nil
	}
	for _, key := range slices.Sorted(maps.Keys(c.changes)) {
		if !c.taken[key] {
			return nil, fmt.Errorf("its weight %s cannot be changed: the graph does not have it, or uses it in another way", key)
		}
	}
	for _, p := range c.ports {
		w := input{weight: weight{name: p.Name, dtype: onnxF32, dims: p.Shape}}
		graph = protowire.AppendBytes(protowire.AppendTag(graph, graphInput, protowire.BytesType), w.declare())
	}
	return graph, nil
}
