package ort

import "golang.org/x/sys/windows"

// Yield does nothing on this system, where the threads of sessions have the priority of the process; see Linux.
func Yield() {}

// GiveWay makes this process, and what it starts, give way to windows of others: for one that has none itself. A priority that the user has
// given it stays.
func GiveWay() {
	self := windows.CurrentProcess()
	if class, err := windows.GetPriorityClass(self); err == nil && class == windows.NORMAL_PRIORITY_CLASS {
		_ = windows.SetPriorityClass(self, windows.BELOW_NORMAL_PRIORITY_CLASS)
	}
}
