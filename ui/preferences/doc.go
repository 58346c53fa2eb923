// Package preferences is the room of what the user chooses once and for all sessions: the preferences, how they are kept and acted on, and
// the sheets in which they, and what the program is, are shown.
//
// Contract: the room knows the window by Host alone, and no other room. It alone reads and writes the app's preferences, which lie
// beside the history; what cannot be read there is replaced by its default, never an error. What is changed holds at once, but for the
// language and the device, which say so. Everything belongs to Fyne's goroutine; dialogs and reports go through Host.Background.
package preferences

import (
	"fyne.io/fyne/v2"

	"realword/ui/command"
	"realword/ui/kit"
	"realword/ui/state"
)

// Card is a graphics card.
type Card struct {
	Device string // "webgpu:1"
	Name   string // that the driver gives it
}

// Host is what the room needs of the window. All of it is set but what is said to be nil.
type Host struct {
	Layers     *kit.Layers
	Commands   *command.Commands
	Background func(slow func() (show func()))

	Program    string                                     // name and version, for picture files
	Pictures   string                                     // the usual folder for finished pictures
	Models     state.Models                               // nil: there is but one model
	OpenFolder func() (string, error)                     // asks for a folder; "": the user changed their mind. Nil: it cannot be asked
	Steps      func(budget int64) fyne.CanvasObject       // chooses how much step data is kept, in bytes; 0: no limit
	SaveFile   func(name string) (path string, err error) // asks where to; "": nowhere. Nil: it cannot be asked
	Cards      func() []Card                              // to compute on, beside the one that is taken by itself; quick. Nil: none

	Title, Credits string                  // of the program; credits as Markdown
	Logs           string                  // folder of the log files; "": there are none
	Report         func(path string) error // writes what a helper needs to know into a new file. Nil: there is no such thing

	OnChange func()              // what the window shows has changed
	OnModels func()              // models are kept in another folder
	OnBudget func(budget int64)  // so much step data is kept from now on
	OnReveal func(folder string) // it is to be shown in the system's file manager
	OnReport func(kit.Notice)    // how a report comes on
}
