// Package session keeps the session that the window works at: it opens the history, takes up a session as it was left, keeps the form
// while it changes, and reads pictures of the history that come into view.
//
// Contract: the package shows nothing and knows no room. Of the window's state it writes History, and with a session or a picture that is
// taken up what belongs to it (Form, Words, Shots, View, Run). It reads files and the history off Fyne's goroutine, to which all else
// belongs. What can be read of a session comes back: a reference, a picture or a draft that is gone or damaged is said, not fatal. A
// picture that is in this window alone stays among the Shots, whichever session comes up.
package session

import (
	"context"

	"realword/history"
	"realword/history/journal"
	"realword/ui/state"
)

// Host is what the keeper needs of the window. All of it is set but what is said to be nil.
type Host struct {
	State   func() state.State
	Change  func(func(*state.State)) // makes the state another one, and renders the rooms that show what has changed
	Journal *journal.Journal

	Context    context.Context // ends when the window closes
	Post       func(func())
	Background func(slow func() (show func()))
	Closing    func() bool                      // nothing is begun any more
	Resting    func() bool                      // the window sleeps, and nothing can change; from any goroutine
	Eye        func() state.Eye                 // what references are read with
	Words      func(prompt string) []state.Word // as the model reads it

	Example       Example                         // the zero one: there is none
	OpenHistory   func() (*history.Store, error)  // nil: nothing is kept
	SetAside      func() error                    // moves a history that cannot be used away
	RescueHistory func() (history.Rescued, error) // the same, and begins a new one with what can be read of it
	Unrescued     func() string                   // a damaged one that was moved away for that, which did not end; nil: nobody knows

	OnOpened  func(*history.Store) (show func()) // a history was opened: reads what else comes back, off Fyne's goroutine
	OnTakenUp func()                             // another session is in the state, and not yet shown
	OnBinned  func()                             // pictures have left the state, or are marked otherwise, and are still shown as before
	OnCompare func(state.Shot)                   // it is to be shown beside the picture in view
	OnRescued func(text string, bad bool)        // how a rescue has ended
	OnOffer   func(text string)                  // a rescue is offered: Rescue
	OnFresh   func()                             // the user has begun an empty session, or come back to one from the example
	OnQuicker func(session uint64)               // the last session was read, and the user has begun something else meanwhile
}
