package ort

import (
	"fmt"
	"os"

	"realword/inference/session"
)

var _ session.Inspector = (*Runtime)(nil)

// Weights implements session.Inspector. Of the graph it reads the graph file alone.
func (r *Runtime) Weights(path string) ([]session.Weight, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := parseModel(data)
	if err != nil {
		return nil, fmt.Errorf("the graph %s cannot be read: %w: import the model again", path, err)
	}
	weights := make([]session.Weight, len(m.weights))
	for i, w := range m.weights {
		weights[i] = session.Weight{Name: w.name, Shape: w.dims, Bytes: w.length, Half: w.half(), Conv: m.convs[w.name]}
	}
	return weights, nil
}
