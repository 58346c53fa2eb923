// Package ui is the window of Realword.
//
// Contract: it knows the types of inference (Request, Event, Job) and draws them with Fyne; it never imports a package
// that needs cgo, nor fyne/v2/app: the app is a parameter, so that everything here is tested without a display. What changes
// the history goes through package journal, which keeps its order.
//
// One goroutine, Fyne's, owns State and every widget. Anything that may take longer than a frame (opening the model, reading
// and decoding pictures, starting a run, enlarging previews, writing files) runs on other goroutines and comes back
// through Window.post. State is a plain value: State.Apply takes an event and answers the next state, and Window.refresh
// makes the widgets equal to the state.
package ui
