package state

import (
	"fmt"
	"image/color"
	"slices"
	"strings"
	"testing"
	"time"

	"realword/inference"
	"realword/inference/picture"
	"realword/ui/uitest"
)

// A finished picture takes the place of what it was made of, and of earlier ones; what came from outside since stays.
func TestContinueKeepsWhatItDoesNotName(t *testing.T) {
	dog := uitest.Word("dog")
	form := func(word inference.Word) State {
		return State{Model: uitest.Toybox, Words: PlainWords("a dog"), Form: Form{Prompt: "a dog", Cards: []Card{
			{ID: 1, Group: 1, Ref: refOf("rex.png", "a"), Word: word},
			{ID: 2, Group: 1, Ref: refOf("new.png", "b"), Word: word},
			{ID: 3, Group: 1, Ref: refOf("6.png", "d"), Word: word, From: 8},
			{ID: 4, Group: 1, Ref: refOf("copy of 7.png", "c"), Word: word},
		}}}
	}
	for _, c := range []struct {
		name string
		word inference.Word
		keep bool
		want string
	}{
		{"a word", dog, true, "7.png rex.png new.png"},
		{"in place of the original", dog, false, "7.png new.png"},
		{"no word yet", inference.Word{}, true, "7.png rex.png new.png"},
	} {
		s := form(c.word).Continue(Card{Ref: refOf("7.png", "c"), From: 9}, c.word, []int{1}, c.keep)
		var names []string
		for _, have := range s.Form.Cards {
			names = append(names, have.Ref.Name)
		}
		if got := strings.Join(names, " "); got != c.want || len(s.Form.Groups()) != 1 {
			t.Errorf("%s: left are %s, in %d subjects", c.name, got, len(s.Form.Groups()))
		}
		if i := slices.IndexFunc(s.Form.Cards, func(c Card) bool { return c.Anchor }); i >= 0 != c.keep || i >= 0 && s.Form.Cards[i].Ref.Name != "rex.png" {
			t.Errorf("%s: the anchor is number %d", c.name, i)
		}
	}
}

// A picture that its subject has already is not put there twice.
func TestContinueTwice(t *testing.T) {
	s := State{Model: uitest.Toybox, Words: PlainWords("a dog"), Form: Form{Prompt: "a dog", Cards: []Card{
		{ID: 1, Group: 1, Ref: refOf("rex.png", "a"), Word: uitest.Word("dog")},
	}}}
	for range 2 {
		s = s.Continue(Card{Ref: refOf("7.png", "c"), From: 9}, uitest.Word("dog"), nil, false)
	}
	if len(s.Form.Cards) != 2 || s.Remark != "7.png is already here, for “dog”." {
		t.Errorf("%d pictures; said is %q", len(s.Form.Cards), s.Remark)
	}
}

// A reference that a recipe names and that was not here has the recipe's square of it once it is dropped.
func TestFillKeepsTheSquare(t *testing.T) {
	file := uitest.PNG(color.White)
	c, err := Eye{Model: uitest.Toybox}.Card("copy.png", file)
	if err != nil {
		t.Fatal(err)
	}
	square := picture.Square{Fit: picture.Pad, Background: "#d02020", Crop: picture.Box{Right: 0.5, Bottom: 1}}
	ref := inference.Reference{Name: "rex.png", SHA256: c.Ref.SHA256, Square: square}
	s := State{Model: uitest.Toybox, Words: PlainWords("a dog"), Form: Form{Prompt: "a dog", Cards: []Card{
		{ID: 1, Ref: ref, Missing: true, Word: uitest.Word("dog"), Anchor: true},
	}}}
	s = s.AddTo(c, "", Target{})
	got := s.Form.Cards[0]
	if got.Missing || got.Ref.Square != square || !got.Anchor || len(got.Ref.Data) == 0 || got.Whole == nil {
		t.Errorf("missing %v, square %+v, anchor %v", got.Missing, got.Ref.Square, got.Anchor)
	}
	if at := color.NRGBAModel.Convert(got.View.At(1, 1)); at != uitest.Red { // padded, as half of a picture is no square
		t.Errorf("its view has %v in the corner", at)
	}
}

// That a job has taken the seed is no change of the form, and nothing that is turned back makes the same picture again.
func TestUndoLeavesTheSeedSpent(t *testing.T) {
	var u Undo
	f := Form{Prompt: "a dog", Settings: inference.Settings{Preset: "paper"}, Seed: 5, Count: 1}
	u.Reset(f)
	g := f
	g.Prompt = "a cat"
	u.Note(g, time.Unix(0, 0), false)
	g.Spent = true
	u.Note(g, time.Unix(9, 0), false)
	if len(u.Past) != 1 {
		t.Fatalf("%d changes", len(u.Past))
	}
	if back, _ := u.Back(); back.Prompt != "a dog" || !back.Spent {
		t.Errorf("turned back: %q, the seed is spent: %v", back.Prompt, back.Spent)
	}
}

// However a finished picture is taken on, there are no more pictures than the most.
func TestContinueKeepsTheLimit(t *testing.T) {
	full := State{Model: uitest.Toybox, Form: Form{Prompt: "a dog"}, Words: PlainWords("a dog")}
	for i := range MostPictures {
		full.Form.Cards = append(full.Form.Cards, Card{ID: i + 1, Group: i + 1, Word: uitest.Word("dog"), Ref: inference.Reference{SHA256: fmt.Sprint(i)}})
	}
	for _, c := range []struct {
		word      string
		originals []int
		keep      bool
		took      bool
	}{{"", nil, false, false}, {"dog", nil, false, false}, {"dog", []int{1}, true, false}, {"dog", []int{1}, false, true}} {
		s := full.Continue(Card{Ref: inference.Reference{Name: "7.png", SHA256: "c"}, From: 9}, inference.Word{Text: c.word, Occurrence: 1}, c.originals, c.keep)
		took := slices.ContainsFunc(s.Form.Cards, func(c Card) bool { return c.From == 9 })
		if len(s.Form.Cards) != MostPictures || took != c.took || strings.Contains(s.Remark, "were not added") == c.took {
			t.Errorf("%+v: %d pictures, it is one: %v, it says %q", c, len(s.Form.Cards), took, s.Remark)
		}
	}
}

// TestContinueALostWord: a picture that joins a subject whose word has gone from the prompt waits with it for another word.
func TestContinueALostWord(t *testing.T) {
	s := NewState()
	s.Form.Prompt = "a cat"
	s.Words = PlainWords(s.Form.Prompt)
	s.Form.Cards = []Card{{ID: 1, Ref: refOf("rex.png", "a"), Word: uitest.Word("dog"), Gone: &Place{From: 2, To: 5}}}
	s = s.Continue(Card{Ref: refOf("7.png", "c"), From: 9}, uitest.Word("dog"), []int{1}, true)
	for _, c := range s.Form.Cards {
		if word, is := s.Remedy(c); !is || word.Text != "cat" || c.Word.Text != "dog" {
			t.Errorf("%s is bound to %q, and offers %q, %v", c.Ref.Name, c.Word.Text, word.Text, is)
		}
	}
}
