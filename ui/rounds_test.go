package ui

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"realword/history"
	"realword/inference"
	"realword/ui/kit"
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

func TestContinue(t *testing.T) {
	word := func(text string) inference.Word { return inference.Word{Text: text, Occurrence: 1} }
	base := NewState()
	base.Form.Prompt = "a dog with a hat and a cat"
	base.Words = plainWords(base.Form.Prompt)
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
		"the word stays open":    {[]Card{rex}, "", true, "new.png=dog#1 rex.png=dog#1"},
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

// Two rounds, the second from the first one's picture, and back.
func TestRoundsFromTheWindow(t *testing.T) {
	dir := t.TempDir()
	b := ready(t, func(o *Options) {
		o.OpenHistory = func() (*history.Store, error) { return history.Open(filepath.Join(dir, "history.db")) }
	})
	defer func() {
		if err := b.journal.Close(); err != nil {
			t.Error(err)
		}
	}()
	b.drop(nil, write(t, "rex.png", pngOf(red)))
	b.promptChanged("a dog with a pink hat")
	test.Tap(b.chipOf(1))
	round := func() {
		t.Helper()
		j := b.run()
		b.send(j, inference.StageStarted{Stage: inference.StageDenoise})
		b.send(j, readyOf(j.request, 0))
		b.end(j, inference.Done{})
		b.until("the picture is kept", func() bool { return b.state.Shots[len(b.state.Shots)-1].Kept != 0 && !b.journal.Working() })
	}
	round()
	first := b.state.Shot().Kept
	b.useAsReference()
	choice, _ := sheetOf(b, func(r *widget.RadioGroup) bool { return true })
	if choice.Selected != "dog with a pink hat" || len(choice.Options) < 3 {
		t.Errorf("offered %q, chosen %q", choice.Options, choice.Selected)
	}
	b.pressSheet("Use as reference")
	if c := b.state.Form.Cards; len(c) != 2 || c[0].From != first || c[0].Word.Text != "dog with a pink hat" || !c[1].Anchor {
		t.Fatalf("cards %+v", c)
	}
	round()
	round()
	b.toggleTree()
	b.settle()
	if n := b.strip.nodes; len(n) != 3 || n[1].Parent != 0 || n[2].Parent != 0 || n[2].Column != 1 {
		t.Fatalf("tree %+v", n)
	}
	test.Tap(b.strip.tiles[0])
	b.settle()
	if s := b.state.Shot(); s == nil || s.Kept != first || !b.strip.tiles[0].Chosen || b.strip.tiles[1].Chosen {
		t.Errorf("in view is %+v", s)
	}
	b.recallShot()
	b.settle()
	b.pressSheet("Use this recipe")
	if got := bonds(b.state); got != "rex.png=dog#1" {
		t.Errorf("back at the first round the subjects are %s", got)
	}

	// From the strip onto a word and beside everything.
	pos := fyne.CurrentApp().Driver().AbsolutePositionForObject(b.chipOf(5)).AddXY(3, 3)
	thumb := b.shots.Objects[0].(*kit.Tile)
	thumb.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{AbsolutePosition: pos}})
	if !b.ghost.Image.Visible() {
		t.Error("nothing follows the pointer")
	}
	thumb.DragEnd()
	b.settle()
	if got := bonds(b.state); !strings.HasSuffix(got, "=hat#1") || b.ghost.Image.Visible() {
		t.Errorf("after dropping the picture on a word: %s", got)
	}
	thumb.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{AbsolutePosition: fyne.NewPos(600, 400)}})
	thumb.DragEnd()
	b.settle()
	if len(b.state.Form.Cards) != 2 {
		t.Errorf("dropped on the stage: %s", bonds(b.state))
	}
}

func TestProbe(t *testing.T) {
	b := ready(t, nil)
	b.promptChanged("a dog")
	find := func(kind, text string) Seen {
		t.Helper()
		for _, s := range b.onScreen() {
			if s.Kind == kind && s.Text == text {
				return s
			}
		}
		t.Errorf("no %s %q is seen", kind, text)
		return Seen{}
	}
	if s := find("chip", "dog"); s.W < 10 || s.X < 286 || s.Y < 40 {
		t.Errorf("the chip is at %+v", s)
	}
	if s := find("button", "Generate"); s.Off || s.X < 800 {
		t.Errorf("%+v", s)
	}
}
