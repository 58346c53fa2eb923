package ort

import (
	"testing"

	"realword/inference/session"
)

// TestLacksKernel tells an operator that the provider does not have from another reason not to load a graph.
func TestLacksKernel(t *testing.T) {
	r := library(t)
	const bf16 = 16 // the CPU has no product of them
	product := write(t, []protobuf{node("MatMul", []string{"x", "x"}, []string{"y"})}, nil,
		[]protobuf{port("x", bf16, 2, 2)}, []protobuf{port("y", bf16, 2, 2)})
	if _, err := r.Open(product, session.Options{}); err == nil || !lacksKernel(err) {
		t.Errorf("a product of BF16: %v, wanted a missing kernel", err)
	}
	wrong := write(t, []protobuf{node("MatMul", []string{"x"}, []string{"y"})}, nil, []protobuf{port("x", 1, 2, 2)}, []protobuf{port("y", 1, 2, 2)})
	if _, err := r.Open(wrong, session.Options{}); err == nil || lacksKernel(err) {
		t.Errorf("a product of one factor: %v, wanted another error than a missing kernel", err)
	}
}
