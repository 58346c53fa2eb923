package session

import "strings"

// Change says how inputs that a graph gets besides its own change one of its weights W. The weight stays where it is, and what comes
// in may be another at every run.
type Change int

const (
	// Added is B·A on top of W: two inputs in float32, FactorA [r, …] in the place of W's outputs and FactorB [out, r], with further
	// dimensions of size 1 for a convolution. Only matrix products and convolutions take it. r is free.
	Added Change = iota + 1
	// Replaced is another weight in the place of W: one input, WholeWeight [n] in float32, all numbers in the order of the checkpoint.
	Replaced
)

// Names of the inputs that a change of a weight adds.
const (
	FactorA     = ".lora_a"
	FactorB     = ".lora_b"
	WholeWeight = ".lora"
)

// Key is the checkpoint's name of a weight, which may lie in a graph under several names.
func (w Weight) Key() string { return KeyOf(w.Name) }

// KeyOf is Key of a name.
func KeyOf(name string) string {
	name, _, _ = strings.Cut(name, ".stored")
	at := strings.LastIndexByte(name, '.') + 1
	if i := strings.LastIndexByte(name[at:], '_'); i > 0 && strings.Trim(name[at+i+1:], "0123456789") == "" {
		name = name[:at+i]
	}
	return name
}
