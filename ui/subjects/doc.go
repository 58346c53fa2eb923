// Package subjects is the left side of the window and the words under the prompt: the cards of the subjects with their squares, and the
// prompt's words, which cards are bound to by a click, a drag or a key. Pictures come in here, from files, folders and the clipboard.
//
// Contract: it reads the window's one State and says with Change what of it is to be different; it asks the open model through Engine,
// and knows no other panel. Everything belongs to Fyne's goroutine; reading of pictures goes through Background.
package subjects
