//go:build !linux

package native

import "os"

// Guarded is a file whose loss the process would survive on Linux.
type Guarded struct{}

// Guard does nothing: only on Linux a process survives the loss of a mapped file.
func Guard(*os.File) *Guarded { return nil }

// Lost is false.
func (*Guarded) Lost() bool { return false }

// Release does nothing.
func (*Guarded) Release() {}
