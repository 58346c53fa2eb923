// Package queue is the room of the jobs: it runs them, and its page lists those that run and those that wait.
//
// Contract: the room knows the window by Host alone, and no other room. Of the window's state it writes Queue and Run, what a run
// brings with it (State.Begin, State.ApplyTo), the seed that a job takes from the form, and ActionErr. This computer makes one job at a
// time, and beside it a farm makes as many as it has computers; the stage follows one of those that run. The next one begins when there is
// room, unless one has failed or the queue is paused. A job runs here or on a farm, which is another Runner behind the same
// events; what waits for a farm may be begun there already, and what waits for one that does not answer lets others pass. What a farm that
// is left has not made waits again; so does what it does not take, and with that the queue. What waits is in
// the journal, so that it survives the program. What the user takes out or stops comes back by Undo, under another ID. Rows have one
// height, only those in view are drawn, and under the pointer none moves by itself. Everything belongs to Fyne's goroutine; engines are
// called off it.
package queue

import (
	"context"
	"time"

	"realword/history/journal"
	"realword/inference"
	"realword/ui/command"
	"realword/ui/kit"
	"realword/ui/state"
)

// Host is what the room needs of the window.
type Host struct {
	State    func() state.State
	Change   func(func(*state.State)) // makes the state another one, and renders the rooms that show what has changed
	Journal  *journal.Journal
	Layers   *kit.Layers
	Commands *command.Commands
	Ghost    *kit.Ghost // what a job is dragged by

	Context    context.Context // ends when the window closes
	Post       func(func())
	Background func(slow func() (show func()))

	Engine func() Engine          // nil while no model is open
	Farm   Farm                   // that jobs can be handed over to; nil: none
	Before func(do func())        // does what makes a new job, once nothing speaks against it any more
	Refuse func()                 // says why no job can begin yet
	Hints  func() inference.Hints // of likeness, that the user wants; nil: none
	Pace   time.Duration          // between the steps of a run that are shown

	OnEvent   func(inference.Event, state.Flight) // of a job that runs; the state has taken it, and no other job has begun yet
	OnDone    func(state.Deed)                    // what the user did can be taken back; nil: nobody asks
	OnQuieter func()                              // events were delivered: a job may have ended
}

// Runner makes the pictures of resolved requests: the open model here, or a farm.
type Runner interface {
	// Start begins a job. Cancelling the context cancels it.
	Start(context.Context, inference.Request) (inference.Job, error)
}

// FarRunner is the Runner of one job that is not made here alone.
type FarRunner interface {
	Runner
	// Drop takes back what Ahead has begun of it, where Start is not called. It answers at once.
	Drop()
}

// Farm is other computers. Its methods are called on Fyne's goroutine and answer at once.
type Farm interface {
	// Runner is who makes a job that is not made here alone.
	Runner(t state.Task) FarRunner
	// Ahead may begin a waiting job, which is resolved, so that every computer has something to do: its Runner goes on with it.
	Ahead(t state.Task)
	// Drop takes back what Ahead has begun of a job that waits still.
	Drop(task int)
	// Share begins to share the queue of this computer, so that its own farm is there.
	Share()
}

// Engine makes pictures. Its methods are called off Fyne's goroutine.
type Engine interface {
	Runner
	// Resolve fills in what a request leaves to its preset and its model; see inference.Engine.
	Resolve(inference.Request) (inference.Request, error)
}
