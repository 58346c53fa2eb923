package ort

import (
	"os"

	"realword/inference/message"
	"realword/inference/session"
	"realword/inference/tensor"
)

var _ session.Inspector = (*Runtime)(nil)

// types are the element types of weights, from those of onnx.proto.
var types = map[uint64]tensor.DType{1: tensor.F32, onnxF16: tensor.F16, onnxBF16: tensor.BF16}

// Weights implements session.Inspector. Of the graph it reads the graph file alone.
func (r *Runtime) Weights(path string) ([]session.Weight, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := parseModel(data)
	if err != nil {
		return nil, message.Errorf("the graph %s cannot be read: %w: import the model again", path, err)
	}
	weights := make([]session.Weight, len(m.weights))
	for i, w := range m.weights {
		weights[i] = session.Weight{
			Name: w.name, Shape: w.dims, DType: types[w.dtype], File: w.location, Offset: w.offset, Bytes: w.length,
			Conv: m.convs[w.name],
		}
	}
	return weights, nil
}
