package settings

import (
	"fyne.io/fyne/v2"

	"realword/inference/lora"
	"realword/inference/prompt"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/wordbook"
)

// Host is what the panel needs of the window. All of it is set.
type Host struct {
	State    func() state.State
	Change   func(func(*state.State)) // makes the state another one and renders it
	Shortcut func(fyne.Shortcut) bool // what a field does not know itself; it tells whether somebody does
	Layers   *kit.Layers

	Presets     func() state.OwnPresets // of the user
	SavePresets func(state.OwnPresets)
	Done        func(text, back string, d state.Deed) // says what was done, with a way back, and what the way back has done

	Memory     func() MemoryTeller // nil: there is no model yet, or one that does not know
	Background func(slow func() (show func()))

	Library  *lora.Library          // of the user's LoRAs; nil: there is none
	OpenLoRA func() (string, error) // asks for the file of one; nil: there is no such dialog
	LoRAs    func() LoRATeller      // of the open model; nil before, or where it does not know
	Say      func(text string, bad bool)
	Encode   func(text string, how prompt.Reading) *prompt.Prompt // nil while no model is open
	Book     *wordbook.Book                                       // earlier prompts, and styles

	Where fyne.CanvasObject // the choice where the next job is made, under it; nil: there is none

	OnGenerate, OnStop func()
	OnResume           func()               // the paused queue goes on
	OnMend             func(card int)       // a subject whose word is gone takes the one that the panel offers
	OnRelieved         func(reasons string) // what Refuse answered is no longer so
}
