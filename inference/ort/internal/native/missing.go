package native

/*
#cgo CFLAGS: -std=gnu11 -Wall -Werror=incompatible-pointer-types -Werror=int-conversion -Werror=implicit-function-declaration
#if !__has_include("onnxruntime_c_api.h")
#error "The header of ONNX Runtime is not there: run make deps"
#endif
#include "onnxruntime_c_api.h"

static const OrtApi *api;

static bool attach(void *get_api_base) { return (api = ((const OrtApiBase *(*)(void))get_api_base)()->GetApi(ORT_API_VERSION)) != NULL; }
static const char *status_text(OrtStatus *s) { return api->GetErrorMessage(s); }
static void release_status(OrtStatus *s) { api->ReleaseStatus(s); }

static OrtStatus *new_memory(const char *name, int device, OrtMemoryInfo **out) {
  return api->CreateMemoryInfo(name, OrtDeviceAllocator, device, OrtMemTypeDefault, out);
}
static OrtStatus *bind_output(OrtIoBinding *b, const char *name, const OrtMemoryInfo *m) { return api->BindOutputToDevice(b, name, m); }
static OrtStatus *bind_input(OrtIoBinding *b, const char *name, const OrtValue *v) { return api->BindInput(b, name, v); }

// Copies to and from a device may go their own way beside its computations: they must be over before those begin, and those
// before anybody reads.
static OrtStatus *run(OrtSession *s, const OrtRunOptions *o, OrtIoBinding *b) {
  OrtStatus *status = api->SynchronizeBoundInputs(b);
  if (status == NULL) status = api->RunWithBinding(s, o, b);
  if (status == NULL) status = api->SynchronizeBoundOutputs(b);
  return status;
}
static OrtStatus *outputs(const OrtIoBinding *b, OrtAllocator **a, OrtValue ***out, size_t *n) {
  OrtStatus *status = api->GetAllocatorWithDefaultOptions(a);
  return status != NULL ? status : api->GetBoundOutputValues(b, *a, out, n);
}
static OrtStatus *free_array(OrtAllocator *a, void *p) { return api->AllocatorFree(a, p); }
static void release_value(OrtValue *v) { api->ReleaseValue(v); }

// The shape is that of a rank up to MAX_RANK.
enum { MAX_RANK = 16 };
static OrtStatus *type_and_shape(const OrtValue *v, ONNXTensorElementDataType *type, int64_t *shape, size_t *rank) {
  OrtTensorTypeAndShapeInfo *info = NULL;
  OrtStatus *status = api->GetTensorTypeAndShape(v, &info);
  if (status == NULL) status = api->GetTensorElementType(info, type);
  if (status == NULL) status = api->GetDimensionsCount(info, rank);
  if (status == NULL && *rank <= MAX_RANK) status = api->GetDimensions(info, shape, *rank);
  api->ReleaseTensorTypeAndShapeInfo(info);
  return status;
}
static OrtStatus *data(OrtValue *v, OrtMemoryInfoDeviceType *device, void **out) {
  const OrtMemoryInfo *memory = NULL;
  OrtStatus *status = api->GetTensorMemoryInfo(v, &memory);
  if (status != NULL) return status;
  api->MemoryInfoGetDeviceType(memory, device);
  return api->GetTensorMutableData(v, out);
}

typedef struct { const char *vendor; uint32_t vendor_id, device_id; int gpu, cpu; const char *const *keys, *const *values; size_t pairs; } hardware;
static hardware device_hardware(const OrtEpDevice *d) {
  const OrtHardwareDevice *h = api->EpDevice_Device(d);
  hardware out = {api->HardwareDevice_Vendor(h), api->HardwareDevice_VendorId(h), api->HardwareDevice_DeviceId(h), api->HardwareDevice_Type(h) == OrtHardwareDeviceType_GPU, api->HardwareDevice_Type(h) == OrtHardwareDeviceType_CPU};
  const OrtKeyValuePairs *pairs = api->HardwareDevice_Metadata(h);
  if (pairs != NULL) api->GetKeyValuePairs(pairs, &out.keys, &out.values, &out.pairs);
  return out;
}
static const OrtMemoryInfo *device_memory(const OrtEpDevice *d) { return api->EpDevice_MemoryInfo(d, OrtDeviceMemoryType_DEFAULT); }

static OrtStatus *assigned(const OrtSession *s, const OrtEpAssignedSubgraph *const **out, size_t *n) { return api->Session_GetEpGraphAssignmentInfo(s, out, n); }
static OrtStatus *assigned_nodes(const OrtEpAssignedSubgraph *g, const char **provider, const OrtEpAssignedNode *const **out, size_t *n) {
  OrtStatus *status = api->EpAssignedSubgraph_GetEpName(g, provider);
  return status != NULL ? status : api->EpAssignedSubgraph_GetNodes(g, out, n);
}
static OrtStatus *assigned_node(const OrtEpAssignedNode *n, const char **op, const char **name) {
  OrtStatus *status = api->EpAssignedNode_GetOperatorType(n, op);
  return status != NULL ? status : api->EpAssignedNode_GetName(n, name);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"unsafe"

	binding "github.com/yalue/onnxruntime_go"

	"realword/inference/tensor"
)

// The calls that onnxruntime_go 1.35 lacks, each with the change to it that would make ours go:
//
//	BindOutput, NewMemory    a run chooses its outputs, and where they stay      IoBinding.BindOutputToDevice, and a type for memory
//	Run                      a bound run can be cancelled and configured         RunWithBinding that takes RunOptions, and synchronizes
//	Outputs, Value, Bind     outputs stay on the device, halves among them       GetBoundOutputValues without the copy into Go memory
//	Devices, Memory          which card it is, and its memory                    EpDevice.Device and EpDevice.MemoryInfo
//	Assignments              which operators a provider left to the processor    Session_GetEpGraphAssignmentInfo
//	handle                   calls of ours take the binding's objects            a method that returns the C object of each
//
// ONNX Runtime's own Go binding (github.com/microsoft/onnxruntime/go, its pull request 29615) has most of them; it has no release yet.

// APIVersion is that of the header: ONNX Runtime 1.29 has it first.
const APIVersion = C.ORT_API_VERSION

// Attach finds the functions of the library that the binding has loaded from this path. It is called before all others.
func Attach(library string) error {
	base, err := symbol(library, "OrtGetApiBase")
	if err != nil {
		return err
	}
	if !C.attach(base) {
		return fmt.Errorf("%s has no C API of version %d", library, APIVersion)
	}
	return nil
}

// failed takes a status over and makes it an error with the library's text.
func failed(status *C.OrtStatus) error {
	if status == nil {
		return nil
	}
	defer C.release_status(status)
	return errors.New(C.GoString(C.status_text(status)))
}

// handle returns the C object in one of the binding's, which has no way to ask for it: an exported accessor upstream would be one.
// Of fields it names the way there. A binding that keeps something else in its place is a panic, in every test that runs a graph.
func handle[T any](of any, fields ...string) T {
	v := reflect.ValueOf(of)
	for _, name := range fields {
		v = reflect.Indirect(v).FieldByName(name)
	}
	if want := reflect.TypeFor[T]().Elem().Name(); v.Kind() != reflect.Pointer || v.Type().Elem().Name() != want {
		panic(fmt.Sprintf("%T of onnxruntime_go has no %s in %v", of, want, fields))
	}
	p := v.UnsafePointer()
	return *(*T)(unsafe.Pointer(&p))
}

func bindingOf(b *binding.IoBinding) *C.OrtIoBinding { return handle[*C.OrtIoBinding](b, "o") }

func sessionOf(s *binding.DynamicAdvancedSession) *C.OrtSession {
	return handle[*C.OrtSession](s, "s", "ortSession")
}

// Memory names where values lie. It is never freed.
type Memory struct{ m *C.OrtMemoryInfo }

// NewMemory names the memory of a device as the library does: "Cpu", "Cuda" or "WebGPU_Buffer".
func NewMemory(name string, device int) (*Memory, error) {
	n := C.CString(name)
	defer C.free(unsafe.Pointer(n))
	var m Memory
	if err := failed(C.new_memory(n, C.int(device), &m.m)); err != nil {
		return nil, err
	}
	return &m, nil
}

// BindOutput asks for an output in a memory, in which the library makes it.
func BindOutput(b *binding.IoBinding, name string, m *Memory) error {
	n := C.CString(name)
	defer C.free(unsafe.Pointer(n))
	return failed(C.bind_output(bindingOf(b), n, m.m))
}

// Run executes a graph on what is bound. RunOptions.Terminate ends it, and then the error is that of the library.
func Run(s *binding.DynamicAdvancedSession, o *binding.RunOptions, b *binding.IoBinding) error {
	return failed(C.run(sessionOf(s), handle[*C.OrtRunOptions](o, "o"), bindingOf(b)))
}

// Value is a tensor of the library, in the memory where it was computed.
type Value struct{ v *C.OrtValue }

// Outputs returns what a run has computed, in the order in which it was bound. The values belong to the caller and outlive the session.
func Outputs(b *binding.IoBinding) ([]*Value, error) {
	var allocator *C.OrtAllocator
	var raw **C.OrtValue
	var n C.size_t
	if err := failed(C.outputs(bindingOf(b), &allocator, &raw, &n)); err != nil {
		return nil, err
	}
	values := make([]*Value, n)
	for i, v := range unsafe.Slice(raw, n) {
		values[i] = &Value{v}
	}
	return values, failed(C.free_array(allocator, unsafe.Pointer(raw)))
}

// Bind gives a value to an input of another run.
func (v *Value) Bind(b *binding.IoBinding, name string) error {
	n := C.CString(name)
	defer C.free(unsafe.Pointer(n))
	return failed(C.bind_input(bindingOf(b), n, v.v))
}

// Port returns the element type and shape of the value.
func (v *Value) Port() (tensor.DType, []int, error) {
	var kind C.ONNXTensorElementDataType
	var dims [C.MAX_RANK]C.int64_t
	var rank C.size_t
	if err := failed(C.type_and_shape(v.v, &kind, &dims[0], &rank)); err != nil {
		return 0, nil, err
	}
	if rank > C.MAX_RANK {
		return 0, nil, fmt.Errorf("it has %d dimensions", rank)
	}
	shape := make([]int, rank)
	for i := range shape {
		shape[i] = int(dims[i])
	}
	return map[C.ONNXTensorElementDataType]tensor.DType{
		C.ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT: tensor.F32, C.ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64: tensor.I64,
		C.ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16: tensor.F16, C.ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16: tensor.BF16,
	}[kind], shape, nil
}

// Tensor copies a float32 or int64 value in the processor's memory out of the library.
func (v *Value) Tensor() (*tensor.Tensor, error) {
	kind, shape, err := v.Port()
	if err != nil {
		return nil, err
	}
	var device C.OrtMemoryInfoDeviceType
	var data unsafe.Pointer
	if err := failed(C.data(v.v, &device, &data)); err != nil {
		return nil, err
	}
	n := tensor.Count(shape)
	switch {
	case device != C.OrtMemoryInfoDeviceType_CPU:
		return nil, errors.New("it lies in the memory of another device")
	case kind == tensor.F32:
		return tensor.Of(slices.Clone(unsafe.Slice((*float32)(data), n)), shape...), nil
	case kind == tensor.I64:
		return tensor.OfInts(slices.Clone(unsafe.Slice((*int64)(data), n)), shape...), nil
	}
	return nil, errors.New("it is neither float32 nor int64")
}

// Close releases the value. Closing twice is harmless.
func (v *Value) Close() {
	C.release_value(v.v)
	v.v = nil
}

// Closed tells whether Close was called.
func (v *Value) Closed() bool { return v.v == nil }

// Device is one device as one execution provider offers it. It lives as long as the process.
type Device struct {
	binding.EpDevice
	Provider string // for instance "CUDAExecutionProvider"
	Vendor   string
	GPU, CPU bool
	VendorID uint32            // of the PCI bus
	DeviceID uint32            // likewise
	Hardware map[string]string // what the system tells of it besides, as the library names it
}

// Devices lists the devices of the registered providers, the processor included.
func Devices() ([]Device, error) {
	offered, err := binding.GetEpDevices()
	list := make([]Device, len(offered))
	for i, d := range offered {
		h := C.device_hardware(handle[*C.OrtEpDevice](d, "p"))
		list[i] = Device{
			EpDevice: d, Provider: d.EpName(), Vendor: C.GoString(h.vendor), GPU: h.gpu != 0, CPU: h.cpu != 0,
			VendorID: uint32(h.vendor_id), DeviceID: uint32(h.device_id), Hardware: map[string]string{},
		}
		keys, values := unsafe.Slice(h.keys, h.pairs), unsafe.Slice(h.values, h.pairs)
		for k := range keys {
			list[i].Hardware[C.GoString(keys[k])] = C.GoString(values[k])
		}
	}
	return list, err
}

// Memory returns the device's own memory, nil where the provider computes in that of the processor.
func (d Device) Memory() *Memory {
	if m := C.device_memory(handle[*C.OrtEpDevice](d.EpDevice, "p")); m != nil {
		return &Memory{m}
	}
	return nil
}

// Assigned is a node of a loaded graph as the library runs it.
type Assigned struct{ Provider, Op, Name string }

// RecordAssignments is the session option that Assignments needs.
const RecordAssignments = "session.record_ep_graph_assignment_info"

// Assignments lists the nodes that the library handed to providers. The session must have been made with RecordAssignments.
func Assignments(s *binding.DynamicAdvancedSession) (list []Assigned, err error) {
	var groups **C.OrtEpAssignedSubgraph
	var n C.size_t
	if err := failed(C.assigned(sessionOf(s), &groups, &n)); err != nil {
		return nil, err
	}
	for _, g := range unsafe.Slice(groups, n) {
		var provider, op, name *C.char
		var nodes **C.OrtEpAssignedNode
		var count C.size_t
		if err := failed(C.assigned_nodes(g, &provider, &nodes, &count)); err != nil {
			return nil, err
		}
		for _, node := range unsafe.Slice(nodes, count) {
			if err := failed(C.assigned_node(node, &op, &name)); err != nil {
				return nil, err
			}
			list = append(list, Assigned{C.GoString(provider), C.GoString(op), C.GoString(name)})
		}
	}
	return list, nil
}
