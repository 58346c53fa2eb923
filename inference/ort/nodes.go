package ort

import (
	"errors"
	"os"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"realword/inference/ort/internal/native"
	"realword/inference/session"
)

// Node is an operator of a graph that the library gave to the processor although the runtime computes on another device.
type Node struct {
	Op, Name string
	Shapes   bool // it computes with integers or truth values alone, as shapes are
}

// LeftToCPU opens a graph and lists the nodes that would run on the processor, those in branches included. Constants that are computed
// when a graph is opened are not among them.
func (r *Runtime) LeftToCPU(path string, opts session.Options) (list []Node, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	numbers, err := computedNumbers(data)
	if err != nil {
		return nil, err
	}
	g, err := r.open(path, opts, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	assigned, err := native.Assignments(g.s)
	if err != nil {
		return nil, err
	}
	for _, a := range assigned {
		if r.device != nil && a.Provider == "CPUExecutionProvider" {
			numeric, known := numbers[a.Name]
			// What the library added itself rearranges shapes, and forWebGPU asks for one; everything else that is unknown counts as numbers.
			list = append(list, Node{a.Op, a.Name, known && !numeric || !known &&
				(a.Op == "Gather" || strings.HasPrefix(a.Name, "realword.channels"))})
		}
	}
	return list, nil
}

// computedNumbers tells of every named node of a graph file whether any of its results is floating-point numbers. Results of which that
// cannot be seen count as such.
func computedNumbers(file []byte) (map[string]bool, error) {
	t := elementTypes{integer: map[string]bool{}, numeric: map[string]bool{}}
	err := eachField(file, func(field protowire.Number, body []byte, _ uint64) error {
		if field == modelGraph {
			return t.graph(body)
		}
		return nil
	})
	return t.numeric, err
}

type elementTypes struct {
	integer map[string]bool // values that are integers or truth values
	numeric map[string]bool // nodes by name
}

// graph goes through a graph, or a branch, whose nodes come in an order in which they can run.
func (t elementTypes) graph(graph []byte) error {
	var nodes [][]byte
	err := eachField(graph, func(field protowire.Number, body []byte, _ uint64) error {
		switch field {
		case graphInitializer:
			w, _, err := readWeight(body)
			t.integer[w.name] = whole(w.dtype)
			return err
		case graphInput:
			var name string
			var kind uint64
			err := eachField(body, func(field protowire.Number, body []byte, _ uint64) error {
				switch field {
				case valueName:
					name = string(body)
				case valueType:
					return eachField(body, func(field protowire.Number, body []byte, _ uint64) error {
						return eachField(body, func(inner protowire.Number, _ []byte, n uint64) error {
							if field == typeTensor && inner == tensorElem {
								kind = n
							}
							return nil
						})
					})
				}
				return nil
			})
			t.integer[name] = whole(kind)
			return err
		case graphNode:
			nodes = append(nodes, body)
		}
		return nil
	})
	for _, n := range nodes {
		err = errors.Join(err, t.node(n))
	}
	return err
}

// whole tells whether an element type of onnx.proto is one of integers or truth values.
func whole(kind uint64) bool {
	const float, half, double, bfloat = 1, onnxF16, 11, onnxBF16
	return kind != 0 && !slices.Contains([]uint64{float, half, double, bfloat}, kind)
}

func (t elementTypes) node(body []byte) error {
	n, err := readNode(body)
	if err != nil {
		return err
	}
	var name string
	branches, inBranches := 0, true
	constant := uint64(1) // of ConstantOfShape: float32 where nothing is said
	err = eachField(body, func(field protowire.Number, body []byte, _ uint64) error {
		switch field {
		case nodeName:
			name = string(body)
		case nodeAttribute:
			return eachField(body, func(field protowire.Number, body []byte, _ uint64) error {
				switch field {
				case attributeGraph:
					branches++
					if err := t.graph(body); err != nil {
						return err
					}
					return eachField(body, func(field protowire.Number, body []byte, _ uint64) error {
						if field != graphOutput {
							return nil
						}
						return eachField(body, func(field protowire.Number, body []byte, _ uint64) error {
							if field == valueName {
								inBranches = inBranches && t.integer[string(body)]
							}
							return nil
						})
					})
				case attributeOne:
					w, _, err := readWeight(body)
					constant = w.dtype
					return err
				}
				return nil
			})
		}
		return nil
	})
	integer := false
	switch {
	case branches > 0:
		integer = inBranches
	case slices.Contains([]string{
		"Shape", "Size", "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "And", "Or", "Not", "NonZero",
		"ArgMax",
	}, n.op):
		integer = true
	case n.op == "Cast":
		integer = whole(uint64(n.numbers["to"]))
	case n.op == "ConstantOfShape" || n.op == "Constant":
		integer = whole(constant)
	case n.op == "EyeLike" && n.numbers["dtype"] != 0:
		integer = whole(uint64(n.numbers["dtype"]))
	case n.op == "Where" && len(n.in) == 3:
		integer = t.integer[n.in[1]]
	case len(n.in) > 0:
		integer = t.integer[n.in[0]]
	}
	for _, out := range n.out {
		t.integer[out] = integer
	}
	t.numeric[name] = !integer
	return err
}
