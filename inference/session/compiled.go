package session

// Opened is what a graph that is compiled takes of the processor's memory, in bytes.
type Opened struct {
	Peak  int64 // at most while it is opened
	Stays int64 // after it has run
}

// Compiler is a Runtime that compiles graphs for the processor. Compiled says what opening one will take; changed that some of its weights
// will be. ok is false where the graph would not be compiled. It may be called from any goroutine.
type Compiler interface {
	Compiled(path string, opts Options, changed bool) (o Opened, ok bool)
}
