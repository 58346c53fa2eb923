package state

import (
	"math/rand/v2"
	"strings"
	"testing"

	"realword/inference"
)

func marking(prompt string, cards ...Card) State {
	s := NewState()
	s.Form.Prompt, s.Words = prompt, PlainWords(prompt)
	for i, c := range cards {
		c.ID = i + 1
		s.Form.Cards = append(s.Form.Cards, c)
	}
	return s
}

func cardOf(word string) Card { return Card{Word: inference.Word{Text: word}} }

func TestMarkedPhrases(t *testing.T) {
	const prompt = "a dog with a pink hat and a cat"
	for name, c := range map[string]struct {
		state    State
		from, to int
		want     string // words of the cards, then what waits
	}{
		"the only card":               {marking(prompt, Card{}), 1, 5, "dog with a pink hat;"},
		"from right to left":          {marking(prompt, Card{}), 5, 1, "dog with a pink hat;"},
		"one word":                    {marking(prompt, Card{}), 1, 1, "dog;"},
		"its longer name":             {marking(prompt, cardOf("dog"), cardOf("cat")), 1, 5, "dog with a pink hat cat;"},
		"its longer name, one is new": {marking(prompt, cardOf("dog"), Card{}), 1, 5, "dog with a pink hat ;"},
		"both are in it":              {marking(prompt, cardOf("dog"), cardOf("cat")), 1, 8, "dog cat;dog with a pink hat and a cat"},
		"no card at all":              {marking(prompt), 4, 5, ";pink hat"},
		"to the end":                  {marking(prompt, Card{}), 7, 99, "a cat;"},
		"from nowhere":                {marking(prompt, Card{}), 99, 1, ";"},
		"before the first word":       {marking(prompt, Card{}), 1, -5, "a dog;"},
	} {
		s := c.state.Mark(c.from, c.to).BindMarked()
		var words []string
		for _, card := range s.Form.Cards {
			words = append(words, card.Word.Text)
		}
		if got := strings.Join(words, " ") + ";" + s.Pending.Text; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if s.Span.On {
			t.Errorf("%s: still marking", name)
		}
	}
	s := marking(prompt, cardOf("dog"), cardOf("cat"))
	s.Selected = 2
	if s = s.Mark(1, 5).BindMarked(); s.Form.Cards[1].Word.Text != "dog with a pink hat" || s.Form.Cards[0].Word.Text != "dog" {
		t.Errorf("the chosen card does not get the phrase: %+v", s.Form.Cards)
	}
	s = marking("one two three")
	s.Words[2].Past = true
	if m, ok := s.Mark(0, 2).Marked(); !ok || m.Text != "one two" {
		t.Errorf("%q is marked beyond what the model reads", m.Text)
	}
	if _, ok := s.Mark(2, 0).Marked(); ok {
		t.Error("a marking begins at a word that is not read")
	}
}

// Whatever is marked of a prompt with equal words, the phrase is found again at its place.
func TestMarkedPhrasesAreFoundAgain(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		var words []string
		for range 2 + rng.IntN(7) {
			words = append(words, []string{"dog", "cat", "red", "a"}[rng.IntN(4)])
		}
		s := marking(strings.Join(words, " "), Card{})
		s = s.Mark(rng.IntN(len(words)), rng.IntN(len(words)))
		want := s.Span.run()
		s = s.BindMarked()
		if got, ok := locate(s.Words, s.Form.Cards[0].Word); !ok || got != want {
			t.Fatalf("%q: %+v became %+v as %+v", s.Form.Prompt, want, got, s.Form.Cards[0].Word)
		}
	}
}

// Another session, a recipe, an undo and another model bring other words.
func TestMarksAreOfTheirWords(t *testing.T) {
	const prompt = "a dog and a cat"
	for after, stay := range map[string]struct{ marked, waiting bool }{
		prompt: {true, true}, "": {}, "a cow": {}, "a dog": {false, true}, "a cow and a cat": {true, false}, "a dog or his cat": {false, true},
		"dog and a cat, a dog": {false, true},
	} {
		s := marking(prompt).Mark(3, 4)
		s.Pending = inference.Word{Text: "dog"}
		s.Form.Prompt, s.Words = after, PlainWords(after)
		if w, ok := s.Marked(); ok != stay.marked || ok && w.Text != "a cat" {
			t.Errorf("%q: %q is marked", after, w.Text)
		}
		if b := s.BindMarked(); !stay.marked && b.Pending != s.Pending {
			t.Errorf("%q: %q waits for a picture", after, b.Pending.Text)
		}
		if s = s.Tidy(); s.Span.On != stay.marked || (s.Pending.Text == "dog") != stay.waiting {
			t.Errorf("%q: marked %v, %q waits", after, s.Span.On, s.Pending.Text)
		}
		s.Hint("")
	}
}

func TestPhrasesThatShareAWord(t *testing.T) {
	s := marking("a dog with a hat and a hat", cardOf("dog with a hat"), cardOf("hat"))
	if list := s.Form.Problems(s.Words, nil); len(list) != 1 || list[0] != "“dog with a hat” and “hat” share a word: bind each to different words." {
		t.Errorf("%q", list)
	}
	s.Form.Cards[1].Word.Occurrence = 2
	if list := s.Form.Problems(s.Words, nil); len(list) != 0 {
		t.Errorf("the other hat: %q", list)
	}
	s.Form.Cards[1].Word.Occurrence, s.Form.Cards[1].Off = 1, true
	if list := s.Form.Problems(s.Words, nil); len(list) != 0 {
		t.Errorf("left out: %q", list)
	}
}
