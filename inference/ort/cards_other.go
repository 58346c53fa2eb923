//go:build !windows

package ort

import "os/exec"

// hidden is for Windows, where a program opens a window of a terminal.
func hidden(c *exec.Cmd) *exec.Cmd { return c }
