// Package pointer has clicks and turns of the wheel land where the pointer is. Fyne handles moves of the pointer once for every time that
// it looks for events, after the clicks that came with them. So a click that comes before the window has looked, because a sheet just
// came up or the machine is busy, landed where the pointer had been before. And a key that is held does once what it does, unless it is one
// to move, erase or turn something with: Fyne does it again at each repeat, so that Ctrl+Enter, held for a second, made 14 jobs.
// It belongs to the window's goroutine, has no errors, and does nothing to windows that are not Fyne's own.
package pointer

import (
	"reflect"
	"unicode"
	"unicode/utf8"
	"unsafe" // also for go:linkname

	"fyne.io/fyne/v2"
	"github.com/go-gl/glfw/v3.4/glfw" // the one that Fyne drives its windows with
)

// Follow answers whether a window's clicks land where the pointer is, and keys do what they do once, from now on. It does not while the
// window is not on the screen yet: ask again. It must be asked once for a window, until it answers true.
func Follow(w fyne.Window) bool {
	if t := reflect.TypeOf(w); t == nil || t.String() != "*glfw.window" {
		return false
	}
	of := (*[2]unsafe.Pointer)(unsafe.Pointer(&w))[1]
	window := view(of)
	if window == nil {
		return false
	}
	var x, y float64
	moved := false
	arrive := func() {
		if moved {
			moved = false
			processMouseMoved(of, x, y)
		}
	}
	var move glfw.CursorPosCallback
	var click glfw.MouseButtonCallback
	var scroll glfw.ScrollCallback
	move = window.SetCursorPosCallback(func(w *glfw.Window, atX, atY float64) {
		x, y, moved = atX, atY, true
		move(w, atX, atY)
	})
	click = window.SetMouseButtonCallback(func(w *glfw.Window, b glfw.MouseButton, a glfw.Action, m glfw.ModifierKey) {
		arrive()
		click(w, b, a, m)
	})
	scroll = window.SetScrollCallback(func(w *glfw.Window, dx, dy float64) {
		arrive()
		scroll(w, dx, dy)
	})
	var key glfw.KeyCallback
	key = window.SetKeyCallback(func(w *glfw.Window, k glfw.Key, scancode int, a glfw.Action, m glfw.ModifierKey) {
		if a != glfw.Repeat || repeats(k, glfw.GetKeyName(k, scancode)) {
			key(w, k, scancode, a, m)
		}
	})
	return true
}

// repeats tells whether a key does what it does again and again while it is held; name is what the keyboard calls it, where it writes
// something. What is typed into a text comes to Fyne another way, and repeats.
func repeats(k glfw.Key, name string) bool {
	switch k {
	case glfw.KeyEnter, glfw.KeyKPEnter, glfw.KeySpace, glfw.KeyEscape:
		return false
	case glfw.KeyZ, glfw.KeyY: // undo and redo, also where the alphabet is another
		return true
	}
	letter, _ := utf8.DecodeRuneInString(name)
	return name == "z" || name == "y" || !unicode.IsLetter(letter) && (k < glfw.KeyF1 || k > glfw.KeyF25)
}

// Fyne has not made these public; should a newer Fyne not have them, the program does not link, and clicks may have been mended by then.

//go:linkname view fyne.io/fyne/v2/internal/driver/glfw.(*window).view
func view(of unsafe.Pointer) *glfw.Window

//go:linkname processMouseMoved fyne.io/fyne/v2/internal/driver/glfw.(*window).processMouseMoved
func processMouseMoved(of unsafe.Pointer, x, y float64)
