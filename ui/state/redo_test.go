package state

import (
	"testing"

	"realword/inference"
	"realword/ui/uitest"
)

// The alternatives of a prompt, and of what to avoid, are those that the picture took.
func TestRedoKeepsTheAlternatives(t *testing.T) {
	text := "a {red|blue|green} dog in a {park|desert|cave}"
	was := inference.Defaults(*uitest.Toybox, inference.Request{
		Prompt: text, Settings: inference.Settings{Preset: "paper", Negative: "{rain|snow}"}, Seeds: []uint64{1<<32 - 3},
		Subjects: []inference.Subject{{Word: uitest.Word("dog"), Scope: 0.2, References: []inference.Reference{refOf("a.png", "a")}}},
	})
	for _, c := range []struct{ form, want string }{
		{text, "a blue dog in a park"}, {"a {red|blue|green} truck in a {park|desert|cave}", "a blue truck in a park"},
	} {
		s := NewState()
		s.Model, s.Form.Prompt, s.Words = uitest.Toybox, c.form, PlainWords(c.form)
		s.Form.Cards = []Card{{ID: 1, Word: s.Words[4].Word, Ref: refOf("a.png", "a")}}
		for range 20 {
			r, changes := s.Redo(was, 0)
			prompt, negative := r.Used(*uitest.Toybox, r.Seeds[0])
			if prompt != c.want || negative != "snow" || r.Seeds[0] == was.Seeds[0] || r.Prompt != c.form || c.form == text && len(changes) > 0 {
				t.Fatalf("seed %d draws %q without %q, told: %s", r.Seeds[0], prompt, negative, changesText(changes))
			}
		}
	}
}

func TestRedoTakesWhatTheCardHas(t *testing.T) {
	subject := func(word, letter string) inference.Subject {
		return inference.Subject{Word: uitest.Word(word), Scope: 0.2, References: []inference.Reference{refOf(letter+".png", letter)}}
	}
	card := func(id int, word, letter string) Card {
		return Card{ID: id, Word: uitest.Word(word), Ref: refOf(letter+".png", letter)}
	}
	was := inference.Defaults(*uitest.Toybox, inference.Request{
		Prompt: "a dog and a ball", Settings: inference.Settings{Preset: "paper"}, Seeds: []uint64{7},
		Subjects: []inference.Subject{subject("dog", "a"), subject("ball", "b")},
	})
	for name, c := range map[string]struct {
		prompt, subjects, changes string
		cards                     []Card
	}{
		"nothing": {"a dog and a ball", "dog a.png ball b.png", "", []Card{card(1, "dog", "a"), card(2, "ball", "b")}},
		"picture": {
			"a dog and a ball", "dog c.png ball b.png", "0 dog: a.png > c.png", []Card{card(1, "dog", "c"), card(2, "ball", "b")},
		},
		"the other one's": {"a dog and a ball", "dog a.png ball b.png", "", []Card{card(1, "dog", "a"), card(2, "ball", "c")}},
		"another word": {
			"a truck and a ball", "truck a.png ball b.png", "0 Word: dog > truck\n0 Prompt: a dog and a ball > a truck and a ball",
			[]Card{card(1, "truck", "a"), card(2, "ball", "b")},
		},
		"another word and picture": {
			"a truck and a ball", "truck c.png ball b.png",
			"0 Word: dog > truck\n0 dog: a.png > c.png\n0 Prompt: a dog and a ball > a truck and a ball",
			[]Card{card(1, "truck", "c"), card(2, "ball", "b")},
		},
		"the other word is gone": {
			"a dog", "dog c.png", "0 dog: a.png > c.png\n0 Prompt: a dog and a ball > a dog", []Card{card(1, "dog", "c")},
		},
		"another session": {"a cat in a box", "dog a.png ball b.png", "", []Card{card(1, "cat", "d"), card(2, "box", "e")}},
		"no cards":        {"", "dog a.png ball b.png", "", nil},
	} {
		s := NewState()
		s.Model, s.Form.Prompt, s.Words, s.Form.Cards = uitest.Toybox, c.prompt, PlainWords(c.prompt), c.cards
		r, changes := s.Redo(was, 0)
		got := ""
		for i, subject := range r.Subjects {
			if i > 0 {
				got += " "
			}
			got += subject.Word.Text + " " + subject.References[0].Name
		}
		if got != c.subjects || changesText(changes) != c.changes {
			t.Errorf("%s: %s, changed\n%s\nwant %s, changed\n%s", name, got, changesText(changes), c.subjects, c.changes)
		}
		if prompt := was.Prompt; c.changes == "" && r.Prompt != prompt {
			t.Errorf("%s: the prompt is %q", name, r.Prompt)
		}
		if len(r.Seeds) != 1 || r.Seeds[0] == 7 || r.Steps != 25 || was.Subjects[0].References[0].Name != "a.png" {
			t.Errorf("%s: seeds %v, %d steps, of %+v", name, r.Seeds, r.Steps, was.Subjects)
		}
	}
}
