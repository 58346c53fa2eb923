package ui

import (
	"fmt"
	"testing"

	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/inference/plain"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/uitest"
)

// Two cards are bound; muting and removing the first changes nothing of how the second looks.
func TestLookMutingLeavesColoursAlone(t *testing.T) {
	plain.Run(t)
	b := twoSubjects(t)
	look := func(word string) int {
		for i, w := range b.state.Words {
			if w.Text == word {
				return b.state.ChipLooks()[i].Subject
			}
		}
		return -2
	}
	if look("dog") != 0 || look("cat") != 1 {
		t.Fatalf("styles %d and %d", look("dog"), look("cat"))
	}
	first := b.state.Form.Groups()[0].ID
	b.subjects.CardActs().Mute(first)
	if look("dog") != -1 || look("cat") != 1 {
		t.Errorf("muted: %d and %d", look("dog"), look("cat"))
	}
	b.subjects.CardActs().Mute(first)
	b.subjects.RemoveCard(first)
	if look("cat") != 1 {
		t.Errorf("removed: %d", look("cat"))
	}
	b.state.Shots = []state.Shot{{PictureReady: inference.PictureReady{Recipe: inference.Request{Subjects: b.state.Form.Subjects()}}}}
	b.state.View.Shot = 0
	if d := b.state.Dress(); d.Of(0) != 1 {
		t.Errorf("the picture's masks have style %d", d.Of(0))
	}
}

// twoSubjects is a window with a dog and a cat.
func twoSubjects(t *testing.T) *bench {
	t.Helper()
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog and a cat")
	b.drop(nil, uitest.File(t, "dog.png", uitest.PNG(uitest.Red)))
	b.drop(nil, uitest.File(t, "cat.png", uitest.PNG(uitest.Green)))
	if len(b.state.Form.Subjects()) != 2 {
		t.Fatalf("%d subjects", len(b.state.Form.Subjects()))
	}
	return b
}

func TestLookLinkedReach(t *testing.T) {
	plain.Run(t)
	b := twoSubjects(t)
	groups := b.state.Form.Groups()
	b.subjects.SetScope(groups[0].ID, 0.3)
	scopes := func() string {
		var out string
		for _, c := range b.state.Form.Cards {
			out += fmt.Sprint(c.Scope, " ")
		}
		return out
	}
	if b.subjects.Linked.Hidden || scopes() != "0.3 0 " {
		t.Fatalf("before: %s", scopes())
	}
	b.subjects.Link()
	if scopes() != "0.3 0.3 " || !b.subjects.Linked.Checked {
		t.Errorf("linked: %s", scopes())
	}
	b.subjects.SetScope(groups[1].ID, 0.15)
	if scopes() != "0.15 0.15 " {
		t.Errorf("one slider: %s", scopes())
	}
	b.drop(nil, uitest.File(t, "owl.png", uitest.PNG(uitest.Red)))
	if scopes() != "0.15 0.15 0.15 " {
		t.Errorf("a new subject: %s", scopes())
	}
	test.Tap(b.subjects.Linked)
	b.subjects.SetScope(groups[1].ID, 0.4)
	if scopes() != "0.15 0.4 0.15 " {
		t.Errorf("not linked: %s", scopes())
	}
	b.state.Form = b.state.Form.Link(groups[1].ID, true)
	if scopes() != "0.4 0.4 0.4 " {
		t.Errorf("linked to the chosen one: %s", scopes())
	}
	// A recipe with reaches of its own is not changed by the link.
	p := state.Past{Cards: []state.Card{{Word: inference.Word{Text: "dog"}, Scope: 0.1}, {Word: inference.Word{Text: "cat"}, Scope: 0.2}}}
	f := b.state.Form.Take(p, state.AllParts, b.state.Model).Tidy()
	if f.Linked || f.Cards[1].Scope != 0.2 {
		t.Errorf("a recipe: %+v", f.Cards)
	}
}

func TestAnchorIsShownAndGoneBackTo(t *testing.T) {
	b := twoSubjects(t)
	dog := b.state.Form.Cards[0]
	b.state.State = b.state.Continue(state.Card{Ref: inference.Reference{Name: "round1.png", SHA256: "1"}, From: 3}, inference.Word{Text: "dog"}, []int{dog.ID}, true)
	b.refresh()
	g := b.state.Form.Groups()[0]
	c := b.subjects.ByID[g.ID]
	if c == nil || !c.Anchor.Hidden || len(c.Thumbs.Objects) != 4 || c.Look.Subject != 0 {
		t.Fatalf("the card shows %+v", c)
	}
	mark := c.Thumbs.Objects[1].(*kit.Tile)
	if mark.Name != "anchor: dog.png" {
		t.Errorf("the anchor is called %q", mark.Name)
	}
	test.Tap(mark)
	if c.Anchor.Hidden || c.Hint.Text != "anchor: dog.png" {
		t.Errorf("in the square the anchor shows no mark: %q", c.Hint.Text)
	}
	if !b.state.Form.Anchored(g.ID) {
		t.Fatal("the subject has no anchor")
	}
	b.state.Selected, b.undo.Fields = g.ID, nil // a change of its own, not one within a second
	for _, a := range b.Table.List {
		if a.ID == "subject.anchor" {
			b.Perform(a)
		}
	}
	f := b.state.Form
	if len(f.Cards) != 2 || f.Cards[0].Ref.Name != "dog.png" || f.Cards[0].Anchor || f.Cards[0].Style != 1 || f.Anchored(f.Cards[0].ID) {
		t.Errorf("back at the anchor: %+v", f.Cards)
	}
	if back, ok := b.undo.Back(); !ok || len(back.Cards) != 3 {
		t.Errorf("undo brings back %d cards", len(back.Cards))
	}
}
