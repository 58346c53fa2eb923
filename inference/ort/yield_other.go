//go:build !linux && !windows

package ort

// Yield does nothing on this system; see Linux.
func Yield() {}

// GiveWay does nothing on this system; see Windows.
func GiveWay() {}
