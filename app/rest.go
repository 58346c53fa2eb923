package main

import (
	"time"

	"fyne.io/fyne/v2"
	"github.com/go-gl/glfw/v3.4/glfw" // the one that Fyne drives its windows with

	"realword/app/pointer"
)

// waitForEvent sleeps until the system has an event for the window or wake is called, but not longer than limit, and handles the
// event. It belongs to the window's goroutine. It tells whether something came.
func waitForEvent(limit time.Duration) (came bool) {
	defer ended()
	followPointer()
	begin := time.Now()
	glfw.WaitEventsTimeout(limit.Seconds())
	return time.Since(begin) < limit
}

// followed tells that clicks land where the pointer is; see package pointer.
var followed bool

func followPointer() {
	if windows := fyne.CurrentApp().Driver().AllWindows(); !followed && len(windows) > 0 {
		followed = pointer.Follow(windows[0])
	}
}

// wake ends a waitForEvent. It may be called from any goroutine.
func wake() {
	defer ended()
	glfw.PostEmptyEvent()
}

// ended takes the panic with which the binding answers while there is no window yet, or none any more. What GLFW has against a wait
// is no reason to end the program: Fyne goes on looking for events by itself.
func ended() {
	if r := recover(); r != nil {
		if _, fromGLFW := r.(*glfw.Error); !fromGLFW {
			panic(r)
		}
	}
}
