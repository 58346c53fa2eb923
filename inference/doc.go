// Package inference turns a Request into pictures: the dual-branch loop of RealCustom++ (arXiv 2408.09744).
//
// Contract: pure Go. It runs networks only through the Runtime it is given and never imports a native library, a window
// toolkit or a database. Request and Event are plain values. One Engine owns every session on one worker goroutine; Start
// may be called from any goroutine.
package inference
