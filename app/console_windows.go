package main

import (
	"log"
	"os"

	"golang.org/x/sys/windows"
)

// useConsole connects a program that is built for windows with the console it was started from, if there is one: what is not
// redirected into a file or pipe is read from there and written to there, and interrupts arrive.
func useConsole(interrupt func()) {
	const parent = ^uintptr(0)
	if ok, _, _ := windows.NewLazySystemDLL("kernel32.dll").NewProc("AttachConsole").Call(parent); ok == 0 {
		return // there is none, or the program has one
	}
	hear(&console{interrupt: interrupt})
	for _, c := range []struct {
		file   **os.File
		handle uint32
		device string
	}{
		{&os.Stdin, windows.STD_INPUT_HANDLE, "CONIN$"},
		{&os.Stdout, windows.STD_OUTPUT_HANDLE, "CONOUT$"},
		{&os.Stderr, windows.STD_ERROR_HANDLE, "CONOUT$"},
	} {
		if kind, err := windows.GetFileType(windows.Handle((*c.file).Fd())); err == nil && kind != windows.FILE_TYPE_UNKNOWN {
			continue
		}
		f, err := os.OpenFile(c.device, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		*c.file = f
		_ = windows.SetStdHandle(c.handle, windows.Handle(f.Fd())) // for the runtime's own messages
	}
	log.SetOutput(os.Stderr)
}

// hear has a console tell what is asked for there. What the runtime of Go had asked Windows for at the start of the program is forgotten
// with AttachConsole.
func hear(c *console) {
	handler := windows.NewCallback(func(event uint32) uintptr {
		taken, last := c.told(event)
		if last {
			select {} // the program ends by itself meanwhile, or Windows ends it after five seconds, or with the answer
		}
		if taken {
			return 1
		}
		return 0
	})
	_, _, _ = windows.NewLazySystemDLL("kernel32.dll").NewProc("SetConsoleCtrlHandler").Call(handler, 1)
}
