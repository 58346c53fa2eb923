// Package state is what the window shows, as values: the form with its cards, the job that runs and its film, finished pictures, the
// queue, the shelf of models, and what each event and each deed of the user makes of them.
//
// Contract: State and everything in it are values: a method answers the next one and changes nothing, so that a test needs no window and an
// older value stays as it was. It says in the window's words (package i18n) what is to be said of them, and knows no widget. The
// window owns the one State there is, on Fyne's goroutine; values may be read anywhere.
package state
