// Package wordbook keeps what the user has written: the prompts of earlier jobs, and styles, which are named pieces of prompt and
// negative prompt that can be laid over another one.
//
// Contract: it belongs to the window's goroutine. Both lists are in the app's preferences; what cannot be read there is left out, and
// kept by itself. It changes the window's State through its Host alone, as typing would, so that bound words stay bound and undo takes a
// change back. It knows no other room.
package wordbook

import (
	"fyne.io/fyne/v2"

	"realword/ui/kit"
	"realword/ui/state"
)

// Host is what the book needs of the window. All of it is set.
type Host struct {
	State    func() state.State
	Change   func(func(*state.State)) // makes the state another one, and renders the rooms that show what has changed
	Words    func(text string) []state.Word
	Kept     fyne.Preferences
	Layers   *kit.Layers
	Shortcut func(fyne.Shortcut) bool
	Done     func(text, back string, d state.Deed) // says what was done, with a way back, and what the way back has done
}
