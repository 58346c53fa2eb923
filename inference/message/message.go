// Package message makes errors that can be said in another language than English.
//
// Contract: an error made here is an English sentence with its remedy, as any other of this program, and keeps the text with its verbs
// and the values apart, so that the window can look the text up in its translations. It imports nothing of Realword, and nothing is
// said here: a package below the window does not know the language. The text must be written out in the call, since en.json is made
// from these calls too. Everything may be called from any goroutine.
package message

import (
	"fmt"
	"strings"
)

// Error is a sentence. It wraps the errors among its values that stand at a %w.
type Error struct {
	Text   string // with verbs of package fmt
	Values []any  // of the verbs; those that are errors are said in the language of the window too
	err    error
}

// Errorf is fmt.Errorf, in a form that can be translated.
func Errorf(text string, values ...any) error { return Note(text, values...) }

// Note is Errorf for a sentence that is told and is no error: where one is wanted, what cannot be translated does not compile.
func Note(text string, values ...any) *Error {
	return &Error{Text: text, Values: values, err: fmt.Errorf(text, values...)}
}

// Teller is an error of a type of its own that can be said in another language: Told is what it says.
type Teller interface{ Told() *Error }

// New is errors.New, in a form that can be translated.
func New(text string) error { return &Error{Text: text, err: fmt.Errorf("%s", text)} }

// Text marks a text as one to translate, of which an error is made elsewhere.
func Text(text string) string { return text }

// Make is Errorf for a text that stands in a call of Text.
func Make(text string, values ...any) error { return Errorf(text, values...) }

// Of is New for a text that stands in a call of Text.
func Of(text string) error { return New(text) }

func (e *Error) Error() string { return e.err.Error() }

// Unwrap makes errors.Is and errors.As find what the values wrap.
func (e *Error) Unwrap() error { return e.err }

// Reword is the text of an error in other words: said gives those of one error of the chain, "" where it knows none, and what it says of
// an error stands in the text of all that wrap it.
func Reword(err error, said func(error) string) string {
	if own := said(err); own != "" {
		return own
	}
	text := err.Error()
	var inner []error
	switch e := err.(type) { //nolint:errorlint // the chain is walked here
	case interface{ Unwrap() error }:
		inner = []error{e.Unwrap()}
	case interface{ Unwrap() []error }:
		inner = e.Unwrap()
	}
	for _, part := range inner {
		if part == nil {
			continue
		}
		if own := Reword(part, said); own != part.Error() {
			text = strings.Replace(text, part.Error(), own, 1)
		}
	}
	return text
}
