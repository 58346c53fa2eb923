// Package wording says for people what has no words of its own: errors, sizes, days, durations, paths.
//
// Contract: everything here answers in the language of the window (package i18n), knows the kinds of errors of the packages below the
// window, and nothing of Fyne. It may be called from any goroutine.
package wording
