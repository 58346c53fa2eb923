package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
)

func TestNothingCommandsATerminal(t *testing.T) {
	for text, want := range map[string]string{
		"a dog\n\ton the beach ü 犬 🐶\n":             "a dog\n\ton the beach ü 犬 🐶\n",
		"\x1b]0;owned\x07":                          `\u001b]0;owned\u0007`,
		"\u009b2J and \x9b2J":                       `\u009b2J and \u009b2J`,
		"over\rwritten\x7f\b":                       `over\u000dwritten\u007f\u0008`,
		"gnp.\u202edog\u2069":                       `gnp.\u202edog\u2069`,
		"Latin-1: caf\xe9, and what it was: \ufffd": "Latin-1: caf\xe9, and what it was: \ufffd",
	} {
		var b bytes.Buffer
		if n, err := fmt.Fprint(plain{&b}, text); b.String() != want || n != len(text) || err != nil {
			t.Errorf("%q gives %q, want %q (%d, %v)", text, b.String(), want, n, err)
		}
	}
	// JSON says the same as before.
	var b bytes.Buffer
	if err := json.NewEncoder(plain{&b}).Encode("\x1b\u009b\u202e ü"); err != nil {
		t.Fatal(err)
	}
	var back string
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || back != "\x1b\u009b\u202e ü" || bytes.ContainsAny(b.Bytes(), "\x1b\u009b\u202e") {
		t.Errorf("%q, %v", b.String(), err)
	}
	b.Reset()
	overwrite(plain{&b}, "50 % of \x1b[31mred")
	if b.String() != "\r\x1b[K"+`50 % of \u001b[31mred` {
		t.Errorf("%q", b.String())
	}
}
