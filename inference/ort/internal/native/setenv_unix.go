//go:build !windows

package native

/*
#include <stdlib.h>
*/
import "C"

import "unsafe"

// Setenv sets a variable for the libraries of this process alone, or takes it away where value is "": programs that this one starts do not
// have it, and Go does not see it.
func Setenv(name, value string) {
	n := C.CString(name)
	defer C.free(unsafe.Pointer(n))
	if value == "" {
		C.unsetenv(n)
		return
	}
	v := C.CString(value)
	defer C.free(unsafe.Pointer(v))
	C.setenv(n, v, 1)
}
