package ui

import (
	"math/rand/v2"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"realword/inference"
)

func marking(prompt string, cards ...Card) State {
	s := NewState()
	s.Form.Prompt, s.Words = prompt, plainWords(prompt)
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
		if s.Span.on {
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

func TestPhraseByMouseAndKeys(t *testing.T) {
	b := ready(t, nil)
	b.promptChanged("a dog with a hat")
	b.drop(nil, write(t, "x.png", pngOf(red)))
	b.win.Content().Resize(fyne.NewSize(1240, 800))
	middle := func(i int) fyne.Position {
		o := b.chipOf(i)
		return fyne.CurrentApp().Driver().AbsolutePositionForObject(o).AddXY(o.Size().Width/2, o.Size().Height/2)
	}
	drag := func(from int, to fyne.Position) {
		e := &fyne.DragEvent{}
		e.AbsolutePosition = to
		b.chipOf(from).Dragged(e)
	}
	drag(1, middle(2))
	drag(1, middle(4))
	if !b.chipOf(3).within || b.chipOf(0).within || !strings.Contains(b.chipHint.Text, "dog with a hat") {
		t.Errorf("while dragging: %q", b.chipHint.Text)
	}
	drag(1, fyne.NewPos(600, 700)) // below the words the marking stays as it was
	b.chipOf(1).DragEnd()
	if got := bonds(b.state); got != "x.png=dog with a hat#1" {
		t.Fatalf("bonds %q", got)
	}
	if b.chipOf(3).subject != 0 || b.chipOf(0).subject != -1 {
		t.Error("not all words of the phrase have its colour")
	}
	// A drag within one word is a click.
	drag(4, middle(4))
	b.chipOf(4).DragEnd()
	if got := bonds(b.state); got != "x.png=hat#1" {
		t.Errorf("bonds %q", got)
	}
	// With the keyboard: Shift and the arrows from a word, then Enter. The test driver has no modifiers, so the words are marked
	// as the key does.
	b.win.Canvas().Focus(b.chipOf(1))
	b.chipOf(1).TypedKey(&fyne.KeyEvent{Name: fyne.KeyRight})
	if b.win.Canvas().Focused() != b.chipOf(2) {
		t.Error("Right does not go to the next word")
	}
	b.state = b.state.Mark(1, 4)
	b.refresh()
	b.chipOf(2).TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if got := bonds(b.state); got != "x.png=dog with a hat#1" {
		t.Errorf("bonds %q", got)
	}
	b.state = b.state.Mark(0, 1)
	b.chipOf(2).TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if b.state.Span.on {
		t.Error("Esc goes on marking")
	}
	// In the prompt: the selected words, or the one at the cursor.
	b.win.Canvas().Focus(b.prompt)
	b.prompt.TypedShortcut(&fyne.ShortcutSelectAll{})
	b.press(mustStroke(t, "Ctrl+B"))
	if got := bonds(b.state); got != "x.png=a dog with a hat#1" {
		t.Errorf("bonds %q", got)
	}
	b.prompt.CursorRow, b.prompt.CursorColumn = 0, 3
	b.prompt.TypedKey(&fyne.KeyEvent{Name: fyne.KeyRight})
	b.press(mustStroke(t, "Ctrl+B"))
	if r, ok := b.state.wordsAt(b.prompt.Selection()); !ok || bonds(b.state) != "x.png="+b.state.Words[r.first].Text+"#1" {
		t.Errorf("bonds %q", bonds(b.state))
	}
	// Onto a card.
	b.drop(nil, write(t, "y.png", pngOf(green)))
	b.win.Content().Resize(fyne.NewSize(1240, 800))
	o := b.cardAt(1)
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(o).AddXY(9, 9)
	drag(4, middle(4))
	drag(4, at)
	b.chipOf(4).DragEnd()
	if !strings.Contains(bonds(b.state), "y.png=hat#1") {
		t.Errorf("bonds %q", bonds(b.state))
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
