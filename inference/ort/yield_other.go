//go:build !linux

package ort

// Yield does nothing on this system; see Linux.
func Yield() {}
