//go:build !windows

package main

/*
#include <errno.h>
#include <fcntl.h>

static int output_closed;

// Constructors run before Go's runtime, which opens the null device where one of the first three files is closed.
__attribute__((constructor)) static void look_at_output(void) { output_closed = fcntl(1, F_GETFD) == -1 && errno == EBADF; }

static int output_was_closed(void) { return output_closed; }
*/
import "C"

// outputClosed tells whether the program was started without a standard output.
func outputClosed() bool { return C.output_was_closed() != 0 }
