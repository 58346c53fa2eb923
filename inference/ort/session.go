package ort

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	binding "github.com/yalue/onnxruntime_go"

	"realword/inference/message"
	"realword/inference/ort/internal/native"
	"realword/inference/ram"
	"realword/inference/session"
	"realword/inference/tensor"
)

type graph struct {
	runtime *Runtime
	path    string
	ports   ports
	s       *binding.DynamicAdvancedSession // nil: closed
	files   []held
	once    bool
	passes  *passes // of a graph with branches on OpenVINO, else nil
}

var _ session.Keeper = (*graph)(nil)

// Open implements session.Runtime.
func (r *Runtime) Open(path string, opts session.Options) (session.Session, error) {
	if _, ok := r.device.(*cuda); ok && opts.CUDA != "" {
		s, err := r.open(opts.CUDA, opts, false)
		if err == nil {
			return s, nil
		} else if !lacksKernel(err) {
			return nil, err
		}
	}
	s, err := r.open(path, opts, false)
	if _, ok := r.device.(*openVINO); ok && err != nil && opts.Heavy && !opts.Strict {
		s, err = r.plain().open(path, opts, false) // one graph is no reason to leave the device
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// plain is the runtime without its device.
func (r *Runtime) plain() *Runtime {
	plain := *r
	plain.device = nil
	return &plain
}

// lacksKernel knows the library's texts, because its error codes do not tell.
func lacksKernel(err error) bool {
	return strings.Contains(err.Error(), "Failed to find kernel for ") ||
		strings.Contains(err.Error(), "Could not find an implementation for ")
}

// open loads a graph; recorded says that Nodes is going to ask about it.
func (r *Runtime) open(path string, opts session.Options, recorded bool) (*graph, error) {
	var m *model
	data, err := os.ReadFile(path)
	if err == nil {
		m, err = parseModel(data)
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, message.Errorf("the graph %s does not exist: the model is incomplete, import it again", path)
	case err != nil:
		return nil, message.Errorf("the graph %s cannot be read: %w: import the model again", path, err)
	case len(m.ports.inputs) == 0 || len(m.ports.outputs) == 0:
		return nil, message.Errorf("the graph %s has %d inputs and %d outputs, but it needs at least one of each: import the model again", path,
			len(m.ports.inputs), len(m.ports.outputs))
	}
	for _, port := range slices.Concat(m.ports.inputs, m.ports.outputs) {
		if port.DType == tensor.Invalid {
			return nil, message.Errorf("the graph %s declares %s with an element type that Realword does not know: import the model again", path,
				port.Name)
		}
	}
	if v, ok := r.device.(*openVINO); ok && !v.takes(m.float32Bytes(), opts) {
		r = r.plain()
	}
	if opts.Weights == session.Auto {
		opts.Weights = r.weights
	}
	available := ram.Available
	onWebGPU, _ := r.device.(*webGPU)
	switch {
	case onWebGPU != nil && onWebGPU.halves:
		available = func() int64 { return 0 } // the card's memory is what large models lack
	case r.device != nil:
		opts.Weights = session.Packed // they go to the device once, in either way
	}
	if opts.Weights == session.Auto {
		opts.Weights = session.ChooseWeights(m.float32Bytes(), available(), opts.Once)
	}
	bytes, folder, err := m.prepare(filepath.Dir(path), opts, onWebGPU)
	if err != nil {
		return nil, message.Errorf("the graph %s cannot be opened: %w", path, err)
	}
	p := prepared{m: m, opts: opts, bytes: bytes, folder: folder, level: r.level, recorded: recorded}
	p.on = r.device
	if v, ok := r.device.(*openVINO); ok {
		s, files, err := r.loadCompiled(v, p)
		if err != nil {
			return nil, r.deviceError(message.Errorf("ONNX Runtime cannot load %s: %w: verify the model, or import it again", path, err))
		}
		g := &graph{runtime: r, path: path, ports: m.ports, s: s, files: files, once: opts.Once}
		if m.branches {
			g.passes = &passes{}
		}
		return g, nil
	}
	var kept *optimized
	if !recorded {
		kept = r.optimized(m, opts, bytes)
	}
	s, files, err := r.loadOptimized(kept, p)
	if s == nil && err == nil {
		s, files, err = r.loadAndKeep(kept, p)
	}
	if err != nil {
		return nil, r.deviceError(message.Errorf("ONNX Runtime cannot load %s: %w: verify the model, or import it again", path, err))
	}
	if _, ok := r.device.(*cuda); ok {
		// The provider has handles and plans for every thread: on another one, the next pass would make them again.
		runtime.LockOSThread()
	}
	return &graph{runtime: r, path: path, ports: m.ports, s: s, files: files, once: opts.Once}, nil
}

// prepared is a graph as ONNX Runtime is to load it.
type prepared struct {
	m        *model
	opts     session.Options
	bytes    []byte
	folder   string // below which it reads weights
	level    binding.GraphOptimizationLevel
	recorded bool
	write    string      // file of the optimised graph; "" writes none
	on       accelerator // the device of the runtime, as this session uses it; nil is the processor
}

// loadOptimized loads the entry of a graph; nil where there is none that can be used.
func (r *Runtime) loadOptimized(kept *optimized, p prepared) (*binding.DynamicAdvancedSession, []held, error) {
	graph, weights, size, ok := kept.read()
	if !ok {
		return nil, nil, nil
	}
	p.bytes, p.folder, p.level = graph, root, binding.GraphOptimizationLevelDisableAll
	p.m.files[weights] = size
	s, files, err := r.load(p)
	if err == nil {
		return s, files, nil
	}
	delete(p.m.files, weights)
	if !errors.Is(err, errLost) {
		kept.spoil()
	}
	return nil, nil, nil
}

// loadAndKeep loads a graph and, where an entry is wanted, writes it and goes on with that, which needs less memory.
func (r *Runtime) loadAndKeep(kept *optimized, p prepared) (*binding.DynamicAdvancedSession, []held, error) {
	raw, done := kept.begin()
	if raw == "" {
		return r.load(p)
	}
	defer done()
	written := p
	written.write = raw
	s, files, err := r.load(written)
	if err != nil {
		kept.spoil()
		return r.load(p)
	}
	if kept.keep(raw, p.folder) != nil { // another time
		return s, files, nil
	}
	better, its, err := r.loadOptimized(kept, p)
	if better == nil || err != nil {
		return s, files, err
	}
	if err := errors.Join(s.Destroy(), release(files)); err != nil {
		return nil, nil, errors.Join(err, better.Destroy(), release(its))
	}
	return better, its, nil
}

// load makes the session and holds the files of its weights.
func (r *Runtime) load(p prepared) (s *binding.DynamicAdvancedSession, files []held, err error) {
	options, err := r.options(p)
	if err != nil {
		return nil, nil, fmt.Errorf("its session options: %w", err)
	}
	defer options.Destroy()
	if files, err = p.m.hold(); err != nil {
		return nil, nil, err
	}
	make := func() { s, err = binding.NewDynamicAdvancedSessionWithONNXData(p.bytes, nil, nil, options) }
	if r.device != nil {
		native.KeepSignals(make)
	} else {
		make()
	}
	if inner := errors.Unwrap(err); inner != nil {
		err = inner // without the binding's own words before the library's
	}
	if err == nil && lost(files) {
		s.Destroy()
		err = errLost
	}
	if err != nil {
		return nil, nil, errors.Join(err, release(files))
	}
	return s, files, nil
}

// root is the folder that graphs in the cache read their weights below.
const root = "/"

func (r *Runtime) options(p prepared) (*binding.SessionOptions, error) {
	opts := p.opts
	o, err := binding.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	set := []error{
		o.SetGraphOptimizationLevel(p.level),
		o.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", p.folder),
		o.SetExecutionMode(binding.ExecutionModeSequential),
		o.SetIntraOpNumThreads(r.threads),
		o.SetInterOpNumThreads(1),
		// Waiting threads sleep: the window and an idle machine need the cores more than a run needs the microseconds.
		o.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
		// Errors come back as values; printing them as well would make every cancelled run look like a failure.
		o.SetLogSeverityLevel(binding.LoggingLevelFatal),
	}
	// Else a file that is also one of ONNX Runtime's own format would be read as that, which nobody has looked at.
	set = append(set, o.AddSessionConfigEntry("session.load_model_format", "ONNX"))
	if p.on == nil {
		// Whatever the importer writes has a kernel on the processor. To look for what would have to be put together of other operators
		// first finds nothing, and is a fifth of opening a graph.
		set = append(set, o.AddSessionConfigEntry("session.disable_aot_function_inlining", "1"))
	}
	if opts.Weights == session.Mapped {
		set = append(set, o.AddSessionConfigEntry("session.disable_prepacking", "1"))
	}
	if opts.Once {
		set = append(set, o.SetCpuMemArena(false))
	}
	if r.device != nil {
		// Weights stay out of the arena, which would keep more than they need.
		set = append(set, p.on.choose(o, p.m, opts), o.AddSessionConfigEntry("session.use_device_allocator_for_initializers", "1"))
	}
	if p.recorded {
		set = append(set, o.AddSessionConfigEntry(native.RecordAssignments, "1"))
	}
	if r.profile != "" {
		set = append(set, o.EnableProfiling(r.profile))
	}
	if p.write != "" {
		set = append(set, o.SetOptimizedModelFilePath(p.write))
	}
	if opts.Strict && r.device != nil {
		set = append(set, o.AddSessionConfigEntry("session.disable_cpu_ep_fallback", "1"))
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
	if _, ok := g.runtime.device.(*cuda); ok {
		runtime.UnlockOSThread()
	}
	return errors.Join(err, release(g.files))
}

// Run implements session.Session.
func (g *graph) Run(ctx context.Context, inputs map[string]*tensor.Tensor, outputs ...string) (map[string]*tensor.Tensor, error) {
	return g.RunKept(ctx, inputs, nil, outputs...)
}

// RunKept implements session.Keeper.
func (g *graph) RunKept(ctx context.Context, inputs map[string]*tensor.Tensor, kept map[string]session.Value,
	outputs ...string,
) (map[string]*tensor.Tensor, error) {
	values, err := g.values(ctx, g.runtime.cpu, inputs, kept, outputs)
	if err != nil {
		return nil, err
	}
	results := map[string]*tensor.Tensor{}
	for name, v := range values {
		t, bad := v.Tensor()
		if bad != nil {
			err = errors.Join(err, fmt.Errorf("run %s: output %s: %w", g.path, name, bad))
		}
		results[name] = t
		v.Close()
	}
	if err != nil {
		return nil, err
	}
	return results, nil
}

// Keep implements session.Keeper.
func (g *graph) Keep(ctx context.Context, inputs map[string]*tensor.Tensor, outputs ...string) (map[string]session.Value, error) {
	values, err := g.values(ctx, g.runtime.memory, inputs, nil, outputs)
	if err != nil {
		return nil, err
	}
	kept := map[string]session.Value{}
	for name, v := range values {
		k := &value{v: v}
		var bad error
		if k.dtype, k.shape, bad = v.Port(); bad != nil {
			err = errors.Join(err, fmt.Errorf("run %s: output %s: %w", g.path, name, bad))
		}
		kept[name] = k
	}
	if err != nil {
		session.CloseAll(kept)
		return nil, err
	}
	return kept, nil
}

// value implements session.Value.
type value struct {
	v     *native.Value
	dtype tensor.DType
	shape []int
}

func (v *value) DType() tensor.DType { return v.dtype }
func (v *value) Shape() []int        { return slices.Clone(v.shape) }
func (v *value) Close()              { v.v.Close() }

// values checks everything and makes the native call. The outputs come in the given memory and are the caller's to close.
func (g *graph) values(ctx context.Context, memory *native.Memory, inputs map[string]*tensor.Tensor, kept map[string]session.Value,
	outputs []string,
) (map[string]*native.Value, error) {
	if g.s == nil {
		return nil, fmt.Errorf("run %s: the session is closed", g.path)
	}
	if err := errors.Join(g.check(inputs, kept, outputs), intact(g.files)); err != nil {
		return nil, fmt.Errorf("run %s: %w", g.path, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(outputs) == 0 {
		outputs = names(g.ports.outputs)
	}
	values, err := g.run(ctx, memory, inputs, kept, outputs)
	if err == nil && g.passes.larger(inputs, kept) {
		for _, v := range values {
			v.Close()
		}
		if values, err = g.run(ctx, memory, inputs, kept, outputs); err == nil {
			g.passes.ran(inputs, kept)
		}
	}
	if lost(g.files) {
		err = fmt.Errorf("run %s: %w", g.path, errLost)
	} else if ctx.Err() != nil {
		err = ctx.Err()
	} else if err != nil {
		err = g.runtime.deviceError(fmt.Errorf("run %s: %w", g.path, err))
	}
	results := map[string]*native.Value{}
	for i, v := range values {
		if err != nil {
			v.Close()
		} else {
			results[outputs[i]] = v
		}
	}
	return results, err
}

// run makes the native call.
func (g *graph) run(ctx context.Context, memory *native.Memory, inputs map[string]*tensor.Tensor, kept map[string]session.Value,
	outputs []string,
) ([]*native.Value, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	b, err := g.s.CreateIoBinding()
	if err != nil {
		return nil, err
	}
	defer b.Destroy()
	for _, port := range g.ports.inputs {
		if k := kept[port.Name]; k != nil {
			err = k.(*value).v.Bind(b, port.Name)
		} else {
			var v binding.Value
			if v, err = lent(inputs[port.Name], &pin); err == nil {
				defer v.Destroy()
				err = b.BindInput(port.Name, v)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("input %s: %w", port.Name, err)
		}
	}
	for _, name := range outputs {
		if err := native.BindOutput(b, name, memory); err != nil {
			return nil, fmt.Errorf("output %s: %w", name, err)
		}
	}
	opts, err := binding.NewRunOptions()
	if err != nil {
		return nil, err
	}
	defer opts.Destroy()
	if g.once && g.runtime.device != nil {
		if err := g.runtime.device.handBack(opts); err != nil {
			return nil, err
		}
	}
	terminated := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(terminated)
		_ = opts.Terminate() // cannot fail on valid options; the run then ends at the next operator
	})
	err = native.Run(g.s, opts, b)
	if !unwatch() {
		<-terminated // opts must outlive the call in the other goroutine
	}
	if err != nil {
		return nil, err
	}
	return native.Outputs(b)
}

// lent makes a tensor a value of the library, which reads the tensor's own memory until the pin is undone.
func lent(t *tensor.Tensor, pin *runtime.Pinner) (binding.Value, error) {
	switch t.DType {
	case tensor.F32:
		return lentData(t.F32, t.Shape, pin)
	case tensor.I64:
		return lentData(t.I64, t.Shape, pin)
	default:
		return nil, fmt.Errorf("a tensor of %s cannot be lent: it is neither float32 nor int64", t.DType)
	}
}

func lentData[T binding.TensorData](data []T, shape []int, pin *runtime.Pinner) (binding.Value, error) {
	if len(shape) == 0 {
		return binding.NewScalar(data[0])
	}
	if len(data) > 0 {
		pin.Pin(&data[0])
	}
	s := make(binding.Shape, len(shape))
	for i, d := range shape {
		s[i] = int64(d)
	}
	return binding.NewTensor(s, data)
}

// check compares what the caller gives and wants with what the graph declares.
func (g *graph) check(inputs map[string]*tensor.Tensor, kept map[string]session.Value, outputs []string) error {
	for _, port := range g.ports.inputs {
		t, k := inputs[port.Name], kept[port.Name]
		var err error
		switch {
		case t == nil && k == nil:
			return fmt.Errorf("input %s is missing: the graph needs %s, it was given %s", port.Name, describe(g.ports.inputs), given(inputs, kept))
		case t != nil && k != nil:
			return fmt.Errorf("input %s is given twice, as a tensor and as a kept value", port.Name)
		case k != nil:
			err = fitsKept(k, port)
		default:
			err = fits(t, port)
		}
		if err != nil {
			return fmt.Errorf("input %s: %w", port.Name, err)
		}
	}
	if len(inputs)+len(kept) > len(g.ports.inputs) {
		return fmt.Errorf("too many inputs: the graph needs %s, it was given %s", describe(g.ports.inputs), given(inputs, kept))
	}
	for i, name := range outputs {
		if !slices.Contains(names(g.ports.outputs), name) {
			return fmt.Errorf("there is no output %s: the graph has %s", name, describe(g.ports.outputs))
		}
		if slices.Contains(outputs[:i], name) {
			return fmt.Errorf("the output %s is wanted twice", name)
		}
	}
	return nil
}

func fitsKept(k session.Value, port session.Port) error {
	v, ours := k.(*value)
	if !ours || v.v.Closed() {
		return errors.New("the kept value is closed, or of another runtime")
	}
	return fitsPort(v.dtype, v.shape, port)
}

func fits(t *tensor.Tensor, port session.Port) error {
	if err := fitsPort(t.DType, t.Shape, port); err != nil {
		return err
	}
	if n := max(len(t.F32), len(t.I64)); n != tensor.Count(t.Shape) {
		return fmt.Errorf("%d elements do not fill the shape %v", n, t.Shape)
	}
	return nil
}

func fitsPort(dtype tensor.DType, shape []int, port session.Port) error {
	if dtype != port.DType {
		return fmt.Errorf("the graph needs %s, it was given %s", port.DType, dtype)
	}
	same := len(shape) == len(port.Shape)
	for i := 0; same && i < len(shape); i++ {
		same = shape[i] >= 0 && (port.Shape[i] == -1 || port.Shape[i] == shape[i])
	}
	if !same {
		return fmt.Errorf("the graph needs the shape %v (-1 is open), it was given %v", port.Shape, shape)
	}
	return nil
}

func names(list []session.Port) []string {
	n := make([]string, len(list))
	for i, p := range list {
		n[i] = p.Name
	}
	return n
}

func given(inputs map[string]*tensor.Tensor, kept map[string]session.Value) string {
	var list []string
	for name, t := range inputs {
		if t != nil {
			list = append(list, fmt.Sprintf("%s %s%v", name, t.DType, t.Shape))
		}
	}
	for name, k := range kept {
		if k != nil {
			list = append(list, fmt.Sprintf("%s %s%v", name, k.DType(), k.Shape()))
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}
