package ort

import (
	"os/exec"
	"syscall"
)

// hidden has a program open no window of a terminal, which would flash up over the studio.
func hidden(c *exec.Cmd) *exec.Cmd {
	const createNoWindow = 0x08000000
	c.SysProcAttr = &syscall.SysProcAttr{HideWindow: true, CreationFlags: createNoWindow}
	return c
}
