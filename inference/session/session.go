// Package session says what Realword needs of a runtime that executes ONNX graphs: open a graph file, run it, stop it.
//
// Contract: interfaces and plain values only. inference/ort implements them over ONNX Runtime; tests implement them with
// fakes. A Session belongs to the goroutine that opened it; Run is never called twice at the same time on one Session.
package session

import (
	"context"
	"strings"

	"realword/inference/message"
	"realword/inference/tensor"
)

// Runtime opens graphs on one device.
type Runtime interface {
	// Open loads a graph file (model.onnx with external data beside or below it). Errors name the file and the remedy.
	Open(path string, opts Options) (Session, error)
	// Describe names library version and provider for people, for instance "ONNX Runtime 1.30.0, CPU, 2 threads".
	Describe() string
}

// Options of one session.
type Options struct {
	Once bool // the session runs once or twice (encoders, decoder): do not keep an arena
	// Heavy says that the one run is so much work that a long opening pays.
	Heavy bool
	// Strict makes it an error to open a graph of which the device cannot run every operator itself.
	Strict  bool
	Weights Weights
	// CUDA is the file of the same graph made for CUDA, "" where there is none. A runtime on CUDA opens it instead, unless its
	// provider lacks the operators.
	CUDA string
	// Changes are weights that inputs change, by their keys (Weight.Key). A weight that the graph does not have is an error.
	Changes map[string]Change
	// Outside are the files outside the graph's own folder that it may read weights from, by whole paths. It may read no others.
	Outside []string
	// Moved are files of Outside that the graph calls by another path, by that
	Moved map[string]string
}

// Session is one loaded graph.
type Session interface {
	// Run executes the graph. inputs must hold every declared input; outputs names what is wanted (nil: all).
	// When ctx ends, the native run is asked to stop, Run waits for it and returns ctx.Err(). Inputs are only read, and
	// only until Run returns; outputs belong to the caller.
	Run(ctx context.Context, inputs map[string]*tensor.Tensor, outputs ...string) (map[string]*tensor.Tensor, error)
	Inputs() []Port
	Outputs() []Port
	Close() error
}

// Keeper is a Session that can leave outputs where they were computed and read them there again: they cost neither a copy nor
// Go memory, and on a GPU no way over the bus.
type Keeper interface {
	Session
	// Keep is Run whose outputs stay with the device. They belong to the caller, who closes each, and outlive the session.
	Keep(ctx context.Context, inputs map[string]*tensor.Tensor, outputs ...string) (map[string]Value, error)
	// RunKept is Run with some inputs kept by a session of the same Runtime. They stay the caller's.
	RunKept(ctx context.Context, inputs map[string]*tensor.Tensor, kept map[string]Value, outputs ...string) (map[string]*tensor.Tensor, error)
}

// Value is an output that stayed with its device. It may be read by several sessions, one after the other.
type Value interface {
	DType() tensor.DType
	Shape() []int
	// Close frees the memory. Closing twice is harmless.
	Close()
}

// CloseAll closes kept values.
func CloseAll(kept map[string]Value) {
	for _, v := range kept {
		v.Close()
	}
}

// Placed is a Runtime that says where it computes now, in one word as in "CPU" or "CUDA", and in a sentence why that is no
// longer what was chosen; why is empty where it is.
type Placed interface{ Provider() (name, why string) }

// DeviceError is what went wrong on a device other than the processor: the same may well go on the processor.
type DeviceError struct {
	Device      string // as Placed names it
	OutOfMemory bool
	Why         string // the essence of Err, for people
	Err         error
}

func (e *DeviceError) Error() string { return e.Err.Error() }
func (e *DeviceError) Unwrap() error { return e.Err }

// Port is a declared input or output. A dimension that the graph leaves open is -1.
type Port struct {
	Name  string
	DType tensor.DType
	Shape []int
}

// CheckPorts compares what a graph declares with what a caller is going to use, because a wrong name would show only at
// the first run. The error lists both sides.
func CheckPorts(what string, declared []Port, want ...string) error {
	have := map[string]bool{}
	names := make([]string, 0, len(declared))
	for _, p := range declared {
		have[p.Name] = true
		names = append(names, p.Name)
	}
	for _, w := range want {
		if !have[w] {
			return message.Errorf("%s has ports [%s], but Realword needs [%s]: the model was imported by another version, import it again",
				what, strings.Join(names, " "), strings.Join(want, " "))
		}
	}
	return nil
}
