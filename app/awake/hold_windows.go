package awake

import (
	"runtime"

	"golang.org/x/sys/windows"
)

// Hold has the computer go to sleep only where the user wants it to, until end is called. Windows keeps such a wish with the thread that
// has it, and forgets it with the thread; it asks for no reason.
func Hold(string) (end func()) {
	const continuous, system = 0x80000000, 1
	wish := windows.NewLazySystemDLL("kernel32.dll").NewProc("SetThreadExecutionState")
	over := make(chan bool)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		wish.Call(continuous | system)
		<-over
		wish.Call(continuous)
	}()
	return func() { close(over) }
}
