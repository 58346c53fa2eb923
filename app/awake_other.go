//go:build !windows

package main

// holdAwake is for Windows.
func holdAwake() (end func()) { return func() {} }
