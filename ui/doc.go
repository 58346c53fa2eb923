// Package ui is the window of Realword: it furnishes the rooms, each a package below it, and says what becomes of what the user does
// there.
//
// Contract: a room knows the window by the Host that it is given, and no other room; what concerns others it hands out (On… fields). It
// knows the types of inference (Request, Event, Job) and draws them with Fyne. Nothing here imports a package that needs cgo, nor
// fyne/v2/app: the app is a parameter, so that everything is tested without a display. What changes the history goes through package
// journal, which keeps its order.
//
// One goroutine, Fyne's, owns State and every widget. Anything that may take longer than a frame (opening the model, reading
// and decoding pictures, starting a run, enlarging previews, writing files) runs on other goroutines and comes back
// through Window.post. State is a plain value: State.Apply takes an event and answers the next state. The table of Window.rooms says what
// each room shows of it: state.Owner renders a room when that has changed (Change), and all of them when something else has that they
// show: a preference, a key, the language (Refresh).
package ui
