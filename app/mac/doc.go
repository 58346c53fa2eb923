// Package mac asks tools that every Mac has for what Go alone cannot do there: file dialogs. It has no code in another language that would
// have to be compiled on a Mac.
//
// Contract: it is compiled and tested on every system, and used on macOS alone. Its calls wait for another program, which ends with the
// context, or with the window; none belongs on Fyne's goroutine, and all others may call them. A tool that fails is an error that says what
// else can be done.
package mac
