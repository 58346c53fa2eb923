package native

/*
#include <stdlib.h>
#include "api.h"

static handle session_file(handle env, const void *path, handle options, handle *out) {
  return CALL(CreateSession, handle, handle, const void *, handle, handle *)(env, path, options, out);
}
static handle session_bytes(handle env, const void *model, size_t size, handle options, handle *out) {
  return CALL(CreateSessionFromArray, handle, handle, const void *, size_t, handle, handle *)(env, model, size, options, out);
}
// Copies to and from a device may go their own way beside its computations: they must be over before those begin, and those
// before anybody reads.
static handle session_run(handle s, handle options, handle binding) {
  handle status = CALL(SynchronizeBoundInputs, handle, handle)(binding);
  if (status == NULL) status = CALL(RunWithBinding, handle, handle, handle, handle)(s, options, binding);
  if (status == NULL) status = CALL(SynchronizeBoundOutputs, handle, handle)(binding);
  return status;
}
static handle session_assigned(handle s, handle const **out, size_t *n) { return CALL(Session_GetEpGraphAssignmentInfo, handle, handle, handle const **, size_t *)(s, out, n); }
static handle assigned_nodes(handle a, handle const **out, size_t *n) { return CALL(EpAssignedSubgraph_GetNodes, handle, handle, handle const **, size_t *)(a, out, n); }
static handle assigned_text(int slot, handle a, text *out) { return ((handle (*)(handle, text *))rw_api[slot])(a, out); }

static handle run_options_new(handle *out) { return CALL(CreateRunOptions, handle, handle *)(out); }
static handle run_options_entry(handle o, text key, text value) { return CALL(AddRunConfigEntry, handle, handle, text, text)(o, key, value); }
static handle run_options_terminate(handle o) { return CALL(RunOptionsSetTerminate, handle, handle)(o); }
static handle binding_new(handle s, handle *out) { return CALL(CreateIoBinding, handle, handle, handle *)(s, out); }
static handle binding_in(handle b, text name, handle value) { return CALL(BindInput, handle, handle, text, handle)(b, name, value); }
static handle binding_out(handle b, text name, handle memory) { return CALL(BindOutputToDevice, handle, handle, text, handle)(b, name, memory); }
static handle binding_values(handle b, handle **out, size_t *n) {
  handle allocator = NULL;
  handle status = CALL(GetAllocatorWithDefaultOptions, handle, handle *)(&allocator);
  if (status != NULL) return status;
  return CALL(GetBoundOutputValues, handle, handle, handle, handle **, size_t *)(b, allocator, out, n);
}
static void free_values(handle *values) {
  handle allocator = NULL;
  handle status = CALL(GetAllocatorWithDefaultOptions, handle, handle *)(&allocator);
  if (status == NULL) status = CALL(AllocatorFree, handle, handle, void *)(allocator, values);
  if (status != NULL) CALL(ReleaseStatus, void, handle)(status);
}
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// Session is a loaded graph.
type Session struct{ object }

// NewSession loads a graph file. External data is searched beside it.
func NewSession(path string, o *SessionOptions) (*Session, error) {
	p, err := nativePath(path)
	if err != nil {
		return nil, err
	}
	var h C.handle
	if err := failed(C.session_file(attached.env, unsafe.Pointer(&p[0]), o.h, &h)); err != nil {
		return nil, err
	}
	return &Session{object{h, C.ReleaseSession}}, nil
}

// NewSessionFromBytes loads a graph from memory. External data is searched in the folder of the session option
// session.model_external_initializers_file_folder_path.
func NewSessionFromBytes(model []byte, o *SessionOptions) (*Session, error) {
	if len(model) == 0 {
		return nil, fmt.Errorf("the graph is empty")
	}
	var h C.handle
	if err := failed(C.session_bytes(attached.env, unsafe.Pointer(&model[0]), C.size_t(len(model)), o.h, &h)); err != nil {
		return nil, err
	}
	return &Session{object{h, C.ReleaseSession}}, nil
}

// Assigned is a node of a loaded graph as the library runs it.
type Assigned struct{ Provider, Op, Name string }

// RecordAssignments is the session option that Assignments needs.
const RecordAssignments = "session.record_ep_graph_assignment_info"

// Assignments lists the nodes that the library handed to providers. The session must have been made with RecordAssignments.
func (s *Session) Assignments() (list []Assigned, err error) {
	var groups *C.handle
	var n C.size_t
	if err := failed(C.session_assigned(s.h, &groups, &n)); err != nil {
		return nil, err
	}
	word := func(slot C.int, h C.handle) string {
		var t C.text
		if bad := failed(C.assigned_text(slot, h, &t)); bad != nil {
			err = bad
			return ""
		}
		return C.GoString(t)
	}
	for _, g := range unsafe.Slice(groups, int(n)) {
		provider := word(C.EpAssignedSubgraph_GetEpName, g)
		var nodes *C.handle
		var count C.size_t
		if err := failed(C.assigned_nodes(g, &nodes, &count)); err != nil {
			return nil, err
		}
		for _, node := range unsafe.Slice(nodes, int(count)) {
			list = append(list, Assigned{provider, word(C.EpAssignedNode_GetOperatorType, node), word(C.EpAssignedNode_GetName, node)})
		}
	}
	return list, err
}

// RunOptions belong to one run.
type RunOptions struct{ object }

// NewRunOptions returns the library's defaults.
func NewRunOptions() (*RunOptions, error) {
	var h C.handle
	if err := failed(C.run_options_new(&h)); err != nil {
		return nil, err
	}
	return &RunOptions{object{h, C.ReleaseRunOptions}}, nil
}

// AddRunConfigEntry sets a key of onnxruntime_run_options_config_keys.h.
func (o *RunOptions) AddRunConfigEntry(key, value string) error {
	k, free := cstring(key)
	defer free()
	v, free := cstring(value)
	defer free()
	return failed(C.run_options_entry(o.h, k, v))
}

// Terminate ends a run at its next operator, also from another goroutine.
func (o *RunOptions) Terminate() error { return failed(C.run_options_terminate(o.h)) }

// Input is a value bound to an input by name.
type Input struct {
	Name  string
	Value *Value
}

// Output is an output that is wanted, and where.
type Output struct {
	Name   string
	Memory *Memory
}

// Run executes the graph and returns the outputs in the order of want, in the memory that each asked for. They belong to the
// caller and outlive the session. The error of a run that was terminated is that of the library.
func (s *Session) Run(o *RunOptions, in []Input, want []Output) ([]*Value, error) {
	var b C.handle
	if err := failed(C.binding_new(s.h, &b)); err != nil {
		return nil, err
	}
	binding := object{b, C.ReleaseIoBinding}
	defer binding.Close()
	for _, i := range in {
		name, free := cstring(i.Name)
		err := failed(C.binding_in(b, name, i.Value.h))
		free()
		if err != nil {
			return nil, err
		}
	}
	for _, w := range want {
		name, free := cstring(w.Name)
		err := failed(C.binding_out(b, name, w.Memory.h))
		free()
		if err != nil {
			return nil, err
		}
	}
	if err := failed(C.session_run(s.h, o.h, b)); err != nil {
		return nil, err
	}
	var raw *C.handle
	var n C.size_t
	if err := failed(C.binding_values(b, &raw, &n)); err != nil {
		return nil, err
	}
	values := make([]*Value, int(n))
	if n > 0 {
		for i, h := range unsafe.Slice(raw, int(n)) {
			values[i] = &Value{object: object{h, C.ReleaseValue}}
		}
		C.free_values(raw)
	}
	if len(values) != len(want) {
		for _, v := range values {
			v.Close()
		}
		return nil, fmt.Errorf("%d outputs came back, %d were bound", len(values), len(want))
	}
	return values, nil
}
