package saving

import (
	"realword/history/journal"
	"realword/inference/recipe"
	"realword/ui/state"
)

// Host is what the room needs of the window. All of it is set but what is said to be nil.
type Host struct {
	State      *state.State // of the window: ActionErr and what Shots say of their files is written
	Journal    *journal.Journal
	Post       func(func())
	Background func(slow func() (show func()))
	Changed    func() // the state has changed: everything is to be shown anew

	Folder   func() string // for finished pictures
	FileName func() string // pattern of their names below it; see state.FileName
	Embed    func() recipe.Embed
	SaveFile func(name string) (path string, err error) // asks where to; "": the user changed their mind. It may block. Nil: it cannot be asked
	Reveal   func(folder string) error                  // in the system's file manager

	OnHeight func() // the bar comes or goes
}

// Saver writes pictures and knows those that are in no file.
type Saver struct {
	Host
	Bar *Bar
}

// New makes it, with its bar hidden.
func New(h Host) *Saver {
	v := &Saver{Host: h}
	v.Bar = newBar(v)
	return v
}
