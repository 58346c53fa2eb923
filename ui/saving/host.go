package saving

import (
	"sync"

	"realword/history/journal"
	"realword/inference/recipe"
	"realword/ui/state"
)

// Host is what the room needs of the window. All of it is set but what is said to be nil.
type Host struct {
	State      func() state.State
	Change     func(func(*state.State)) // makes the state another one, and renders the rooms that show what has changed
	Journal    *journal.Journal
	Post       func(func())
	Background func(slow func() (show func()))

	Folder   func() string // for finished pictures
	FileName func() string // pattern of their names below it; see state.FileName
	Embed    func() recipe.Embed
	SaveFile func(name string) (path string, err error) // asks where to and, where a file is there, whether to replace it; "": the user changed their mind. It may block. Nil: it cannot be asked
	Reveal   func(folder string) error                  // in the system's file manager

	// They put a picture file, or files, into the system's clipboard, off Fyne's goroutine. Nil: that is not possible.
	CopyImage func(png []byte) error
	CopyFiles func(paths []string) error

	OnHeight func() // the bar comes or goes
}

// Saver writes pictures and knows those that are in no file.
type Saver struct {
	host     Host
	Bar      *Bar
	lent     string       // the folder of what other programs were lent; "": none was
	takeBack func()       // removes it
	writing  []state.Shot // that were in no file and are being given one
	turn     sync.Mutex   // of writing one into the pictures folder
}

// New makes it, with its bar hidden.
func New(h Host) *Saver {
	v := &Saver{host: h}
	v.Bar = newBar(v)
	return v
}
