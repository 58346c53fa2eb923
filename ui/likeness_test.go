package ui

import (
	"testing"

	"realword/inference"
)

// TestWhenHintsAreWanted: where they cost little, unless the user has said otherwise.
func TestWhenHintsAreWanted(t *testing.T) {
	for wanted, want := range map[string]inference.Hints{
		"": inference.CheapHints, "always": inference.AllHints, "never": inference.NoHints, "of a newer program": inference.CheapHints,
	} {
		if got := hints(wanted); got != want {
			t.Errorf("%q: %v", wanted, got)
		}
	}
}
