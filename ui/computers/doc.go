// Package computers is the room of the other computers: the page on which this one is shared or joins a farm, the machines of the farm
// with what they do, and who makes the jobs that are not made here alone.
//
// Contract: the room knows the window by Host alone, and no other room. Of the window's state it writes Farm, Queue.Away, Queue.Slots
// and the Makers and Waits of runs. The open model can be fetched from here by computers of the farm that lack it, unless the user has
// switched that off. Nothing listens before the user starts to share, or has left it on when the window ended, and no farm is reached for
// that the user has not joined. What a job on the farm sends are the events of package inference, so that everything else of the window
// takes them as if they came from here. Before a farm is left, jobs are taken back from it and end with state.ErrRecalled; what a farm that
// is away has still of jobs that ended is taken back once it is there, also by the next window. Page belongs to Fyne's goroutine; Link,
// which holds the server and the connection, has goroutines of its own and may be used from any.
package computers

import (
	"context"

	"realword/inference"
	"realword/inference/bundle"
	"realword/ui/command"
	"realword/ui/kit"
	"realword/ui/state"
)

// Host is what the room needs of the window.
type Host struct {
	State      func() state.State
	Change     func(func(*state.State))
	Context    context.Context // ends when the window closes
	Post       func(func())
	Background func(slow func() (show func()))
	Layers     *kit.Layers
	Commands   *command.Commands

	Dir     string // of the farm's files; "": there is no room for other computers
	Listen  string // host:port at which a shared queue listens
	Version string
	Sharing bool // this computer shared its queue when the window ended: it does so again

	OnSharing func(on bool) // the user has begun to share, or ended it

	Stay   bool            // no model leaves this computer
	OnStay func(stay bool) // the user wants it otherwise

	OnWhere func(state.Where) // the user has chosen where the next job is made

	Engine  func() Engine          // of the open model; nil while none is
	Copy    func(text string)      // into the clipboard
	OpenKey func() (string, error) // asks for a file of credentials; "": the user changed their mind; nil: there is no such dialog
	OnCard  func(file string)      // the user wants a model of which only the card is here
	OnFarm  func()                 // the farm is there, or is back: what waits for it may begin
}

// Engine is an open model. Start may be slow and is called off Fyne's goroutine.
type Engine interface {
	Start(context.Context, inference.Request) (inference.Job, error)
	Manifest() bundle.Manifest
}
