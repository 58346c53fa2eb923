package reuse

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/inference/picture"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/uitest"
)

// TestOnlyTheSubject offers what the masks hold beside the whole picture; what is taken is transparent around the subject, and remembers
// which picture it came from.
func TestOnlyTheSubject(t *testing.T) {
	b := newBench(t)
	b.Reference()
	b.Settle()
	part, ok := find(b, func(r *kit.Radio) bool { return len(r.Options) > 0 && r.Options[0] == "The whole picture" })
	if !ok || len(part.Options) != 3 || part.Options[1] != "Only “dog”" || part.Options[2] != "Only “ball”" {
		t.Fatalf("the sheet offers %v", part)
	}
	part.Choose(1)
	b.Settle()
	test.Tap(b.button("Use as reference"))
	b.Settle()
	var cut, whole bool
	for _, c := range b.Now().Form.Cards {
		if c.From != 41 {
			continue
		}
		_, info, err := picture.Decode(c.Ref.Data, picture.Limits{})
		cut = err == nil && info.Transparent && strings.HasSuffix(c.Ref.Name, "-dog.png") && c.Pixels.X == c.Pixels.Y
	}
	if !cut {
		t.Errorf("no card holds the dog alone: %v", b.Now().PickErr)
	}
	b = newBench(t)
	b.Reference()
	b.Settle()
	test.Tap(b.button("Use as reference"))
	b.Settle()
	for _, c := range b.Now().Form.Cards {
		whole = whole || c.From == 41 && c.Pixels.X == 16 && !c.Clear
	}
	if !whole {
		t.Error("without a choice it is not the whole picture")
	}
	b = newBench(t)
	b.Change(func(s *state.State) { s.Shots[0].Film = nil })
	b.Reference()
	b.Settle()
	if _, ok := find(b, func(r *kit.Radio) bool { return r.Options[0] == "The whole picture" }); ok {
		t.Error("it offers what nobody knows")
	}
}

// TestOneOfTwoThatLookAlike: long phrases are told apart, and what is taken is the one that was chosen.
func TestOneOfTwoThatLookAlike(t *testing.T) {
	b := newBench(t)
	b.Change(func(s *state.State) {
		subjects := inference.CloneSubjects(s.Shots[0].Recipe.Subjects)
		subjects[0].Word, subjects[1].Word = uitest.Word("dog with a pink hat"), uitest.Word("dog with a blue hat")
		s.Shots[0].Recipe.Subjects = subjects
	})
	b.Reference()
	b.Settle()
	part, ok := find(b, func(r *kit.Radio) bool { return len(r.Options) > 0 && r.Options[0] == "The whole picture" })
	if !ok || len(part.Options) != 3 || part.Options[1] == part.Options[2] {
		t.Fatalf("the sheet offers %v", part)
	}
	part.Choose(2)
	b.Settle()
	test.Tap(b.button("Use as reference"))
	b.Settle()
	var taken []string
	for _, c := range b.Now().Form.Cards {
		if c.From == 41 {
			taken = append(taken, c.Ref.Name)
		}
	}
	if len(taken) != 1 || !strings.HasSuffix(taken[0], "-dog-with-a-blue-hat.png") {
		t.Errorf("taken is %q", taken)
	}
	if same := wholeOr([]string{"a", "a"}); len(same) != 3 {
		t.Errorf("of one name there are %q", same)
	}
}
