// Package tensor holds the one array type that crosses package borders in Realword: a shape and dense, row-major data.
//
// Contract: no arithmetic of networks lives here (that is ONNX Runtime's work), only shape, data, conversion between
// storage types and safetensors output. It imports nothing of Realword. A Tensor does not guard its data: whoever made
// it owns it until it is handed over, and readers must not write.
package tensor

import (
	"fmt"
	"slices"
)

// DType is an element type as checkpoints and graphs name it.
type DType uint8

// The element types that checkpoints carry. Graph inputs and outputs are always F32 or I64.
const (
	Invalid DType = iota
	F32
	F16
	BF16
	F64
	I64
	I32
	I16
	I8
	U8
	Bool
)

var dtypes = [...]struct {
	name string
	size int
}{{"invalid", 0}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F64", 8}, {"I64", 8}, {"I32", 4}, {"I16", 2}, {"I8", 1}, {"U8", 1}, {"BOOL", 1}}

// String returns the safetensors name of the type.
func (d DType) String() string {
	if int(d) < len(dtypes) {
		return dtypes[d].name
	}
	return fmt.Sprintf("DType(%d)", uint8(d))
}

// Size returns the bytes of one element, 0 for an invalid type.
func (d DType) Size() int {
	if int(d) < len(dtypes) {
		return dtypes[d].size
	}
	return 0
}

// ParseDType reads a safetensors type name. The second result is false for a name that Realword does not know.
func ParseDType(name string) (DType, bool) {
	for d, t := range dtypes {
		if d > 0 && t.name == name {
			return DType(d), true
		}
	}
	return Invalid, false
}

// Tensor is a dense row-major array. Exactly one of F32 and I64 is used; its length is the product of Shape.
// A tensor with a zero dimension has a nil or empty slice; DType then tells which.
type Tensor struct {
	Shape []int
	DType DType // F32 or I64
	F32   []float32
	I64   []int64
}

// Of wraps float data without copying. It panics when the length does not fit the shape: that is a programming error.
func Of(data []float32, shape ...int) *Tensor {
	mustFit(len(data), shape)
	return &Tensor{Shape: shape, DType: F32, F32: data}
}

// OfInts wraps integer data without copying; see Of.
func OfInts(data []int64, shape ...int) *Tensor {
	mustFit(len(data), shape)
	return &Tensor{Shape: shape, DType: I64, I64: data}
}

// Zeros returns a new float tensor of zeros.
func Zeros(shape ...int) *Tensor { return Of(make([]float32, Count(shape)), shape...) }

// Count returns the number of elements of a shape (1 for a scalar).
func Count(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Clone returns a copy that shares nothing with t.
func (t *Tensor) Clone() *Tensor {
	return &Tensor{Shape: slices.Clone(t.Shape), DType: t.DType, F32: slices.Clone(t.F32), I64: slices.Clone(t.I64)}
}

func mustFit(n int, shape []int) {
	if n != Count(shape) {
		panic(fmt.Sprintf("tensor: %d elements do not fill shape %v", n, shape))
	}
}
