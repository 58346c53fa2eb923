package state

import (
	"fmt"
	"strings"
	"testing"

	"realword/inference"
)

func phrasesText(list []inference.Word) string {
	var out []string
	for _, w := range list {
		text := w.Text
		if w.Occurrence > 1 {
			text = fmt.Sprintf("%s#%d", text, w.Occurrence)
		}
		out = append(out, text)
	}
	return strings.Join(out, " | ")
}

func TestPhrases(t *testing.T) {
	for _, c := range []struct{ prompt, word, want string }{
		{"a dog with the pink hat on the beach", "dog", "dog with the pink hat | dog"},
		{"a small brown dog with a pink hat on the beach", "dog", "dog with a pink hat | small brown dog with a pink hat | small brown dog | dog"},
		{"a dog on the beach", "dog", "dog"},
		{"a red dog", "dog", "red dog | dog"},
		{"Dog wearing a scarf, in the snow", "dog", "Dog wearing a scarf | Dog"},
		{"a dog with a hat sitting on a chair", "dog", "dog with a hat | dog"},
		{"a dog with", "dog", "dog"},
		{"a dog, with a hat", "dog", "dog"},
		{"a dog with a hat and a cat with a tie", "cat", "cat with a tie | cat"},
		{"a dog with a hat and a dog with a hat", "dog#2", "dog with a hat#2 | dog#2"},
		{"fluffy dog, sunny day", "dog", "fluffy dog | dog"},
		{"beach, dog", "dog", "dog"},
		{"a red and white dog", "dog", "dog"},
		{"a dog", "cat", ""},
		{"", "dog", ""},
		{"one two three four five six seven eight dog", "dog", ""}, // beyond what the model reads
	} {
		words := PlainWords(c.prompt)
		for i := range words {
			words[i].Past = i >= 8 && strings.HasPrefix(c.prompt, "one")
		}
		w := inference.Word{Text: c.word, Occurrence: 1}
		if text, _, second := strings.Cut(c.word, "#"); second {
			w = inference.Word{Text: text, Occurrence: 2}
		}
		if got := phrasesText(Phrases(c.prompt, words, w)); got != c.want {
			t.Errorf("%q in %q: %q, want %q", c.word, c.prompt, got, c.want)
		}
	}
}

func TestCandidates(t *testing.T) {
	for _, c := range []struct{ prompt, bound, want string }{
		{"a dog and a cat on the beach", "", "dog | cat | beach"},
		{"a dog and a cat on the beach", "dog", "cat | beach"},
		{"a red balloon sitting in a building", "", "red balloon | balloon | building"},
		{"", "", ""},
		{"a b c d e f g", "", "b c d e f g | g"},
	} {
		s := NewState()
		s.Form.Prompt, s.Words = c.prompt, PlainWords(c.prompt)
		if c.bound != "" {
			s.Form.Cards = []Card{{ID: 1, Word: inference.Word{Text: c.bound, Occurrence: 1}}}
		}
		if got := phrasesText(s.Candidates(4)); got != c.want {
			t.Errorf("%q: %q, want %q", c.prompt, got, c.want)
		}
	}
}

func TestContinue(t *testing.T) {
	word := func(text string) inference.Word { return inference.Word{Text: text, Occurrence: 1} }
	base := NewState()
	base.Form.Prompt = "a dog with a hat and a cat"
	base.Words = PlainWords(base.Form.Prompt)
	card := func(id int, name, letter, bound string) Card {
		c := Card{ID: id, Ref: refOf(name, letter), Scope: 0.3}
		if bound != "" {
			c.Word = word(bound)
		}
		return c
	}
	rex, tom := card(1, "rex.png", "a", "dog"), card(2, "tom.png", "b", "cat")
	earlier := card(3, "first.png", "c", "dog")
	earlier.From = 10
	recipe := inference.Request{Subjects: []inference.Subject{{Word: word("dog"), References: []inference.Reference{refOf("first.png", "c"), refOf("rex.png", "a")}}}}
	for name, c := range map[string]struct {
		cards []Card
		word  string
		keep  bool
		want  string
	}{
		"beside the anchor":      {[]Card{rex, tom}, "dog with a hat", true, "new.png=dog with a hat#1 rex.png=dog with a hat#1 tom.png=cat#1"},
		"in its place":           {[]Card{rex, tom}, "dog with a hat", false, "new.png=dog with a hat#1 tom.png=cat#1"},
		"a later round":          {[]Card{earlier, rex, tom}, "dog", true, "new.png=dog#1 rex.png=dog#1 tom.png=cat#1"},
		"the word stays open":    {[]Card{rex}, "", true, "new.png=#0 rex.png=#0"},
		"no original here":       {[]Card{tom}, "dog", true, "tom.png=cat#1 new.png=dog#1"},
		"no card":                {nil, "dog", true, "new.png=dog#1"},
		"no word":                {nil, "", true, "new.png=#0"},
		"the word has a picture": {[]Card{tom}, "cat", false, "tom.png=cat#1 new.png=cat#1"},
	} {
		s := base
		s.Form.Cards = c.cards
		offer := s.Reuse(recipe)
		w := inference.Word{}
		if c.word != "" {
			w = word(c.word)
		}
		before := bonds(s)
		after := s.Continue(Card{Ref: refOf("new.png", "d"), From: 11}, w, offer.Originals, c.keep)
		if got := bonds(after); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if bonds(s) != before {
			t.Errorf("%s: the state before was changed", name)
		}
		ids := map[int]bool{}
		for _, card := range after.Form.Cards {
			if ids[card.ID] {
				t.Errorf("%s: two cards with the ID %d", name, card.ID)
			}
			ids[card.ID] = true
			if card.Anchor != (c.keep && card.Ref.Name == "rex.png") {
				t.Errorf("%s: %s anchor %v", name, card.Ref.Name, card.Anchor)
			}
		}
		if got := phrasesText(offer.Words); len(c.cards) == 2 && got != "dog with a hat | dog | hat" {
			t.Errorf("%s: offered %q", name, got)
		}
	}
}
