package reuse

import (
	"image"

	"realword/history"
	"realword/inference"
	"realword/inference/lora"
	"realword/ui/kit"
	"realword/ui/state"
)

// Host is what the desk needs of the window. All of it is set.
type Host struct {
	State      func() state.State
	Change     func(func(*state.State))
	Background func(slow func() (show func()))
	Layers     *kit.Layers

	Store   func() *history.Store // nil: there is no history
	Eye     func() state.Eye
	Words   func(prompt string) []state.Word
	Reading func(name string) (read func()) // a file is being read, until read is called; both on any goroutine
	Small   func(state.Shot) image.Image    // for a thumbnail

	Make func(state.Task) // puts a job at the end of the queue
	// Resolver answers what says whether the open model can make a job; that is slow, and runs on any goroutine.
	Resolver func() func(inference.Request) (inference.Request, error)

	// Reach says how to come by the model that a recipe names: the text of a button and what it does, and again once that model is open.
	// do is nil where there is no way, or the model is open.
	Reach func(model string, again func()) (text string, do func())

	LoRAs   *lora.Library            // nil: there is no room for any
	Samples func() map[string][]byte // files of the references that come with the program, by SHA-256

	OnFile func(path string) // it has no recipe, or is to be a reference all the same
}

// Desk has sheets for a recipe, for the word of a picture, and for what of a picture is made again.
type Desk struct{ host Host }

// New makes the desk.
func New(h Host) *Desk { return &Desk{h} }
