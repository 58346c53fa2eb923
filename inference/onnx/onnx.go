// Package onnx describes ONNX models as plain Go values and writes them: as protobuf bytes with weights left in external
// files, and as text for people and golden tests.
//
// Contract: it knows the file format and nothing about networks. The same value gives the same bytes. Field numbers follow
// onnx.proto3 of ONNX 1.16 (IR version 10).
package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"realword/inference/tensor"
)

// IRVersion and Opset are what every model written here declares. ONNX Runtime's CUDA provider has kernels for all of opset 18; of
// some operators of 19 and 20 (Pad, ConstantOfShape) it has none, and would compute them on the host.
const (
	IRVersion = 10
	Opset     = 18
)

// Microsoft is the domain of ONNX Runtime's own operators.
const Microsoft = "com.microsoft"

// Model is a whole file.
type Model struct {
	Producer string
	Graph    Graph
	Metadata []Entry
}

// Entry is a key with its value.
type Entry struct{ Key, Value string }

// Graph is a list of nodes in an order in which they can run.
type Graph struct {
	Name         string
	Nodes        []Node
	Initializers []Initializer
	Inputs       []ValueInfo
	Outputs      []ValueInfo
}

// Node is one operator. An empty input name leaves an optional input out.
type Node struct {
	Op      string
	Domain  string // "" is ai.onnx
	Name    string
	Inputs  []string
	Outputs []string
	Attrs   []Attr
}

// Attr is an attribute; Value is int, float32, string, []int, []float32, *tensor.Tensor or, for the branches of If, *Graph.
type Attr struct {
	Name  string
	Value any
}

// Initializer is a constant of the graph: either Data (numbers kept in the model file as DType, or int64) or a part of an
// external file beside it.
type Initializer struct {
	Name   string
	DType  tensor.DType
	Shape  []int
	Data   *tensor.Tensor
	File   string // location relative to the model file
	Offset int64
	Length int64
}

// ValueInfo declares an input or an output. A negative dimension is written under its name in Names, or left open.
type ValueInfo struct {
	Name  string
	DType tensor.DType
	Shape []int
	Dims  []string // name of each open dimension, "" for fixed ones; may be nil
}

// Element is the number of an element type, as the attribute "to" of Cast wants it.
func Element(d tensor.DType) int { return int(dataType(d)) }

func dataType(d tensor.DType) uint64 {
	switch d {
	case tensor.F32:
		return 1
	case tensor.U8:
		return 2
	case tensor.I8:
		return 3
	case tensor.I16:
		return 5
	case tensor.I32:
		return 6
	case tensor.I64:
		return 7
	case tensor.Bool:
		return 9
	case tensor.F16:
		return 10
	case tensor.F64:
		return 11
	case tensor.BF16:
		return 16
	}
	panic(fmt.Sprintf("onnx: no data type for %v", d))
}

// message is a protobuf message under construction.
type message []byte

func (m *message) str(field protowire.Number, s string) {
	if s != "" {
		*m = protowire.AppendString(protowire.AppendTag(*m, field, protowire.BytesType), s)
	}
}

func (m *message) num(field protowire.Number, v uint64) {
	*m = protowire.AppendVarint(protowire.AppendTag(*m, field, protowire.VarintType), v)
}

func (m *message) raw(field protowire.Number, b []byte) {
	*m = protowire.AppendBytes(protowire.AppendTag(*m, field, protowire.BytesType), b)
}

func (m *message) ints(field protowire.Number, vs []int) {
	var packed []byte
	for _, v := range vs {
		packed = protowire.AppendVarint(packed, uint64(v))
	}
	m.raw(field, packed)
}

// Marshal returns the bytes of the model file.
func (m *Model) Marshal() []byte {
	var out message
	out.num(1, IRVersion)
	out.str(2, m.Producer)
	out.raw(7, m.Graph.marshal())
	for _, set := range []struct {
		domain  string
		version uint64
	}{{"", Opset}, {Microsoft, 1}} {
		var id message
		id.str(1, set.domain)
		id.num(2, set.version)
		out.raw(8, id)
	}
	for _, e := range m.Metadata {
		out.raw(14, entry(e))
	}
	return out
}

func entry(e Entry) message {
	var out message
	out.str(1, e.Key)
	out.str(2, e.Value)
	return out
}

func (g *Graph) marshal() message {
	var out message
	for _, n := range g.Nodes {
		out.raw(1, n.Marshal())
	}
	out.str(2, g.Name)
	for _, t := range g.Initializers {
		out.raw(5, t.Marshal())
	}
	for _, v := range g.Inputs {
		out.raw(11, v.marshal())
	}
	for _, v := range g.Outputs {
		out.raw(12, v.marshal())
	}
	return out
}

// Marshal returns the bytes of a node of a graph file.
func (n *Node) Marshal() []byte {
	var out message
	for _, s := range n.Inputs {
		out.raw(1, []byte(s)) // an empty name is meaningful, so it is written
	}
	for _, s := range n.Outputs {
		out.raw(2, []byte(s))
	}
	out.str(3, n.Name)
	out.str(4, n.Op)
	for _, a := range n.Attrs {
		out.raw(5, a.Marshal())
	}
	out.str(7, n.Domain)
	return out
}

// Marshal returns the bytes of an attribute of a node.
func (a *Attr) Marshal() []byte {
	const float, integer, text, tensors, graph, floats, integers = 1, 2, 3, 4, 5, 6, 7
	var out message
	out.str(1, a.Name)
	kind := uint64(0)
	switch v := a.Value.(type) {
	case float32:
		out = protowire.AppendFixed32(protowire.AppendTag(out, 2, protowire.Fixed32Type), math.Float32bits(v))
		kind = float
	case int:
		out.num(3, uint64(v))
		kind = integer
	case string:
		out.raw(4, []byte(v))
		kind = text
	case *tensor.Tensor:
		constant := Initializer{DType: v.DType, Shape: v.Shape, Data: v}
		out.raw(5, constant.Marshal())
		kind = tensors
	case *Graph:
		out.raw(6, v.marshal())
		kind = graph
	case []float32:
		var packed []byte
		for _, f := range v {
			packed = protowire.AppendFixed32(packed, math.Float32bits(f))
		}
		out.raw(7, packed)
		kind = floats
	case []int:
		out.ints(8, v)
		kind = integers
	default:
		panic(fmt.Sprintf("onnx: attribute %s has type %T", a.Name, a.Value))
	}
	out.num(20, kind)
	return out
}

// Marshal returns the bytes of an initializer of a graph file.
func (t *Initializer) Marshal() []byte {
	var out message
	out.ints(1, t.Shape)
	out.num(2, dataType(t.DType))
	out.str(8, t.Name)
	if t.Data != nil {
		var raw []byte
		for _, f := range t.Data.F32 {
			if t.DType == tensor.F16 {
				raw = binary.LittleEndian.AppendUint16(raw, tensor.ToF16(f))
				continue
			}
			raw = protowire.AppendFixed32(raw, math.Float32bits(f))
		}
		for _, i := range t.Data.I64 {
			raw = protowire.AppendFixed64(raw, uint64(i))
		}
		out.raw(9, raw)
		return out
	}
	for _, e := range []Entry{{"location", t.File}, {"offset", fmt.Sprint(t.Offset)}, {"length", fmt.Sprint(t.Length)}} {
		out.raw(13, entry(e))
	}
	out.num(14, 1) // EXTERNAL
	return out
}

func (v *ValueInfo) marshal() message {
	var shape message
	for i, d := range v.Shape {
		var dim message
		switch {
		case d >= 0:
			dim.num(1, uint64(d))
		case i < len(v.Dims):
			dim.str(2, v.Dims[i])
		}
		shape.raw(1, dim)
	}
	var typ, wrapped, out message
	typ.num(1, dataType(v.DType))
	typ.raw(2, shape)
	wrapped.raw(1, typ)
	out.str(1, v.Name)
	out.raw(2, wrapped)
	return out
}
