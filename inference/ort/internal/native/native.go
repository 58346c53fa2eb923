// Package native is the C code of the program: the few calls of ONNX Runtime that its Go binding lacks (missing.go), and what the
// system does for the runtime and no library of Go gives: loading libraries, the drivers' names of graphics cards, signal handlers,
// lost drives, the C library's memory.
//
// Contract: where this package is linked, ONNX Runtime finds its telemetry switched off, in this process and in its children, however
// the library comes in. The binding (yalue/onnxruntime_go) has loaded the library and created its environment; Attach finds the
// functions of the same library. They are called by the names and types of the runtime's own header, which the C compiler checks;
// `make deps` puts that header here, out of the binding's module. A session runs on one goroutine at a time, RunOptions.Terminate
// may come from another. Go memory that is bound is pinned by the caller until the run is over. Arguments are the caller's to
// check: names and shapes that do not fit come back as errors of the library.
package native

/*
#include <stdlib.h>

// The C library of Windows keeps an environment of its own beside the system's.
static void no_telemetry(void) {
#ifdef _WIN32
  _putenv("ORT_DISABLE_TELEMETRY=1");
#endif
}
*/
import "C"

import "os"

// Version 1.29 of ONNX Runtime and later ones look at this variable when they are loaded. Without it they send to their maker what
// is run, under a lasting number of the machine; not where CI is set, so that tests do not see it.
func init() {
	if err := os.Setenv("ORT_DISABLE_TELEMETRY", "1"); err != nil {
		panic(err) // no system refuses these two words
	}
	C.no_telemetry()
}
