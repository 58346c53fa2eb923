// Package mac asks tools that every Mac has for what Go alone cannot do there: file dialogs, and pictures and files in the clipboard. So
// nothing of it has to be compiled on a Mac: its scripts are for osascript, which bridges JavaScript and the classes of the system.
//
// Contract: it is compiled and tested on every system, and used on macOS alone. Its calls wait for another program, which ends with the
// context, or with the window; none belongs on Fyne's goroutine, and all others may call them. A tool that fails is an error that says what
// else can be done.
package mac
