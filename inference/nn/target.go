package nn

import "realword/inference/tensor"

// Target is the kind of machine that a graph is for. See the package comment for what each promises.
type Target int

const (
	CPU         Target = iota // ONNX Runtime's CPU provider
	CUDA                      // ONNX Runtime's CUDA provider, half precision
	CUDAFloat32               // likewise, single precision
)

// String names the target as bundles do.
func (t Target) String() string { return [...]string{"cpu", "cuda", "cuda-float32"}[t] }

// channelsLast tells whether images lie as [N h w C] and not as [N C h w].
func (t Target) channelsLast() bool { return t != CPU }

// activations is the type in which the target computes.
func (t Target) activations() tensor.DType {
	if t == CUDA {
		return tensor.F16
	}
	return tensor.F32
}

// Activation returns x in the type in which the target computes.
func Activation(x *Value) *Value { return cast(x, x.b.target.activations()) }

// Float returns x, numbers of any type or integers, as float32.
func Float(x *Value) *Value { return cast(x, tensor.F32) }
