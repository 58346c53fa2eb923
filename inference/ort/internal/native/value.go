package native

/*
#include <stdlib.h>
#include "api.h"

static char nothing; // what a tensor without elements points to

static handle memory_new(text name, int device, handle *out) {
  return CALL(CreateMemoryInfo, handle, text, int, int, int, handle *)(name, DEVICE_ALLOCATOR, device, MEMORY_DEFAULT, out);
}
static handle value_new(handle memory, void *data, size_t size, const int64_t *shape, size_t rank, int type, handle *out) {
  if (size == 0) data = &nothing;
  return CALL(CreateTensorWithDataAsOrtValue, handle, handle, void *, size_t, const int64_t *, size_t, int, handle *)(memory, data, size, shape, rank, type, out);
}
static handle value_data(handle v, void **out) { return CALL(GetTensorMutableData, handle, handle, void **)(v, out); }
static handle value_device(handle v, int *out) {
  handle memory = NULL;
  handle status = CALL(GetTensorMemoryInfo, handle, handle, handle *)(v, &memory);
  if (status == NULL) CALL(MemoryInfoGetDeviceType, void, handle, int *)(memory, out);
  return status;
}
static handle value_info(handle v, handle *out) { return CALL(GetTensorTypeAndShape, handle, handle, handle *)(v, out); }
static handle info_type(handle i, int *out) { return CALL(GetTensorElementType, handle, handle, int *)(i, out); }
static handle info_rank(handle i, size_t *out) { return CALL(GetDimensionsCount, handle, handle, size_t *)(i, out); }
static handle info_shape(handle i, int64_t *out, size_t n) { return CALL(GetDimensions, handle, handle, int64_t *, size_t)(i, out, n); }
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"realword/inference/tensor"
)

// Memory names where values lie.
type Memory struct{ object }

// NewMemory names the memory of a device: "Cpu" or "Cuda".
func NewMemory(name string, device int) (*Memory, error) {
	n, free := cstring(name)
	defer free()
	var h C.handle
	if err := failed(C.memory_new(n, C.int(device), &h)); err != nil {
		return nil, err
	}
	return &Memory{object{h, C.ReleaseMemoryInfo}}, nil
}

// Value is a tensor of the library, in Go memory or in a device's.
type Value struct {
	object
	pin runtime.Pinner // of the Go memory that it reads
}

// NewValue lends a tensor's data to the library until Close. The tensor must fit its shape.
func NewValue(cpu *Memory, t *tensor.Tensor) (*Value, error) {
	shape := make([]C.int64_t, len(t.Shape)+1) // one more, so that a scalar's has an address
	for i, d := range t.Shape {
		shape[i] = C.int64_t(d)
	}
	v := &Value{}
	var data unsafe.Pointer
	var size, kind int
	switch t.DType {
	case tensor.F32:
		size, kind = 4*len(t.F32), C.FLOAT32
		data = unsafe.Pointer(unsafe.SliceData(t.F32))
	case tensor.I64:
		size, kind = 8*len(t.I64), C.INT64
		data = unsafe.Pointer(unsafe.SliceData(t.I64))
	default:
		return nil, fmt.Errorf("a tensor of %s cannot be lent: it is neither float32 nor int64", t.DType)
	}
	if size > 0 {
		v.pin.Pin(data)
	}
	var h C.handle
	if err := failed(C.value_new(cpu.h, data, C.size_t(size), &shape[0], C.size_t(len(t.Shape)), C.int(kind), &h)); err != nil {
		v.pin.Unpin()
		return nil, err
	}
	v.object = object{h, C.ReleaseValue}
	return v, nil
}

// Close releases the value; Go memory that it read may move again.
func (v *Value) Close() {
	v.object.Close()
	v.pin.Unpin()
}

// Port returns the element type and shape of the value.
func (v *Value) Port() (tensor.DType, []int, error) {
	var info C.handle
	if err := failed(C.value_info(v.h, &info)); err != nil {
		return 0, nil, err
	}
	i := object{info, C.ReleaseTensorTypeAndShapeInfo}
	defer i.Close()
	var kind C.int
	if err := failed(C.info_type(info, &kind)); err != nil {
		return 0, nil, err
	}
	var rank C.size_t
	if err := failed(C.info_rank(info, &rank)); err != nil {
		return 0, nil, err
	}
	dims := make([]C.int64_t, int(rank)+1)
	if err := failed(C.info_shape(info, &dims[0], rank)); err != nil {
		return 0, nil, err
	}
	shape := make([]int, int(rank))
	for i := range shape {
		shape[i] = int(dims[i])
	}
	return map[C.int]tensor.DType{C.FLOAT32: tensor.F32, C.INT64: tensor.I64, C.FLOAT16: tensor.F16, C.BFLOAT16: tensor.BF16}[kind], shape, nil
}

// Tensor copies a float32 or int64 value in the processor's memory out of the library.
func (v *Value) Tensor() (*tensor.Tensor, error) {
	kind, shape, err := v.Port()
	if err != nil {
		return nil, err
	}
	var device C.int
	if err := failed(C.value_device(v.h, &device)); err != nil {
		return nil, err
	}
	if device != C.MEMORY_OF_CPU {
		return nil, errors.New("it lies in the memory of another device")
	}
	var data unsafe.Pointer
	if err := failed(C.value_data(v.h, &data)); err != nil {
		return nil, err
	}
	n := tensor.Count(shape)
	switch kind {
	case tensor.F32:
		out := make([]float32, n)
		if n > 0 {
			copy(out, unsafe.Slice((*float32)(data), n))
		}
		return tensor.Of(out, shape...), nil
	case tensor.I64:
		out := make([]int64, n)
		if n > 0 {
			copy(out, unsafe.Slice((*int64)(data), n))
		}
		return tensor.OfInts(out, shape...), nil
	default:
		return nil, fmt.Errorf("it is neither float32 nor int64")
	}
}
