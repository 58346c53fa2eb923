// Package models is the page of the models: the list, what there is to know of each, imports of checkpoints, downloads from the
// catalogue, checks, names, removal, and when the window goes over to another model.
//
// Contract: the room knows the window by Host alone, and no other room. It opens no engine and touches no form: it decides when another
// model's time has come and calls OnOpen; the window opens it and answers with Page.Opened. The Shelf is the window's value; the room
// writes all of it but Using, Opened and Chosen of a model that the window has opened. Everything belongs to Fyne's goroutine but the
// methods of state.Models, which are called off it, one or several at a time.
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

	Shelf   *state.Shelf       // of the window's state
	State   func() state.State // as it is now
	Hinders func() error       // why no other model can be opened at present; nil: one can
	Places  func() Places

	OnShow    func()                       // the page comes up over the others
	OnOpen    func(path string)            // it is time to open a model; Page.Opened is the answer
	OnStop    func()                       // the running job is to stop
	OnChange  func()                       // what other rooms show has changed: the model that is next, a name
	OnRenamed func(path, name string)      // a model has another name
	OnKeep    func(path string, keep bool) // a model outside the folder belongs to the list from now on, or does not
	OnReveal  func(folder string)          // it is to be shown in the system's file manager
}

// Places are where models lie, as the user has chosen.
type Places struct {
	Folder    string   // that models are kept in; "": Models.Folder
	Elsewhere []string // models outside of it that belong to the list
	Named     []string // models of the command line and of the last time, wherever they lie; "" are left out
}
