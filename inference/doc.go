// Package inference turns a Request into pictures: the dual-branch loop of RealCustom++ (arXiv 2408.09744).
//
// Contract: pure Go. It runs networks only through the Runtime it is given and never imports a native library, a window
// toolkit or a database. Request and Event are plain values. One Engine serves one Model; its worker goroutine owns every
// session; Start, Resolve, Close and a Job's methods may be called from any goroutine. A request is checked as a whole before
// anything runs. The same resolved request gives the same bits on the same runtime, whatever ran before it.
//
// A run is three plain values: its Request, the State after each step, and its Events. To continue from a step in another process, on
// another machine or on another day, these are needed and nothing else of the engine that began it: EncodeRequest, EncodeState and
// EncodeEvent turn them into bytes. With the same model, runtime and version of this program at the other end, the result is the same,
// bit for bit.
//
// From the outside in: request.go, event.go and wire.go are what a run consists of; engine.go and job.go queue requests and deliver
// events; settings.go is what a round can be set to, its defaults and the table of settings, resolve.go checks a request, notes.go
// says what of it is lost; grid.go makes many pictures of one request, and share.go finds what these have in common; worker.go makes the
// pictures of a job, pipeline.go is the loop over tensors, graphs.go runs one network; memory.go asks package memory, replay.go makes the
// steps of a finished picture again. Above stand packages recipe, parity and bench.
package inference
