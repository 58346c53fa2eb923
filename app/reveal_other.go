//go:build !windows

package main

// reveal is nil: what Fyne opens an address with takes folders of every name.
var reveal func(folder string) error
