package ort

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	onnx "github.com/yalue/onnxruntime_go"

	"realword/inference/session"
	"realword/inference/tensor"
)

type graph struct {
	path  string
	ports ports
	s     *onnx.DynamicAdvancedSession
}

// Open implements session.Runtime.
func (r *Runtime) Open(path string, opts session.Options) (session.Session, error) {
	p, err := readPorts(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("the graph %s does not exist: the bundle is incomplete, import the model again", path)
	case err != nil:
		return nil, fmt.Errorf("the graph %s cannot be read: %w: import the model again", path, err)
	case len(p.inputs) == 0 || len(p.outputs) == 0:
		return nil, fmt.Errorf("the graph %s declares %s and %s, it needs one of each at least",
			path, plural(len(p.inputs), "input"), plural(len(p.outputs), "output"))
	}
	for _, port := range slices.Concat(p.inputs, p.outputs) {
		if port.DType == tensor.Invalid {
			return nil, fmt.Errorf("the graph %s declares %s with an element type that is neither float32 nor int64: import the model again", path, port.Name)
		}
	}
	options, err := r.options(opts)
	if err != nil {
		return nil, fmt.Errorf("ONNX Runtime refuses the session options for %s: %w", path, err)
	}
	defer options.Destroy()
	s, err := onnx.NewDynamicAdvancedSession(path, names(p.inputs), names(p.outputs), options)
	if err != nil {
		return nil, fmt.Errorf("ONNX Runtime cannot load %s: %w: verify the bundle, or import the model again", path, err)
	}
	return &graph{path: path, ports: p, s: s}, nil
}

func (r *Runtime) options(opts session.Options) (*onnx.SessionOptions, error) {
	o, err := onnx.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	set := []error{
		o.SetGraphOptimizationLevel(onnx.GraphOptimizationLevelEnableAll),
		o.SetExecutionMode(onnx.ExecutionModeSequential),
		o.SetIntraOpNumThreads(r.threads),
		o.SetInterOpNumThreads(1),
		// Waiting threads sleep: the window and an idle machine need the cores more than a run needs the microseconds.
		o.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
		// Errors come back as values; printing them as well would make every cancelled run look like a failure.
		o.SetLogSeverityLevel(onnx.LoggingLevelFatal),
	}
	if opts.Once {
		set = append(set, o.SetCpuMemArena(false))
	}
	if err := errors.Join(set...); err != nil {
		o.Destroy()
		return nil, err
	}
	return o, nil
}

func (g *graph) Inputs() []session.Port  { return slices.Clone(g.ports.inputs) }
func (g *graph) Outputs() []session.Port { return slices.Clone(g.ports.outputs) }

// Close frees the native session. Closing twice is harmless.
func (g *graph) Close() error {
	if g.s == nil {
		return nil
	}
	err := g.s.Destroy()
	g.s = nil
	return err
}

// Run implements session.Session.
func (g *graph) Run(ctx context.Context, inputs map[string]*tensor.Tensor, outputs ...string) (map[string]*tensor.Tensor, error) {
	if g.s == nil {
		return nil, fmt.Errorf("run %s: the session is closed", g.path)
	}
	if err := g.check(inputs, outputs); err != nil {
		return nil, fmt.Errorf("run %s: %w", g.path, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	values, err := g.run(ctx, inputs)
	defer destroy(values)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", g.path, err)
	}
	results := map[string]*tensor.Tensor{}
	for i, port := range g.ports.outputs {
		if len(outputs) > 0 && !slices.Contains(outputs, port.Name) {
			continue
		}
		if results[port.Name], err = fromValue(values[i]); err != nil {
			return nil, fmt.Errorf("run %s: output %s: %w", g.path, port.Name, err)
		}
	}
	return results, nil
}

// run makes the native call and returns its outputs, some of them possibly nil when there is an error too.
func (g *graph) run(ctx context.Context, inputs map[string]*tensor.Tensor) ([]onnx.Value, error) {
	in := make([]onnx.Value, len(g.ports.inputs))
	out := make([]onnx.Value, len(g.ports.outputs))
	defer func() { destroy(in) }()
	for i, port := range g.ports.inputs {
		v, err := toValue(inputs[port.Name])
		if err != nil {
			return out, fmt.Errorf("input %s: %w", port.Name, err)
		}
		in[i] = v
	}
	for i, port := range g.ports.outputs {
		if len(port.Shape) > 0 {
			continue // allocated by the library
		}
		v, err := emptyScalar(port.DType) // which the binding cannot do for a scalar
		if err != nil {
			return out, fmt.Errorf("output %s: %w", port.Name, err)
		}
		out[i] = v
	}
	opts, err := onnx.NewRunOptions()
	if err != nil {
		return out, err
	}
	defer opts.Destroy()
	terminated := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(terminated)
		_ = opts.Terminate() // cannot fail on valid options; the run then ends at the next operator
	})
	err = g.s.RunWithOptions(in, out, opts)
	if !unwatch() {
		<-terminated // opts must outlive the call in the other goroutine
	}
	runtime.KeepAlive(inputs)
	return out, err
}

// check compares what the caller gives and wants with what the graph declares.
func (g *graph) check(inputs map[string]*tensor.Tensor, outputs []string) error {
	for _, port := range g.ports.inputs {
		t := inputs[port.Name]
		if t == nil {
			return fmt.Errorf("input %s is missing: the graph needs %s, it was given %s", port.Name, describe(g.ports.inputs), given(inputs))
		}
		if err := fits(t, port); err != nil {
			return fmt.Errorf("input %s: %w", port.Name, err)
		}
	}
	if len(inputs) > len(g.ports.inputs) {
		return fmt.Errorf("too many inputs: the graph needs %s, it was given %s", describe(g.ports.inputs), given(inputs))
	}
	for _, name := range outputs {
		if !slices.Contains(names(g.ports.outputs), name) {
			return fmt.Errorf("there is no output %s: the graph has %s", name, describe(g.ports.outputs))
		}
	}
	return nil
}

func fits(t *tensor.Tensor, port session.Port) error {
	if t.DType != port.DType {
		return fmt.Errorf("the graph needs %s, it was given %s", port.DType, t.DType)
	}
	same := len(t.Shape) == len(port.Shape)
	for i := 0; same && i < len(t.Shape); i++ {
		same = t.Shape[i] >= 0 && (port.Shape[i] == -1 || port.Shape[i] == t.Shape[i])
	}
	if !same {
		return fmt.Errorf("the graph needs the shape %v (-1 is open), it was given %v", port.Shape, t.Shape)
	}
	if n := max(len(t.F32), len(t.I64)); n != tensor.Count(t.Shape) {
		return fmt.Errorf("%d elements do not fill the shape %v", n, t.Shape)
	}
	return nil
}

func toValue(t *tensor.Tensor) (onnx.Value, error) {
	shape := make(onnx.Shape, len(t.Shape))
	for i, d := range t.Shape {
		shape[i] = int64(d)
	}
	switch {
	case t.DType == tensor.I64 && len(shape) == 0:
		return onnx.NewScalar(t.I64[0])
	case t.DType == tensor.I64:
		return onnx.NewTensor(shape, t.I64)
	case len(shape) == 0:
		return onnx.NewScalar(t.F32[0])
	default:
		return onnx.NewTensor(shape, t.F32)
	}
}

func emptyScalar(d tensor.DType) (onnx.Value, error) {
	if d == tensor.I64 {
		return onnx.NewEmptyScalar[int64]()
	}
	return onnx.NewEmptyScalar[float32]()
}

// fromValue takes the data over: the binding has copied it out of the library into a Go slice already.
func fromValue(v onnx.Value) (*tensor.Tensor, error) {
	shape := make([]int, len(v.GetShape()))
	for i, d := range v.GetShape() {
		shape[i] = int(d)
	}
	switch v := v.(type) {
	case *onnx.Tensor[float32]:
		return tensor.Of(v.GetData(), shape...), nil
	case *onnx.Tensor[int64]:
		return tensor.OfInts(v.GetData(), shape...), nil
	case *onnx.Scalar[float32]:
		return tensor.Of([]float32{v.GetData()}), nil
	case *onnx.Scalar[int64]:
		return tensor.OfInts([]int64{v.GetData()}), nil
	default:
		return nil, fmt.Errorf("it is neither float32 nor int64")
	}
}

func destroy(values []onnx.Value) {
	for _, v := range values {
		if v != nil {
			v.Destroy()
		}
	}
}

func names(list []session.Port) []string {
	n := make([]string, len(list))
	for i, p := range list {
		n[i] = p.Name
	}
	return n
}

func given(inputs map[string]*tensor.Tensor) string {
	var list []string
	for name, t := range inputs {
		if t != nil {
			list = append(list, fmt.Sprintf("%s %s%v", name, t.DType, t.Shape))
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}
