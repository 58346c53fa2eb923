package ort

import (
	"testing"

	"golang.org/x/sys/windows"
)

// A process gives way, and one of which the user wants something else stays as it is.
func TestGiveWay(t *testing.T) {
	self := windows.CurrentProcess()
	was, err := windows.GetPriorityClass(self)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = windows.SetPriorityClass(self, was) })
	for _, c := range [][2]uint32{
		{windows.NORMAL_PRIORITY_CLASS, windows.BELOW_NORMAL_PRIORITY_CLASS}, {windows.IDLE_PRIORITY_CLASS, windows.IDLE_PRIORITY_CLASS},
		{windows.HIGH_PRIORITY_CLASS, windows.HIGH_PRIORITY_CLASS},
	} {
		if err := windows.SetPriorityClass(self, c[0]); err != nil {
			t.Fatal(err)
		}
		GiveWay()
		if got, err := windows.GetPriorityClass(self); err != nil || got != c[1] {
			t.Errorf("%#x becomes %#x, want %#x; %v", c[0], got, c[1], err)
		}
	}
}
