package state

import (
	"strings"
	"testing"
)

// TestOwnerShowsEveryChangeOnce: what belongs to one change is shown at once and together, and what showing changes is shown too.
func TestOwnerShowsEveryChangeOnce(t *testing.T) {
	var shown []string
	o := Owner{}
	o.OnChange = func() {
		shown = append(shown, o.Form.Prompt)
		if o.Form.Prompt == "a dog " {
			o.Change(func(s *State) { s.Form.Prompt = "a dog" }) // as a field that trims its text
			if o.Form.Prompt != "a dog" {
				t.Error("a change waits for the screen")
			}
		}
	}
	expect := func(what, want string) {
		t.Helper()
		if got := strings.Join(shown, "|"); got != want {
			t.Errorf("%s: shown are %q, want %q", what, got, want)
		}
		shown = nil
	}
	o.Change(func(s *State) { s.Form.Prompt = "a cat" })
	expect("one change", "a cat")
	o.Change(func(s *State) {
		s.Form.Prompt = "a"
		o.Change(func(s *State) { s.Form.Prompt += " bird" })
		if o.Now().Form.Prompt != "a bird" {
			t.Errorf("within a change the prompt is %q", o.Now().Form.Prompt)
		}
	})
	expect("a change in a change", "a bird")
	o.Change(func(s *State) { s.Form.Prompt = "a dog " })
	expect("a change by the screen", "a dog |a dog")
	o.Refresh()
	expect("a refresh", "a dog")
}

// TestOwnerNeverHangs: a screen that changes the State whenever it is shown is left at some time, and shown again with the next change.
func TestOwnerNeverHangs(t *testing.T) {
	o, shown := Owner{}, 0
	o.OnChange = func() {
		shown++
		o.Change(func(s *State) { s.Form.Count++ })
	}
	o.Refresh()
	if shown == 0 || shown > 10 {
		t.Errorf("shown %d times", shown)
	}
	if o.Refresh(); o.Form.Count != shown {
		t.Errorf("%d changes, shown %d times", o.Form.Count, shown)
	}
}
