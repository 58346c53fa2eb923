// Package gallery is the room of the history: the page of sessions and pictures, the tree of a session's jobs, and the banner over
// the window when the history is in trouble.
//
// Contract: the room knows the window by Host and its On… fields alone, and no other room. It reads the history off Fyne's goroutine
// and changes it through the journal; it opens and closes none. What the window shows (State) it only reads: pictures for the stage,
// references and sessions to go on with are handed out through On… fields. The On… fields are set before anything is shown, and are
// called on Fyne's goroutine, to which everything here belongs but what says otherwise.
package gallery

import (
	"context"

	"realword/history/journal"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/recipe"
	"realword/ui/command"
	"realword/ui/kit"
	"realword/ui/state"
)

// Host is what the page needs of the window. All of it is set but what is said to be nil.
type Host struct {
	Journal  *journal.Journal
	Layers   *kit.Layers
	Commands *command.Commands
	Context  context.Context // ends when the window closes

	Post       func(func())                    // does something on Fyne's goroutine
	Background func(slow func() (show func())) // does something off it, and shows what it answers

	State func() state.State // as it is now
	Maker func() *Maker      // makes lost files again; it answers nil while no model is open

	// They ask the user for a file or a folder, off Fyne's goroutine; "" means a change of mind. Nil hides their buttons.
	OpenFolder, OpenSession func() (string, error)
	SaveSession             func(name string) (string, error)
}

// Maker makes pictures of the history again with the model that is open.
type Maker struct {
	Model bundle.Manifest
	Embed recipe.Embed // what goes into picture files
	// Start begins a job; it may be slow and is called off Fyne's goroutine.
	Start func(context.Context, inference.Request) (inference.Job, error)
	// Resolve tells whether the model can make what is asked for; see inference.Engine.
	Resolve func(inference.Request) (inference.Request, error)
}
