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

// TestRoomsAreRenderedByThemselves: a room is rendered when what it shows is another than it was, and what it changes itself is shown too.
func TestRoomsAreRenderedByThemselves(t *testing.T) {
	var rendered []string
	room := func(name string, shows func(State) []any) Room {
		return Room{Name: name, Shows: shows, Render: func() { rendered = append(rendered, name) }}
	}
	o := Owner{}
	o.Rooms = []Room{
		room("prompt", func(s State) []any { return []any{s.Form.Prompt} }),
		room("cards", func(s State) []any { return []any{s.Form.Cards, s.Selected} }),
		room("nothing", func(State) []any { return nil }),
		room("all", nil),
		{Name: "seed", Shows: func(s State) []any { return []any{s.Form.Prompt} }, Render: func() {
			o.Change(func(s *State) { s.Form.Seed = uint64(len(s.Form.Prompt)) })
		}},
		room("count", func(s State) []any { return []any{s.Form.Seed} }),
	}
	expect := func(what, want string) {
		t.Helper()
		if got := strings.Join(rendered, " "); got != want {
			t.Errorf("%s renders %q, want %q", what, got, want)
		}
		rendered = nil
	}
	o.Refresh()
	expect("a refresh", "prompt cards nothing all count all")
	o.Change(func(*State) {})
	expect("no change", "all")
	o.Change(func(s *State) { s.Selected = 3 })
	expect("a card that is chosen", "cards all")
	o.Change(func(s *State) { s.Form.Cards = []Card{{ID: 3, Notes: []string{"a"}}} })
	expect("a new card", "cards all")
	o.Change(func(s *State) { s.Form.Cards = []Card{{ID: 3, Notes: []string{"a"}}} })
	expect("an equal list", "all")
	o.Change(func(s *State) { s.Form.Cards = []Card{{ID: 3, Notes: []string{"b"}}} })
	expect("a list with another text", "cards all")
	o.Change(func(s *State) { s.Form.Prompt = "a dog" })
	expect("a room that changes what another shows", "prompt all count all")
	o.Change(func(s *State) { s.Form.Prompt = "a cat"; o.Refresh() })
	expect("a refresh within a change", "prompt cards nothing all count all")
}
