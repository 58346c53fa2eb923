package nn

import (
	"math"
	"slices"

	"realword/inference/onnx"
	"realword/inference/tensor"
)

func attr(name string, value any) onnx.Attr { return onnx.Attr{Name: name, Value: value} }

// broadcast returns the shape of an elementwise operation (NumPy rules; open dimensions stay open unless the other is > 1).
func broadcast(op string, a, b []int) []int {
	n := max(len(a), len(b))
	out := make([]int, n)
	for i := range n {
		x, y := 1, 1
		if j := i - n + len(a); j >= 0 {
			x = a[j]
		}
		if j := i - n + len(b); j >= 0 {
			y = b[j]
		}
		switch {
		case x == y || y == 1:
			out[i] = x
		case x == 1:
			out[i] = y
		case x < 0 || y < 0:
			out[i] = max(x, y)
		default:
			Fail("%s: shapes %s and %s do not go together", op, shapeString(a), shapeString(b))
		}
	}
	return out
}

func binary2(op string, a, b *Value) *Value {
	if a.DType != b.DType {
		Fail("%s: %v and %v do not go together", op, a.DType, b.DType)
	}
	return a.b.node(op, broadcast(op, a.Shape, b.Shape), []*Value{a, b})
}

// Add adds element by element with broadcasting; Sub, Mul and Div work likewise.
func Add(a, b *Value) *Value { return binary2("Add", a, b) }

// Sub returns a - b; see Add.
func Sub(a, b *Value) *Value { return binary2("Sub", a, b) }

// Mul returns a · b element by element; see Add.
func Mul(a, b *Value) *Value { return binary2("Mul", a, b) }

// Div returns a / b; see Add.
func Div(a, b *Value) *Value { return binary2("Div", a, b) }

// Scale multiplies by a number.
func Scale(x *Value, factor float64) *Value { return Mul(x, x.b.scalar(factor, x.DType)) }

func unary(op string, x *Value, attrs ...onnx.Attr) *Value {
	return x.b.node(op, x.Shape, []*Value{x}, attrs...)
}

// Sin and Cos are elementwise.
func Sin(x *Value) *Value { return unary("Sin", x) }

// Cos is elementwise.
func Cos(x *Value) *Value { return unary("Cos", x) }

// GELU is the exact (erf) form.
func GELU(x *Value) *Value { return x.b.contrib("Gelu", x.Shape, []*Value{x}) }

// SiLU is x·sigmoid(x).
func SiLU(x *Value) *Value { return swish(x, 1) }

// QuickGELU is x·sigmoid(1.702x), the activation of OpenAI's CLIP.
func QuickGELU(x *Value) *Value { return swish(x, 1.702) }

func swish(x *Value, alpha float32) *Value {
	return x.b.contrib("QuickGelu", x.Shape, []*Value{x}, attr("alpha", alpha))
}

// Softmax over the last dimension.
func Softmax(x *Value) *Value { return unary("Softmax", x, attr("axis", -1)) }

// Linear applies y = x·Wᵀ + b with weight [out, in] and, unless NoBias is given, bias [out] of the scope. It computes in the type
// of x.
func Linear(s Scope, x *Value, out int, opts ...LinearOption) *Value {
	w := s.param("weight", x.DType, []int{out, x.Dim(-1)})
	// FusedMatMul reads the checkpoint's layout as it is, so weights can stay mapped from the file.
	y := x.b.contrib("FusedMatMul", append(slices.Clone(x.Shape[:len(x.Shape)-1]), out), []*Value{x, w}, attr("transB", 1))
	if slices.Contains(opts, NoBias) {
		return y
	}
	return Add(y, s.param("bias", x.DType, []int{out}))
}

// LinearOption changes Linear.
type LinearOption int

// NoBias is a linear layer without bias.
const NoBias LinearOption = 1

// Conv describes a convolution.
type Conv struct {
	Out    int
	Kernel int
	Stride int  // 0 reads as 1
	Pad    int  // on all four sides
	Rows   bool // the rows come padded: Pad is for the columns only
	End    bool // Pad is for the last row and column only, as diffusers pads before it halves a picture
	NoBias bool
}

// Conv2D applies a square convolution to an image with weight [Out C Kernel Kernel] and bias [Out].
func Conv2D(s Scope, x *Value, c Conv) *Value {
	stride := max(c.Stride, 1)
	inputs := []*Value{x, s.kernel(x, c)}
	if !c.NoBias {
		inputs = append(inputs, s.param("bias", x.DType, []int{c.Out}))
	}
	rows := c.Pad
	if c.Rows {
		rows = 0
	}
	sides := 2
	if c.End {
		sides = 1
	}
	size := func(n, pad int) int {
		if n < 0 {
			return -1
		}
		return (n+sides*pad-c.Kernel)/stride + 1
	}
	attrs := []onnx.Attr{
		attr("kernel_shape", []int{c.Kernel, c.Kernel}), attr("strides", []int{stride, stride}),
		attr("pads", []int{(sides - 1) * rows, (sides - 1) * c.Pad, rows, c.Pad}),
	}
	if x.b.target.channelsLast() {
		return x.b.contrib("NhwcConv", []int{x.Dim(0), size(x.Dim(1), rows), size(x.Dim(2), c.Pad), c.Out}, inputs, attrs...)
	}
	return x.b.node("Conv", []int{x.Dim(0), c.Out, size(x.Dim(2), rows), size(x.Dim(3), c.Pad)}, inputs, attrs...)
}

// kernel is the weight of a convolution as the target's operator wants it: [Out C Kernel Kernel], or [Out Kernel Kernel C] where
// channels come last. ONNX Runtime transposes it once, when it loads the graph.
func (s Scope) kernel(x *Value, c Conv) *Value {
	b, want := s.B, []int{c.Out, Channels(x), c.Kernel, c.Kernel}
	switch {
	case !b.target.channelsLast():
		return s.param("weight", x.DType, want)
	case c.Kernel == 1: // the same numbers in the same order
		return s.param("weight", x.DType, want, c.Out, 1, 1, want[1])
	}
	key := s.In("weight").path + " channels last"
	if v := b.params[key]; v != nil {
		return v
	}
	w := s.param("weight", x.DType, want)
	v := &Value{b: b, name: b.unique(w.name + ".nhwc"), Shape: []int{c.Out, c.Kernel, c.Kernel, want[1]}, DType: w.DType}
	b.params[key] = v
	b.casts = append(b.casts, onnx.Node{
		Op: "Transpose", Name: v.name, Inputs: []string{w.name}, Outputs: []string{v.name},
		Attrs: []onnx.Attr{attr("perm", []int{0, 2, 3, 1})},
	})
	return v
}

// GroupNorm normalises an image over groups of channels, with weight and bias [C].
func GroupNorm(s Scope, x *Value, groups int, eps float64) *Value {
	return groupNorm(s, x, groups, eps, false)
}

// GroupNormSiLU is SiLU(GroupNorm(x)).
func GroupNormSiLU(s Scope, x *Value, groups int, eps float64) *Value {
	return groupNorm(s, x, groups, eps, true)
}

func groupNorm(s Scope, x *Value, groups int, eps float64, silu bool) *Value {
	c := Channels(x)
	if groups <= 0 || c%groups != 0 {
		Fail("%s: %d channels cannot be split into %d groups", s.path, c, groups)
	}
	// CUDA's kernel reads two channels at a time and knows at most 32 groups.
	if x.b.target.channelsLast() && groups <= 32 && c/groups%2 == 0 {
		activation := 0
		if silu {
			activation = 1
		}
		return x.b.contrib("GroupNorm", x.Shape, []*Value{x, s.Param("weight", []int{c}), s.Param("bias", []int{c})},
			attr("activation", activation), attr("channels_last", 1), attr("epsilon", float32(eps)), attr("groups", groups))
	}
	y := writtenOut(s, Planes(x), groups, eps)
	if silu {
		y = SiLU(y)
	}
	return Image(y)
}

// writtenOut is GroupNorm of planes [N C h w], because ONNX Runtime's CPU provider takes GroupNormalization apart into some 25
// nodes.
func writtenOut(s Scope, x *Value, groups int, eps float64) *Value {
	b, c := x.b, x.Dim(1)
	ones, zeros := make([]float32, groups), make([]float32, groups)
	for i := range ones {
		ones[i] = 1
	}
	grouped := Reshape(x, b.Ints(0, groups, -1), x.Dim(0), groups, -1)
	normed := b.node("InstanceNormalization", grouped.Shape, []*Value{
		grouped, b.Const(tensor.Of(ones, groups)),
		b.Const(tensor.Of(zeros, groups)),
	},
		attr("epsilon", float32(eps)))
	y := Reshape(normed, ShapeOf(x), x.Shape...)
	return Add(Mul(y, s.Param("weight", []int{c}, c, 1, 1)), s.Param("bias", []int{c}, c, 1, 1))
}

// LayerNorm normalises over the last dimension, with weight and bias of that size.
func LayerNorm(s Scope, x *Value, eps float64) *Value {
	c := x.Dim(-1)
	return x.b.node("LayerNormalization", x.Shape, []*Value{x, s.param("weight", x.DType, []int{c}), s.param("bias", x.DType, []int{c})},
		attr("axis", -1), attr("epsilon", float32(eps)))
}

// MatMul multiplies the last two dimensions; the others broadcast.
func MatMul(a, b *Value) *Value {
	lead := broadcast("MatMul", a.Shape[:len(a.Shape)-2], b.Shape[:len(b.Shape)-2])
	if a.Dim(-1) >= 0 && b.Dim(-2) >= 0 && a.Dim(-1) != b.Dim(-2) {
		Fail("MatMul: shapes %s and %s do not go together", shapeString(a.Shape), shapeString(b.Shape))
	}
	if a.DType != b.DType {
		Fail("MatMul: %v and %v do not go together", a.DType, b.DType)
	}
	return a.b.node("MatMul", append(lead, a.Dim(-2), b.Dim(-1)), []*Value{a, b})
}

// ShapeOf returns the shape of x when running, as a list of integers.
func ShapeOf(x *Value) *Value {
	return x.b.emit(onnx.Node{Op: "Shape"}, tensor.I64, []int{len(x.Shape)}, []*Value{x})
}

// Reshape gives x the shape that target (a list of integers, ONNX rules for 0 and -1) holds when running; known says what is
// known of it now.
func Reshape(x, target *Value, known ...int) *Value {
	return x.b.emit(onnx.Node{Op: "Reshape"}, x.DType, known, []*Value{x, target})
}

// Fold reshapes to sizes known now; one of them may be -1 (the rest) and any may be 0 (keep that dimension).
func Fold(x *Value, dims ...int) *Value {
	known := slices.Clone(dims)
	rest, all := 1, 1
	open := -1
	for i, d := range dims {
		if d == 0 {
			known[i] = x.Dim(i)
		}
		if d == -1 {
			open = i
			continue
		}
		rest *= known[i]
	}
	for _, d := range x.Shape {
		all *= d
	}
	if open >= 0 && !slices.Contains(x.Shape, -1) && rest > 0 {
		known[open] = all / rest
	}
	return Reshape(x, x.b.Ints(dims...), known...)
}

// Unsqueeze puts dimensions of size 1 at the given places of the result; unlike Fold it works on empty values, too.
func Unsqueeze(x *Value, axes ...int) *Value {
	shape := slices.Clone(x.Shape)
	for _, a := range axes {
		shape = slices.Insert(shape, a, 1)
	}
	return x.b.emit(onnx.Node{Op: "Unsqueeze"}, x.DType, shape, []*Value{x, x.b.Ints(axes...)})
}

// Squeeze drops a dimension of size 1; unlike Fold it works on empty values, too.
func Squeeze(x *Value, axis int) *Value {
	return x.b.emit(onnx.Node{Op: "Squeeze"}, x.DType, slices.Delete(slices.Clone(x.Shape), axis, axis+1), []*Value{x, x.b.Ints(axis)})
}

// Transpose permutes dimensions.
func Transpose(x *Value, perm ...int) *Value {
	shape := make([]int, len(perm))
	for i, p := range perm {
		shape[i] = x.Shape[p]
	}
	return x.b.emit(onnx.Node{Op: "Transpose", Attrs: []onnx.Attr{attr("perm", perm)}}, x.DType, shape, []*Value{x})
}

// Concat joins values along an axis.
func Concat(axis int, xs ...*Value) *Value {
	shape := slices.Clone(xs[0].Shape)
	if axis < 0 {
		axis += len(shape)
	}
	for _, x := range xs[1:] {
		if shape[axis] < 0 || x.Shape[axis] < 0 {
			shape[axis] = -1
			continue
		}
		shape[axis] += x.Shape[axis]
	}
	return xs[0].b.node("Concat", shape, xs, attr("axis", axis))
}

// Slice cuts [from, to) out of an axis.
func Slice(x *Value, axis, from, to int) *Value {
	b := x.b
	if axis < 0 {
		axis += len(x.Shape)
	}
	shape := slices.Clone(x.Shape)
	shape[axis] = to - from
	return b.emit(onnx.Node{Op: "Slice"}, x.DType, shape, []*Value{x, b.Ints(from), b.Ints(to), b.Ints(axis)})
}

// From cuts [from, end) out of an axis.
func From(x *Value, axis, from int) *Value {
	cut := Slice(x, axis, from, math.MaxInt64)
	cut.Shape[axis] = max(-1, x.Dim(axis)-from)
	return cut
}

// Expand repeats dimensions of size 1 to the sizes given; 1 keeps a dimension as it is.
func Expand(x *Value, dims ...int) *Value {
	return x.b.emit(onnx.Node{Op: "Expand"}, x.DType, broadcast("Expand", x.Shape, dims), []*Value{x, x.b.Ints(dims...)})
}

// Gather picks rows (entries of dimension 0) of table by index.
func Gather(table, index *Value) *Value {
	return table.b.emit(onnx.Node{Op: "Gather", Attrs: []onnx.Attr{attr("axis", 0)}}, table.DType,
		append(slices.Clone(index.Shape), table.Shape[1:]...), []*Value{table, index})
}

// Mean averages over one axis, which goes away.
func Mean(x *Value, axis int) *Value {
	return x.b.node("ReduceMean", slices.Delete(slices.Clone(x.Shape), axis, axis+1), []*Value{x, x.b.Ints(axis)}, attr("keepdims", 0))
}

// Sum adds over one axis, which stays with size 1. Over an axis of size 0 the sum is 0.
func Sum(x *Value, axis int) *Value {
	shape := slices.Clone(x.Shape)
	shape[axis] = 1
	return x.b.node("ReduceSum", shape, []*Value{x, x.b.Ints(axis)}, attr("keepdims", 1))
}

// Most is the largest value along one axis, which stays with size 1.
func Most(x *Value, axis int) *Value {
	shape := slices.Clone(x.Shape)
	shape[axis] = 1
	return x.b.node("ReduceMax", shape, []*Value{x, x.b.Ints(axis)}, attr("keepdims", 1))
}

// Least is the smallest value along one axis, which stays with size 1; by Most, so that every provider has it.
func Least(x *Value, axis int) *Value { return Scale(Most(Scale(x, -1), axis), -1) }

// UpsampleNearest doubles height and width of an image.
func UpsampleNearest(x *Value) *Value {
	scales := []float32{1, 1, 2, 2}
	if x.b.target.channelsLast() {
		scales = []float32{1, 2, 2, 1}
	}
	return resize(x, scales, attr("mode", "nearest"), attr("coordinate_transformation_mode", "asymmetric"), attr("nearest_mode", "floor"))
}

// ResizeBilinear scales height and width of planes x [N C h w] by num/den as PyTorch does with align_corners=False and without
// antialiasing.
func ResizeBilinear(x *Value, num, den int) *Value {
	if num == den {
		return x
	}
	f := float32(num) / float32(den)
	return resize(x, []float32{1, 1, f, f}, attr("mode", "linear"), attr("coordinate_transformation_mode", "half_pixel"))
}

func resize(x *Value, scales []float32, attrs ...onnx.Attr) *Value {
	shape := slices.Clone(x.Shape)
	for i, n := range shape {
		shape[i] = max(-1, int(float32(n)*scales[i]))
	}
	return x.b.node("Resize", shape, []*Value{x, nil, x.b.Const(tensor.Of(scales, 4))}, attrs...)
}

// SplitHeads turns x [B N heads·d] into [B heads N d].
func SplitHeads(x *Value, heads int) *Value {
	if heads <= 0 || x.Dim(-1)%heads != 0 {
		Fail("%d channels cannot be split into %d heads", x.Dim(-1), heads)
	}
	d := x.Dim(-1) / heads
	return Transpose(Reshape(x, x.b.Ints(0, 0, heads, d), x.Dim(0), x.Dim(1), heads, d), 0, 2, 1, 3)
}

// MergeHeads turns x [B heads N d] into [B N heads·d].
func MergeHeads(x *Value) *Value {
	heads, d := x.Dim(1), x.Dim(3)
	t := Transpose(x, 0, 2, 1, 3)
	return Reshape(t, x.b.Ints(0, 0, heads*d), t.Dim(0), t.Dim(1), heads*d)
}

// Probabilities returns softmax(QKᵀ/√d + bias) [B heads N M] of q, k with split heads. bias may be nil.
func Probabilities(q, k, bias *Value) *Value {
	scores := MatMul(Scale(q, 1/sqrt(q.Dim(-1))), Transpose(k, 0, 1, 3, 2))
	if bias != nil {
		scores = Add(scores, bias)
	}
	return Softmax(scores)
}

// Attention is multi-head attention of q [B N heads·d] over k and v [B M heads·d], scale 1/√d, as one fused operator that does not
// write its probabilities out. The result is [B N heads·d].
func Attention(q, k, v *Value, heads int) *Value {
	if q.Dim(-1)%heads != 0 {
		Fail("%d channels cannot be split into %d heads", q.Dim(-1), heads)
	}
	if q.DType != k.DType || q.DType != v.DType {
		Fail("Attention: %v, %v and %v do not go together", q.DType, k.DType, v.DType)
	}
	return q.b.contrib("MultiHeadAttention", []int{q.Dim(0), q.Dim(1), v.Dim(-1)}, []*Value{q, k, v}, attr("num_heads", heads))
}
