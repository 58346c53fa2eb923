package ui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"realword/history"
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
		words := plainWords(c.prompt)
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
		s.Form.Prompt, s.Words = c.prompt, plainWords(c.prompt)
		if c.bound != "" {
			s.Form.Cards = []Card{{ID: 1, Word: inference.Word{Text: c.bound, Occurrence: 1}}}
		}
		if got := phrasesText(s.Candidates(4)); got != c.want {
			t.Errorf("%q: %q, want %q", c.prompt, got, c.want)
		}
	}
}

func TestRoundTree(t *testing.T) {
	// A round is its number and the pictures that it goes on from; its own pictures are ten times its number and one more.
	round := func(id uint64, parents ...uint64) history.Round {
		return history.Round{ID: id, Plan: history.Plan{Parents: parents}, Pictures: []history.Picture{{ID: 10 * id, File: "a"}, {ID: 10*id + 1, File: "b"}}}
	}
	gone := round(2)
	gone.Trashed = time.Now()
	stopped := round(3)
	stopped.Pictures = []history.Picture{{ID: 30}}
	for name, c := range map[string]struct {
		rounds []history.Round
		want   string // number@column,level<parent
	}{
		"none":           {nil, ""},
		"no relation":    {[]history.Round{round(1), round(2)}, "1@0,0 2@1,0"},
		"a line":         {[]history.Round{round(1), round(2, 10), round(3, 21)}, "1@0,0 2@0,1<1 3@0,2<2"},
		"a fork":         {[]history.Round{round(1), round(2, 10), round(3, 11), round(4, 20)}, "1@0,0 2@0,1<1 3@1,1<1 4@0,2<2"},
		"two trees":      {[]history.Round{round(1), round(2), round(3, 10), round(4, 10), round(5, 20)}, "1@0,0 2@2,0 3@0,1<1 4@1,1<1 5@2,1<2"},
		"two parents":    {[]history.Round{round(1), round(2), round(3, 20, 10)}, "1@0,0 2@1,0 3@1,1<2"},
		"elsewhere":      {[]history.Round{round(5, 10)}, "5@0,0"},
		"trash":          {[]history.Round{round(1), gone, round(4, 20)}, "1@0,0 4@1,0"},
		"nothing to see": {[]history.Round{stopped, round(4)}, "4@0,0"},
		"not a tree":     {[]history.Round{round(1, 20), round(2, 10)}, "1@0,0 2@0,1<1"},
	} {
		var got []string
		nodes := RoundTree(c.rounds)
		for _, n := range nodes {
			text := fmt.Sprintf("%d@%d,%d", n.ID, n.Column, n.Level)
			if n.Parent >= 0 {
				text += fmt.Sprintf("<%d", nodes[n.Parent].ID)
			}
			got = append(got, text)
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s: %q, want %q", name, text, c.want)
		}
		for i, a := range nodes {
			if slices.ContainsFunc(nodes[:i], func(b RoundNode) bool { return a.Level == b.Level && a.Column == b.Column }) {
				t.Errorf("%s: two rounds at one place", name)
			}
		}
	}
}
