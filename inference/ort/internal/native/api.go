// Package native is what Realword needs of ONNX Runtime's C API and the Go binding does not give: sessions whose outputs stay
// on the device where they were computed, runs with such values as inputs that can be cancelled, and execution providers
// chosen device by device.
//
// Contract: where this package is linked, ONNX Runtime finds its telemetry switched off, in this process and in its children, however
// the library comes in. The binding (yalue/onnxruntime_go) has loaded the library and created its environment; Attach joins it. Handles
// are freed with Close, which may be called again; nothing is freed behind the caller's back. A Session runs on one goroutine
// at a time, RunOptions.Terminate may come from another. Go memory that native code reads is pinned until the call is over.
// Arguments are the caller's to check: names and shapes that do not fit come back as errors of the library.
package native

/*
#cgo CFLAGS: -std=gnu11 -Wall
#include <stdlib.h>
#include "api.h"

// The C library of Windows keeps an environment of its own beside the system's.
static void no_telemetry(void) {
#ifdef _WIN32
  _putenv("ORT_DISABLE_TELEMETRY=1");
#endif
}

static int status_code(handle s) { return CALL(GetErrorCode, int, handle)(s); }
static text status_text(handle s) { return CALL(GetErrorMessage, text, handle)(s); }
static void release(int slot, handle h) { ((void (*)(handle))rw_api[slot])(h); }
*/
import "C"

import (
	"fmt"
	"os"
	"sync"
	"unsafe"
)

// Version 1.29 of ONNX Runtime and later ones look at this variable when they are loaded. Without it they send to their maker what
// is run, under a lasting number of the machine; not where CI is set, so that tests do not see it.
func init() {
	if err := os.Setenv("ORT_DISABLE_TELEMETRY", "1"); err != nil {
		panic(err) // no system refuses these two words
	}
	C.no_telemetry()
}

var attached struct {
	sync.Mutex
	library string
	env     C.handle
}

// Attach joins the environment of a library that is already loaded from this path. Attaching again is harmless.
func Attach(library string) error {
	attached.Lock()
	defer attached.Unlock()
	if attached.library == library {
		return nil
	}
	base, err := symbol(library, "OrtGetApiBase")
	if err != nil {
		return err
	}
	var env C.handle
	if err := failed(C.rw_attach(base, &env)); err != nil {
		return err
	}
	if C.rw_api == nil {
		return fmt.Errorf("%s has no C API of version %d", library, C.API_VERSION)
	}
	attached.library, attached.env = library, env
	return nil
}

// Error is what the library says of a call that failed.
type Error struct {
	Code int // OrtErrorCode
	Text string
}

func (e *Error) Error() string { return e.Text }

// failed takes a status over and makes it an error.
func failed(status C.handle) error {
	if status == nil {
		return nil
	}
	defer C.release(C.ReleaseStatus, status)
	return &Error{int(C.status_code(status)), C.GoString(C.status_text(status))}
}

// object is a handle that is released once.
type object struct {
	h       C.handle
	release C.int
}

// Close releases the object.
func (o *object) Close() {
	if o.h != nil {
		C.release(o.release, o.h)
		o.h = nil
	}
}

// Closed tells whether Close was called.
func (o *object) Closed() bool { return o.h == nil }

// cstring returns a C copy of s; the caller frees it.
func cstring(s string) (C.text, func()) {
	c := C.CString(s)
	return C.text(c), func() { C.free(unsafe.Pointer(c)) }
}
