// Package inference turns a Request into pictures: the dual-branch loop of RealCustom++ (arXiv 2408.09744).
//
// Contract: pure Go. It runs networks only through the Runtime it is given and never imports a native library, a window
// toolkit or a database. Request and Event are plain values. One Engine serves one Model; its worker goroutine owns every
// session; Start, Resolve, Close and a Job's methods may be called from any goroutine. A request is checked as a whole before
// anything runs. The same resolved request gives the same bits on the same runtime, whatever ran before it.
//
// From the outside in: engine.go and job.go queue requests and deliver events, resolve.go fills in and checks a request,
// worker.go makes the pictures of a job, pipeline.go is the loop over tensors, graphs.go runs one network.
package inference
