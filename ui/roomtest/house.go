// Package roomtest is a house for the tests of one room of the window: what a room needs of the window, without the window.
//
// Contract: only tests import it; it knows no room. A House belongs to the goroutine of its test, but for Post and Background. What is
// posted waits until the test lets it happen, in Until and Settle; both fail the test when it never comes to that (package wait).
package roomtest

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"realword/ui/command"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/uitest"
)

// House is a house with one room, and the owner of the state that it shows.
type House struct {
	state.Owner
	Layers   kit.Layers
	Commands *command.Commands
	Win      fyne.Window

	Render func()      // of the room: makes it equal to the state
	Busy   func() bool // whether the room works at something that it posts later

	t      testing.TB
	posted chan func()
	tasks  int // of Background
}

// New is an empty house on a model of one size. Move puts a room into it.
func New(t testing.TB) *House {
	t.Helper()
	app := test.NewTempApp(t)
	Forget(t)
	kit.SetLook("system", 100)
	app.Settings().SetTheme(kit.Theme())
	h := &House{
		t: t, Owner: state.Owner{State: state.NewState()}, posted: make(chan func(), 1000), Win: test.NewTempWindow(t, nil),
		Render: func() {}, Busy: func() bool { return false },
	}
	h.OnChange = func() { h.Commands.RefreshMenus(); h.Render() }
	h.State.Model = uitest.Toybox
	f := &h.State.Form
	f.Steps, f.Stop, f.CFG = 25, 12, 7.5
	h.Layers.Canvas = h.Win.Canvas
	h.Commands = command.New(h.Win, &h.Layers)
	h.Commands.All = func() []command.Action { return nil }
	h.Commands.Own = func() map[string]string { return nil }
	h.Commands.OnHold = func(bool) {}
	h.Commands.Closing = func() bool { return false }
	h.Commands.Bind()
	t.Cleanup(h.Settle)
	return h
}

// Move puts the room's content on the screen, with its keys, how it is rendered, and what tells whether it works.
func (h *House) Move(content fyne.CanvasObject, actions func() []command.Action, render func(), busy func() bool) {
	h.Render, h.Busy, h.Commands.All = render, busy, actions
	h.Commands.Bind()
	h.Win.SetContent(content)
	h.Win.Resize(fyne.NewSize(520, 440))
	h.Refresh()
	h.Settle()
}

// Post lets the test do something when it comes to it.
func (h *House) Post(f func()) { h.posted <- f }

// Background does slow elsewhere, and posts what it answers.
func (h *House) Background(slow func() (show func())) {
	h.tasks++
	go func() {
		show := slow()
		h.posted <- func() {
			h.tasks--
			if show != nil {
				show()
			}
		}
	}()
}

// Until lets posted work happen until done holds.
func (h *House) Until(what string, done func() bool) {
	h.t.Helper()
	uitest.Until(h.t, h.posted, what, done)
}

// Settle lets everything happen that is under way.
func (h *House) Settle() {
	h.t.Helper()
	h.Until("the room is idle", func() bool { return h.tasks == 0 && !h.Busy() && len(h.posted) == 0 })
}

// Key presses a key that no widget has the focus for, as people write it.
func (h *House) Key(text string) {
	h.t.Helper()
	s, err := command.ParseStroke(text)
	if err != nil || !h.Commands.Press(s) {
		h.t.Fatalf("%s does nothing: %v", text, err)
	}
}
