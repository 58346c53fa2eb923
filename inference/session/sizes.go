package session

import (
	"realword/inference/message"
	"realword/inference/tensor"
)

// ErrMemory is in every error of a session on the processor that could not get the memory it needed.
var ErrMemory = message.New("there is not enough memory")

// Weight is one tensor that a graph reads from a weight file.
type Weight struct {
	Name   string // the checkpoint's; ".stored" is added where the graph converts it
	Shape  []int  // as the graph sees it
	DType  tensor.DType
	File   string // absolute, or relative to the graph's folder
	Offset int64  // in File
	Bytes  int64  // as stored
	Conv   bool   // a convolution reads it: the processor's fast kernels want a reordered copy
}

// Half tells whether a value has 16 bits and not 32.
func (w Weight) Half() bool { return w.DType == tensor.F16 || w.DType == tensor.BF16 }

// Float32 is the size of the tensor in float32.
func (w Weight) Float32() int64 {
	if w.Half() {
		return 2 * w.Bytes
	}
	return w.Bytes
}

// Inspector is a Runtime that can tell what a graph would load, without loading it.
type Inspector interface {
	Weights(path string) ([]Weight, error)
}
