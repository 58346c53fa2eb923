//go:build !windows

package userfile

import "syscall"

const nonblocking = syscall.O_NONBLOCK
