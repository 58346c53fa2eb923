//go:build !windows

package main

// useConsole is for Windows, where a program with a window has no console of its own.
func useConsole(func()) {}
