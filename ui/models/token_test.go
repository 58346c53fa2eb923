package models

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"

	"realword/ui/kit"
)

// TestAccessToken: a token is pasted and kept; what cannot be kept is said on the sheet, which stays; one that is there can be removed.
func TestAccessToken(t *testing.T) {
	b, m := newBench(t)
	b.showCatalogue()
	b.Settle()
	paste := func(text string) {
		t.Helper()
		field, ok := found(b, func(f *kit.Field) bool { return f.Password })
		if !ok {
			t.Fatal("the sheet has no field")
		}
		field.SetText(text)
	}
	test.Tap(b.buttons["token"])
	if !b.sheetSays("There is no token yet.") {
		t.Error("it does not say that there is none")
	}
	b.pressSheet("Save")
	if len(m.Tokens) > 0 {
		t.Error("nothing was saved")
	}
	m.TokenErr = errors.New("that is no token")
	paste("a b")
	b.pressSheet("Save")
	if !b.sheetSays("That is no token.") {
		t.Error("the trouble is not said on the sheet")
	}
	m.TokenErr = nil
	paste("hf_one")
	b.pressSheet("Save")
	if !slices.Equal(m.Tokens, []string{"hf_one"}) || !strings.Contains(b.State.Shelf.Told, "saved") {
		t.Errorf("%q, %q", m.Tokens, b.State.Shelf.Told)
	}
	if _, up := found(b, func(f *kit.Field) bool { return f.Password }); up {
		t.Error("the sheet is still up")
	}
	m.TokenFrom = "/home/a/token"
	test.Tap(b.buttons["token"])
	if !b.sheetSays("/home/a/token") {
		t.Error("it does not say where the token is")
	}
	b.pressSheet("Remove the token")
	if !slices.Equal(m.Tokens, []string{"hf_one", ""}) {
		t.Errorf("%q", m.Tokens)
	}
}
