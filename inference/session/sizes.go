package session

import "errors"

// ErrMemory is in every error of a session on the processor that could not get the memory it needed.
var ErrMemory = errors.New("there is not enough memory")

// Weight is one tensor that a graph reads from a weight file.
type Weight struct {
	Name  string // as in the checkpoint
	Shape []int
	Bytes int64 // as stored
	Half  bool  // 16 bits a value, else 32
	Conv  bool  // a convolution reads it: the processor's fast kernels want a reordered copy
}

// Float32 is the size of the tensor in float32.
func (w Weight) Float32() int64 {
	if w.Half {
		return 2 * w.Bytes
	}
	return w.Bytes
}

// Inspector is a Runtime that can tell what a graph would load, without loading it.
type Inspector interface {
	Weights(path string) ([]Weight, error)
}
