package state

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"realword/inference"
)

// TestUndo is a table of changes and what going back and forward leads to.
func TestUndo(t *testing.T) {
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	f := func(prompt string, steps int, seed uint64) Form {
		return Form{Prompt: prompt, Settings: inference.Settings{Steps: steps}, Seed: seed, Count: 1}
	}
	for _, c := range []struct {
		name  string
		notes []Form
		gap   time.Duration
		backs []string // prompts and steps after each step back
	}{
		{"letters of one word are one change", []Form{f("d", 25, 1), f("do", 25, 1), f("dog", 25, 1)}, 100 * time.Millisecond, []string{" 25"}},
		{"every word is its own", []Form{f("a", 25, 1), f("a ", 25, 1), f("a d", 25, 1), f("a dog", 25, 1)}, 100 * time.Millisecond, []string{"a 25", " 25"}},
		{
			"what is taken away is another than what was typed",
			[]Form{f("dog", 25, 1), f("do", 25, 1), f("d", 25, 1), f("deer", 25, 1)},
			100 * time.Millisecond,
			[]string{"d 25", "dog 25", " 25"},
		},
		{"after a pause another begins", []Form{f("a", 25, 1), f("a dog", 25, 1)}, 2 * time.Second, []string{"a 25", " 25"}},
		{"another field is another change", []Form{f("a", 25, 1), f("a", 20, 1), f("a", 15, 1)}, 100 * time.Millisecond, []string{"a 25", " 25"}},
		{"a drawn seed is none", []Form{f("", 25, 2), f("", 25, 3)}, 2 * time.Second, nil},
	} {
		var u Undo
		u.Reset(f("", 25, 1))
		now := at
		for _, form := range c.notes {
			now = now.Add(c.gap)
			u.Note(form, now, false)
		}
		last := c.notes[len(c.notes)-1]
		var got []string
		for {
			form, ok := u.Back()
			if !ok {
				break
			}
			if form.Seed != last.Seed {
				t.Errorf("%s: the seed went back to %d", c.name, form.Seed)
			}
			got = append(got, form.Prompt+" "+string(rune('0'+form.Steps/10))+string(rune('0'+form.Steps%10)))
		}
		if len(got) != len(c.backs) {
			t.Errorf("%s: went back to %q, want %q", c.name, got, c.backs)
			continue
		}
		for i := range got {
			if got[i] != c.backs[i] {
				t.Errorf("%s: went back to %q, want %q", c.name, got, c.backs)
			}
		}
		for range got {
			u.Forward()
		}
		if u.Now.Prompt != last.Prompt || u.Now.Steps != last.Steps {
			t.Errorf("%s: forward leads to %+v", c.name, u.Now)
		}
	}
}

// A stroke is taken back alone, whatever follows it, and so is one thing of a card after another.
func TestUndoOfCards(t *testing.T) {
	var u Undo
	now := time.Unix(0, 0)
	form := Form{Cards: []Card{{ID: 1}, {ID: 2}}}.Tidy()
	u.Reset(form)
	forms := []Form{form}
	note := func(f Form, own bool) {
		now = now.Add(300 * time.Millisecond)
		if u.Note(f, now, false); !own {
			forms = forms[:len(forms)-1]
		}
		forms, form = append(forms, f), f
	}
	paint := func(sum string) Form {
		return form.WithRegion(1, inference.Region{Kind: "only", Painted: inference.Painted{SHA256: sum}})
	}
	square := func(left float64) Form {
		return form.change(1, func(c *Card) { c.Ref.Square.Crop.Left = left })
	}
	note(paint("a"), true)
	note(paint("b"), true)
	note(form.WithScope(1, 0.3), true)
	note(form.WithScope(1, 0.35), false) // the slider goes on
	note(form.WithScope(2, 0.1), true)
	note(square(0.1), true)
	note(square(0.2), false)
	note(form.change(1, func(c *Card) { c.Pixels.X = 7 }), false) // which follows
	note(form.change(2, func(c *Card) { c.Off = true }), true)
	note(paint("c"), true)
	note(form.change(1, func(c *Card) { c.Anchor = true }), true)
	for _, want := range slices.Backward(forms[:len(forms)-1]) {
		if got, ok := u.Back(); !ok || !reflect.DeepEqual(got.Cards, want.Cards) {
			t.Errorf("back to %+v,\nwant %+v", got.Cards, want.Cards)
		}
	}
	if _, ok := u.Back(); ok {
		t.Error("there is more to take back")
	}
}

// Pictures that are dropped at once are one change, however long they are read.
func TestADropIsOneChange(t *testing.T) {
	var u Undo
	now, form := time.Unix(0, 0), Form{}
	u.Reset(form)
	come := func(reading bool) {
		now = now.Add(3 * time.Second)
		form.Cards = append(slices.Clip(form.Cards), Card{ID: len(form.Cards) + 1})
		u.Note(form, now, reading)
	}
	come(false)
	first := form
	u.Note(form, now, true) // it is begun to read
	come(true)
	come(true)
	u.Note(form, now, true)
	come(false) // the last ones
	second := form
	come(false) // another drop
	for _, want := range []Form{second, first, {}} {
		if got, ok := u.Back(); !ok || len(got.Cards) != len(want.Cards) {
			t.Errorf("back to %d pictures, want %d", len(got.Cards), len(want.Cards))
		}
	}
	if _, ok := u.Back(); ok {
		t.Error("there is more to take back")
	}
}

// TestWhatIsTidiedIsNoChange: subjects that get their colours from the window are none of the user's deeds, nor is a form of earlier that
// is brought into order, which what was taken back would be lost with.
func TestWhatIsTidiedIsNoChange(t *testing.T) {
	raw := func(prompt string) Form {
		return Form{Prompt: prompt, Count: 1, Cards: []Card{
			{ID: 1, Word: inference.Word{Text: "dog"}}, {ID: 2, Word: inference.Word{Text: "hat"}},
		}}
	}
	at := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	var u Undo
	u.Reset(raw("a dog, a hat"))
	if raw("").Tidy().Cards[0].Style == 0 {
		t.Fatal("nothing is tidied")
	}
	u.Note(raw("a dog, a hat").Tidy(), at, false)
	if len(u.Past) > 0 {
		t.Errorf("a session begins with %d changes", len(u.Past))
	}
	u.Note(raw("a dog in a hat").Tidy(), at.Add(time.Minute), false)
	if _, ok := u.Back(); !ok {
		t.Fatal("nothing is taken back")
	}
	u.See(raw("a dog, a hat"))
	u.Note(raw("a dog, a hat").Tidy(), at.Add(2*time.Minute), false)
	if f, ok := u.Forward(); !ok || f.Prompt != "a dog in a hat" {
		t.Errorf("what was taken back is gone: %q", f.Prompt)
	}
}

// TestNothingToUndo: what a button has taken back already is nothing that Undo would do, and what it has not is.
func TestNothingToUndo(t *testing.T) {
	var u Undo
	u.Reset(NewState().Form)
	done := true
	u.Did(Deed{Back: func() { done = false }, Again: func() { done = true }, Done: func() bool { return done }})
	for _, c := range []struct {
		what          string
		do            func()
		back, forward bool
	}{
		{"it is done", func() {}, true, false},
		{"the button takes it back", func() { done = false }, false, false},
		{"it is undone once more", func() { u.Back() }, false, true},
		{"the button does it again", func() { done = true }, false, false},
		{"it is redone once more", func() { u.Forward() }, true, false},
		{"undone", func() { u.Back() }, false, true},
		{"redone", func() { u.Forward() }, true, false},
	} {
		if c.do(); u.CanBack() != c.back || u.CanForward() != c.forward {
			t.Errorf("%s: back %v, forward %v", c.what, u.CanBack(), u.CanForward())
		}
	}
}
