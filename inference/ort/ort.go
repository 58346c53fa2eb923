// Package ort runs graphs on ONNX Runtime. It and its internal package native are the only ones that import the binding,
// and so the only ones that need a native library at run time.
//
// Contract: New loads the library once per process, with its telemetry off; Runtime opens graph files; a Session runs on the goroutine that
// owns it, one Run at a time (package session), which stays on its thread while one on CUDA is open. Tensors stay Go memory on both sides:
// inputs are lent to the library until Run returns, outputs are copied out. Names, element types and shapes are compared with the graph
// before native code sees them, so a mistake is an error that names both sides, never a crash. Weights are below the graph's folder, links
// resolved, or in files that the caller names: they are found, measured and, if the session wants it, left there (session.Weights). For
// WebGPU, whose provider lacks some operators and computes others badly, a graph is rewritten as it is opened (forWebGPU). Graphs that
// Realword's importer cannot have written are refused: functions, operators of other makers. A Cache keeps large graphs as the library has
// optimised them; whatever it holds, a run gives the same bits. The library writes errors to standard error only where it cannot return
// them.
package ort

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	binding "github.com/yalue/onnxruntime_go"

	"realword/inference/ort/internal/native"
	"realword/inference/ram"
	"realword/inference/session"
)

// MaxThreads is how many threads may work at one operator. More would be numbers that the library takes for others.
const MaxThreads = 1024

// Options of a Runtime. The zero value finds the library by itself and uses every physical core.
type Options struct {
	Threads int               // threads of one operator; 0 means the physical cores that the process may use
	Library string            // library file or its folder; empty means Find's places
	Device  string            // as ParseDevice reads it; empty means the CPU
	Weights session.Weights   // for sessions that leave it to be chosen; Auto chooses for each by the memory that is available
	CUDA    map[string]string // options of its provider instead of Realword's, to try them
	Profile string            // prefix of the files to which the library writes what took how long in every session; empty writes none
	Cache   Cache             // of optimised graphs; the zero value keeps none
	AsIs    bool              // graphs run as they are written: for tests of what a network computes, which opens in a fraction of the time
}

// Runtime opens graphs on one device of one library. It may be used from any goroutine.
type Runtime struct {
	library string
	version string
	threads int
	weights session.Weights
	cache   Cache
	profile string
	level   binding.GraphOptimizationLevel
	cpu     *native.Memory             // of Go tensors
	memory  *native.Memory             // of the device
	device  accelerator                // nil: the processor
	asked   func() (free, total int64) // CardMemory of the device, asked once
	shared  func() (all, left int64)   // of the machine, whose memory a card of Apple's shares: in all, and without this process; else nil
}

var (
	_ session.Runtime  = (*Runtime)(nil)
	_ session.Placed   = (*Runtime)(nil)
	_ session.Carded   = (*Runtime)(nil)
	_ session.Compiler = (*Runtime)(nil)
)

// New loads ONNX Runtime. A second call may differ in Threads and Device, not in the library: see FindFor. A graphics card that cannot be
// used is an error that says what is missing; a broken driver may end the process, so that it should be tried in a child process first.
func New(opts Options) (*Runtime, error) {
	kind, index, err := ParseDevice(opts.Device)
	if err != nil {
		return nil, err
	}
	library, err := FindFor(kind, opts.Library)
	if err != nil {
		return nil, err
	}
	if err := load(library); err != nil {
		return nil, err
	}
	threads := opts.Threads
	if threads < 0 || threads > MaxThreads {
		return nil, fmt.Errorf("%d threads: give a number up to %d, or 0 for all physical cores", threads, MaxThreads)
	}
	if threads == 0 {
		threads = physicalCores()
	}
	cpu, err := native.NewMemory("Cpu", 0)
	if err != nil {
		return nil, err
	}
	r := &Runtime{
		library: library, version: binding.GetVersion(), threads: threads, weights: opts.Weights, cache: opts.Cache, profile: opts.Profile,
		level: binding.GraphOptimizationLevelEnableAll, cpu: cpu, memory: cpu,
		asked: sync.OnceValues(func() (free, total int64) { return CardMemory(context.Background(), opts.Device) }),
	}
	if runtime.GOOS == "darwin" {
		r.shared = func() (all, left int64) { return ram.Total(), ram.Available() + ram.Used() }
	}
	if opts.AsIs {
		r.level = binding.GraphOptimizationLevelDisableAll
	}
	switch kind {
	case CUDA:
		err = r.useCUDA(index, opts.CUDA)
	case WebGPU:
		err = r.useWebGPU(index)
	case OpenVINOExact, OpenVINOHalf:
		err = r.useOpenVINO(kind == OpenVINOHalf)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// asIs tells whether graphs run as they are written, with nothing optimised.
func (r *Runtime) asIs() bool { return r.level == binding.GraphOptimizationLevelDisableAll }

// Library returns the path of the loaded library.
func (r *Runtime) Library() string { return r.library }

// Version returns what the library says of itself, for instance "1.30.0".
func (r *Runtime) Version() string { return r.version }

// Threads returns how many threads work at one operator on the processor.
func (r *Runtime) Threads() int { return r.threads }

// Describe implements session.Runtime.
func (r *Runtime) Describe() string {
	provider, _ := r.Provider()
	return fmt.Sprintf("ONNX Runtime %s, %s, %s", r.version, provider, plural(r.threads, "thread"))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
