package native

// KeepSignals runs f. Windows has no signal handlers that a library could replace.
func KeepSignals(f func()) { f() }
