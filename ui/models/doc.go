// Package models is the page of the models: the list, what there is to know of each, imports of checkpoints, downloads from the
// catalogue, checks, names, removal, and when the window goes over to another model.
//
// Contract: the room knows the window by Host alone, and no other room. It owns the engine of the open model: it decides when another
// model's time has come, opens it, has the form and the queue fit it, and closes the one before; Page.Engine is nil while none is open. Of
// the window's state it writes Shelf, Model and ModelErr, and with another model Form, Words and Queue. Everything belongs to Fyne's
// goroutine but the methods of state.Models and the slow ones of Engine, which are called off it, one or several at a time.
package models

import (
	"context"

	"fyne.io/fyne/v2"

	"realword/ui/kit"
	"realword/ui/state"
)

// Host is what the page needs of the window. All of it is set but what is said to be nil.
type Host struct {
	Models state.Models // nil: this program opens the model inside it alone, and the page never shows
	// OpenFile and OpenFolder ask for checkpoints; "" means that the user changed their mind. They may block. Nil hides their buttons.
	OpenFile, OpenFolder func() (string, error)

	Context    context.Context // ends when the window closes
	Background func(slow func() (show func()))
	Post       func(func())
	Layers     *kit.Layers
	Notices    *kit.NoticeBar
	Shortcut   func(fyne.Shortcut) bool // what a field does not know itself; it tells whether somebody does
	Notify     func(title, text string)

	State   func() state.State
	Change  func(func(*state.State)) // makes the state another one, and renders the rooms that show what has changed
	Open    func(ctx context.Context, model string) (Engine, error)
	Hinders func() error // why no other model can be opened at present; nil: one can
	Places  func() Places

	OnStop   func()                       // the running job is to stop
	OnReady  func()                       // the model of the start is open, and not yet shown
	OnUsed   func(path string)            // the user has gone over to a model
	OnIdle   func()                       // no model is being opened any more: a job may begin
	OnSight  func()                       // the open model sees references in another size
	OnKeep   func(path string, keep bool) // a model outside the folder belongs to the list from now on, or does not
	OnReveal func(folder string)          // it is to be shown in the system's file manager
}

// Places are where models lie, as the user has chosen.
type Places struct {
	Folder    string   // that models are kept in; "": Models.Folder
	Elsewhere []string // models outside of it that belong to the list
	// Given is the model of the command line, Last the one that was used last, wherever they lie; "" is the one inside the program.
	Given, Last string
}
