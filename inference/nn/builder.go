// Package nn builds ONNX graphs in Go so that a network reads like its definition: one function per block, scopes whose
// names are the checkpoint's keys, shapes checked while building.
//
// Contract: it needs no runtime and no weights' values: a parameter is asked for by name and shape, and only its place in the
// external weight file enters the graph. Layers panic with one private error type when a network is put together wrongly;
// Build turns that into an error. Missing or misshapen parameters do not stop the building: they are all reported together.
// Nodes that no output needs are left out. Same input, same graph. One goroutine at a time per Store.
//
// A network is described once and built for a Target. Graphs of all targets have the same inputs and outputs (float32, images as
// [N C h w]), ask for the same parameters in the same order, and so share a weight file; where a parameter is stored in another
// type or layout than it is computed in, nodes in front of the graph convert it, which ONNX Runtime does once, when it loads.
//
//	CPU          float32, channels first; operators that the CPU provider has fast kernels for. Equal to PyTorch within 1e-5
//	             per operator. Halves are a way to store weights only.
//	CUDA         half precision, channels last, tensor-core operators: NhwcConv, GroupNorm with its SiLU, BiasSplitGelu,
//	             MultiHeadAttention with values as wide as keys. A network keeps in float32 what it asks for with Float: time
//	             embedding, tapped attention, maps. Only operators of which the CUDA provider has a kernel,
//	             but for arithmetic of shapes. Within 2e-3 of the CPU graph in exact arithmetic.
//	CUDAFloat32  the same graph in float32, for what overflows halves (they end at 65504): the decoder of SDXL's autoencoder. It
//	             is not BF16, because GroupNorm and NhwcConv have no kernel for it.
package nn

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"realword/inference/onnx"
	"realword/inference/tensor"
)

// Value is an intermediate result: a name in the graph with what is known of its shape (-1: known only when running).
type Value struct {
	b     *Builder
	name  string
	Shape []int
	DType tensor.DType
}

// Dim returns dimension i; negative i counts from the end.
func (v *Value) Dim(i int) int {
	if i < 0 {
		i += len(v.Shape)
	}
	return v.Shape[i]
}

// Builder is one graph under construction.
type Builder struct {
	store  *Store
	target Target
	frame
	inputs  []onnx.ValueInfo
	outputs []onnx.ValueInfo
	names   map[string]int
}

// frame is what belongs to one graph: the whole, or the branch of an If that is being built.
type frame struct {
	params map[string]*Value // what is made once: parameters in a form, conditions
	inits  []onnx.Initializer
	casts  []onnx.Node
	nodes  []onnx.Node
}

// Scope is a path in the checkpoint, "down_blocks.0.resnets.1". The zero path is the root.
type Scope struct {
	B    *Builder
	path string
}

// In returns the scope below s. The parts are joined by dots: s.In("resnets", 1).
func (s Scope) In(parts ...any) Scope {
	for _, p := range parts {
		if s.path != "" {
			s.path += "."
		}
		s.path += fmt.Sprint(p)
	}
	return s
}

// Path returns the scope as text.
func (s Scope) Path() string { return s.path }

// Param returns the parameter name of the scope as a float32 value of the wanted shape. view, when given, is the shape in
// which the graph sees the same data.
func (s Scope) Param(name string, want []int, view ...int) *Value {
	return s.param(name, tensor.F32, want, view...)
}

// param is Param in the type dtype.
func (s Scope) param(name string, dtype tensor.DType, want []int, view ...int) *Value {
	return s.B.param(s.In(name).path, dtype, want, view)
}

// Has tells whether the checkpoint holds a tensor below this scope under name, for parts that are optional.
func (s Scope) Has(name string) bool {
	_, _, ok := s.B.store.weights.Shape(s.In(name).path)
	return ok
}

type buildError struct{ error }

// Fail stops the building of the network with an error that Build returns.
func Fail(format string, args ...any) { panic(buildError{fmt.Errorf(format, args...)}) }

// Build makes one graph for the CPU. define puts the network together from the root scope of the store's weights and declares
// inputs and outputs on the builder. The error joins everything that is wrong with the parameters.
func Build[Name ~string](name Name, store *Store, define func(s Scope)) (*onnx.Model, error) {
	return BuildFor(CPU, name, store, define)
}

// BuildFor is Build for a target.
func BuildFor[Name ~string](target Target, name Name, store *Store, define func(s Scope)) (model *onnx.Model, err error) {
	b := &Builder{store: store, target: target, frame: frame{params: map[string]*Value{}}, names: map[string]int{}}
	defer func() {
		if r := recover(); r != nil {
			be, ok := r.(buildError)
			if !ok {
				panic(r)
			}
			model, err = nil, fmt.Errorf("build %s: %w", name, errors.Join(append(store.takeProblems(), be.error)...))
		}
	}()
	define(Scope{B: b})
	if problems := store.takeProblems(); len(problems) > 0 {
		return nil, fmt.Errorf("build %s: %w", name, errors.Join(problems...))
	}
	b.prune(b.outputs)
	// Casts of stored weights come first: ONNX Runtime would otherwise hoist them all and keep every result alive.
	return &onnx.Model{
		Producer: "realword",
		Graph: onnx.Graph{
			Name: string(name), Nodes: append(b.casts, b.nodes...), Initializers: b.inits,
			Inputs: b.inputs, Outputs: b.outputs,
		},
	}, nil
}

// Input declares a graph input. Open dimensions are given as negative numbers and named in dims.
func (b *Builder) Input(name string, dtype tensor.DType, shape []int, dims ...string) *Value {
	b.inputs = append(b.inputs, onnx.ValueInfo{Name: name, DType: dtype, Shape: shape, Dims: dims})
	b.names[name]++
	return &Value{b: b, name: name, Shape: shape, DType: dtype}
}

// Output declares v as the graph output called name.
func (b *Builder) Output(name string, v *Value, dims ...string) {
	b.nodes = append(b.nodes, onnx.Node{Op: "Identity", Name: name, Inputs: []string{v.name}, Outputs: []string{name}})
	b.outputs = append(b.outputs, onnx.ValueInfo{Name: name, DType: v.DType, Shape: v.Shape, Dims: dims})
}

// unique turns hint into a name that the graph does not have yet.
func (b *Builder) unique(hint string) string {
	b.names[hint]++
	if n := b.names[hint]; n > 1 {
		return fmt.Sprintf("%s_%d", hint, n)
	}
	return hint
}

// node appends an operator with one output of the given shape and of the first input's type.
func (b *Builder) node(op string, shape []int, inputs []*Value, attrs ...onnx.Attr) *Value {
	return b.emit(onnx.Node{Op: op, Attrs: attrs}, inputs[0].DType, shape, inputs)
}

// contrib is node for an operator of ONNX Runtime's own.
func (b *Builder) contrib(op string, shape []int, inputs []*Value, attrs ...onnx.Attr) *Value {
	return b.emit(onnx.Node{Op: op, Domain: onnx.Microsoft, Attrs: attrs}, inputs[0].DType, shape, inputs)
}

// cast returns x as dtype.
func cast(x *Value, dtype tensor.DType) *Value {
	if x.DType == dtype {
		return x
	}
	return x.b.emit(onnx.Node{Op: "Cast", Attrs: []onnx.Attr{attr("to", onnx.Element(dtype))}}, dtype, x.Shape, []*Value{x})
}

func (b *Builder) emit(n onnx.Node, dtype tensor.DType, shape []int, inputs []*Value) *Value {
	for _, v := range inputs {
		if v == nil {
			n.Inputs = append(n.Inputs, "")
			continue
		}
		n.Inputs = append(n.Inputs, v.name)
	}
	n.Name = b.unique(n.Op)
	out := &Value{b: b, name: n.Name, Shape: shape, DType: dtype}
	n.Outputs = []string{out.name}
	b.nodes = append(b.nodes, n)
	return out
}

// Const returns a constant that lives inside the model file; it is for small things (axes, factors, frequencies).
func (b *Builder) Const(t *tensor.Tensor) *Value {
	name := b.unique("const")
	b.inits = append(b.inits, onnx.Initializer{Name: name, DType: t.DType, Shape: t.Shape, Data: t})
	return &Value{b: b, name: name, Shape: t.Shape, DType: t.DType}
}

// scalar returns a constant number of a type.
func (b *Builder) scalar(x float64, dtype tensor.DType) *Value {
	t := tensor.Of([]float32{float32(x)})
	t.DType = dtype
	return b.Const(t)
}

// Ints returns a constant list of integers.
func (b *Builder) Ints(xs ...int) *Value {
	data := make([]int64, len(xs))
	for i, x := range xs {
		data[i] = int64(x)
	}
	return b.Const(tensor.OfInts(data, len(xs)))
}

func (b *Builder) param(path string, dtype tensor.DType, want, view []int) *Value {
	if len(view) == 0 {
		view = want
	}
	key := path + fmt.Sprint(dtype, view)
	if v := b.params[key]; v != nil {
		return v
	}
	at, ok := b.store.place(path, want)
	name := b.unique(path)
	v := &Value{b: b, name: name, Shape: view, DType: dtype}
	b.params[key] = v
	if !ok {
		return v // the problem is recorded; go on to find the others
	}
	init := onnx.Initializer{Name: name, DType: at.DType, Shape: view, File: at.File, Offset: at.Offset, Length: at.Length}
	if at.DType != dtype {
		init.Name = b.unique(name + ".stored")
		b.casts = append(b.casts, onnx.Node{
			Op: "Cast", Name: "cast " + name, Inputs: []string{init.Name}, Outputs: []string{name},
			Attrs: []onnx.Attr{attr("to", onnx.Element(dtype))},
		})
	}
	b.inits = append(b.inits, init)
	return v
}

// prune drops nodes and initializers that no output depends on.
func (f *frame) prune(outputs []onnx.ValueInfo) {
	needed := map[string]bool{}
	for _, o := range outputs {
		needed[o.Name] = true
	}
	keep := func(nodes []onnx.Node) []onnx.Node {
		kept := make([]onnx.Node, 0, len(nodes))
		for _, n := range slices.Backward(nodes) {
			if !slices.ContainsFunc(n.Outputs, func(o string) bool { return needed[o] }) {
				continue
			}
			uses(n, needed)
			kept = append(kept, n)
		}
		slices.Reverse(kept)
		return kept
	}
	f.nodes = keep(f.nodes)
	f.casts = keep(f.casts)
	f.inits = slices.DeleteFunc(f.inits, func(t onnx.Initializer) bool { return !needed[t.Name] })
}

// uses marks what a node reads, its branches' nodes included: they see the values around them.
func uses(n onnx.Node, needed map[string]bool) {
	for _, i := range n.Inputs {
		needed[i] = true
	}
	for _, a := range n.Attrs {
		if g, ok := a.Value.(*onnx.Graph); ok {
			for _, inner := range g.Nodes {
				uses(inner, needed)
			}
		}
	}
}

func shapeString(shape []int) string {
	return strings.ReplaceAll(fmt.Sprint(shape), "-1", "?")
}
