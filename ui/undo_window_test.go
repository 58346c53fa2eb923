package ui

import (
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/inference/plain"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/uitest"
)

// TestUndoInTheWindow turns knobs and takes them back with the keyboard, and letters likewise.
func TestUndoInTheWindow(t *testing.T) {
	b := ready(t, nil)
	c := b.win.Canvas()
	key := b.key
	b.subjects.PromptChanged("a dog")
	b.set.Steps.Slider.OnChanged(10)
	path := uitest.File(t, "rex.png", uitest.PNG(uitest.Red))
	b.drop(nil, path)
	b.settle()
	if len(b.state.Form.Cards) != 1 {
		t.Fatal("no card")
	}
	key(&fyne.ShortcutUndo{})
	key(&fyne.ShortcutUndo{})
	if f := b.state.Form; len(f.Cards) != 0 || f.Steps != 25 || f.Prompt != "a dog" || b.subjects.Prompt.Text != "a dog" {
		t.Errorf("after two steps back: %d cards, %d steps, %q", len(f.Cards), f.Steps, f.Prompt)
	}
	key(&fyne.ShortcutUndo{})
	if b.state.Form.Prompt != "" || b.subjects.Prompt.Text != "" || len(b.state.Words) != 0 {
		t.Errorf("the prompt is %q, the field has %q", b.state.Form.Prompt, b.subjects.Prompt.Text)
	}
	for range 3 {
		key(&fyne.ShortcutRedo{})
	}
	if f := b.state.Form; len(f.Cards) != 1 || f.Steps != 10 || f.Prompt != "a dog" || b.subjects.Cards.Objects == nil {
		t.Errorf("after three steps forward: %+v", f)
	}

	c.Focus(b.subjects.Prompt)
	test.Type(b.subjects.Prompt, "x")
	steps := b.state.Form.Steps
	key(&fyne.ShortcutUndo{})
	if b.subjects.Prompt.Text == "a dogx" || b.state.Form.Steps != steps {
		t.Errorf("undo while typing: the field has %q, %d steps", b.subjects.Prompt.Text, b.state.Form.Steps)
	}
	key(&desktop.CustomShortcut{KeyName: fyne.KeyZ, Modifier: fyne.KeyModifierShortcutDefault | fyne.KeyModifierShift})
	if b.subjects.Prompt.Text != "a dogx" {
		t.Errorf("redo while typing: the field has %q", b.subjects.Prompt.Text)
	}
}

// TestLookUndoOfTheNegativePrompt: what undo brings back there, also nothing or a word with a blank behind it, is no change of the user's,
// so redo leads forward again.
func TestLookUndoOfTheNegativePrompt(t *testing.T) {
	plain.Run(t)
	for _, focus := range []bool{true, false} {
		b := ready(t, nil)
		b.set.More.OnTapped()
		typed := func(text string) {
			b.win.Canvas().Focus(b.set.Negative)
			for _, r := range text {
				b.win.Canvas().Focused().TypedRune(r)
			}
			b.settle()
		}
		typed("ugly ")
		b.set.Steps.Slider.OnChanged(10)
		b.settle()
		typed("hands")
		if !focus {
			b.win.Canvas().Unfocus()
		}
		for _, step := range []struct {
			key  fyne.Shortcut
			want string
		}{
			{&fyne.ShortcutUndo{}, "ugly"},
			{&fyne.ShortcutUndo{}, "ugly"}, // the steps
			{&fyne.ShortcutUndo{}, ""},
			{&fyne.ShortcutRedo{}, "ugly"},
			{&fyne.ShortcutRedo{}, "ugly"},
			{&fyne.ShortcutRedo{}, "ugly hands"},
		} {
			b.key(step.key)
			b.settle()
			if got := strings.TrimSpace(b.state.Form.Negative); got != step.want || strings.TrimSpace(b.set.Negative.Text) != got {
				t.Errorf("focus %v: %s leads to %q, shown as %q, want %q", focus, step.key.ShortcutName(), got, b.set.Negative.Text, step.want)
			}
		}
	}
}

// Under a page the form is not seen, and nothing takes it back there.
func TestLookNoUndoUnderAPage(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog")
	b.subjects.PromptChanged("a dog and a cat")
	b.set.Steps.Slider.OnChanged(10)
	b.key(&fyne.ShortcutUndo{})
	want := b.state.Form
	for _, page := range []*kit.Screen{b.gallery.Screen, b.grid.Screen} {
		page.Show()
		b.settle()
		for _, key := range []fyne.Shortcut{&fyne.ShortcutUndo{}, &fyne.ShortcutRedo{}} {
			if b.key(key); b.state.Form.Prompt != want.Prompt || b.state.Form.Steps != want.Steps {
				t.Errorf("%s: %q, %d steps", key.ShortcutName(), b.state.Form.Prompt, b.state.Form.Steps)
			}
		}
		page.Hide()
	}
	if b.key(&fyne.ShortcutRedo{}); b.state.Form.Steps != 10 {
		t.Errorf("back in the studio, redo leaves %d steps", b.state.Form.Steps)
	}
}

// A form of earlier, of another model, is settled for the one that is open, and the way back goes on past it.
func TestLookUndoPastAnotherModel(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog")
	small := b.state.Model
	b.state.Change(func(s *state.State) {
		s.Model = uitest.Roomy
		s.Form.Width, s.Form.Height = 768, 512
		s.Form = s.Form.Settle(s.Model)
	})
	b.undo.Fields = nil // not one change with the one before
	b.state.Change(func(s *state.State) {
		s.Model = small
		s.Form = s.Form.Settle(s.Model)
	})
	own := b.state.Form
	b.key(&fyne.ShortcutUndo{})
	if f := b.state.Form; f.Width != own.Width || f.Height != own.Height || len(b.state.Reasons()) > 0 {
		t.Errorf("%d × %d, %q", f.Width, f.Height, b.state.Reasons())
	}
	for range 2 {
		b.key(&fyne.ShortcutUndo{})
	}
	if b.state.Form.Prompt != "" {
		t.Errorf("the way back ends at %q", b.state.Form.Prompt)
	}
}

// TestLookUndoShowsWhatItChanges: on the page of the queue, settings that are taken back come into view; where their column is folded away,
// the line under the picture says so. What was removed from the queue comes back before the eyes, too.
func TestLookUndoShowsWhatItChanges(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	tabs := b.columns.tabs
	b.set.Steps.Slider.OnChanged(10)
	b.state.Form.KeepSeed = true
	b.refresh()
	tabs.show(queueTab)
	b.key(&fyne.ShortcutUndo{})
	b.key(&fyne.ShortcutUndo{})
	if tabs.shown != settingsTab || b.state.Form.Steps != 25 {
		t.Errorf("page %d is shown, %d steps", tabs.shown, b.state.Form.Steps)
	}
	tabs.show(queueTab)
	b.columns.fold(folds{right: true})
	b.key(&fyne.ShortcutRedo{})
	if got, want := b.state.Caption(), "Steps 25 › 10 · Masks settle after (T_stop) step 12 › step 5"; got != want || tabs.shown != queueTab {
		t.Errorf("under the picture stands %q, want %q; page %d", got, want, tabs.shown)
	}
	b.columns.fold(folds{})
	tabs.show(settingsTab)
	b.state.Queue.Paused = true
	b.refresh()
	b.queue.Put(state.Task{Request: inference.Request{Prompt: "a dog", Seeds: []uint64{1}}}, false)
	b.settle()
	b.queue.Drop(b.state.Queue.Waiting[0].ID)
	b.key(&fyne.ShortcutUndo{})
	if len(b.state.Queue.Waiting) != 1 || tabs.shown != queueTab {
		t.Errorf("%d jobs wait, page %d is shown", len(b.state.Queue.Waiting), tabs.shown)
	}
}

// TestLookThereIsOneLineOfTime (rev16, no. 2): what was done last is taken back first, wherever the focus is, and what a field takes back is
// no new change.
func TestLookThereIsOneLineOfTime(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	c := b.win.Canvas()
	undo := func(what, prompt string, cards int, size fyne.Size) {
		t.Helper()
		b.key(&fyne.ShortcutUndo{})
		f := b.state.Form
		if got := f.Size(b.state.Model); f.Prompt != prompt || b.subjects.Prompt.Text != prompt || len(f.Cards) != cards || fyne.NewSize(float32(got.X), float32(got.Y)) != size {
			t.Errorf("%s: %q, in the field %q, %d cards, %v", what, f.Prompt, b.subjects.Prompt.Text, len(f.Cards), got)
		}
	}
	b.state.Change(func(s *state.State) {
		s.Model = uitest.Roomy
		s.Form = s.Form.Settle(s.Model)
	})
	b.undo.Reset(b.state.Form)
	own := b.state.Form.Size(b.state.Model)
	side := fyne.NewSize(float32(own.X), float32(own.Y))
	c.Focus(b.subjects.Prompt)
	for _, r := range "a dog with a palm" {
		c.Focused().TypedRune(r)
	}
	b.drop(nil, uitest.File(t, "rex.png", uitest.PNG(uitest.Red)))
	b.settle()
	if c.Focused() != b.subjects.Prompt || len(b.state.Form.Cards) != 1 {
		t.Fatalf("%T has the focus, %d cards", c.Focused(), len(b.state.Form.Cards))
	}
	undo("the drop", "a dog with a palm", 0, side)
	undo("a word", "a dog with a", 0, side)
	undo("another word", "a dog with", 0, side)
	c.Unfocus()
	undo("without the focus", "a dog", 0, side)
	b.key(&fyne.ShortcutRedo{})
	c.Focus(b.subjects.Prompt)
	b.key(&fyne.ShortcutRedo{})
	if b.state.Form.Prompt != "a dog with a" {
		t.Errorf("forward again: %q", b.state.Form.Prompt)
	}

	b.set.More.OnTapped()
	var sides []*kit.Field
	walk(b.set.Form, func(o fyne.CanvasObject) {
		if f, ok := o.(*kit.Field); ok && (f.PlaceHolder == "Width" || f.PlaceHolder == "Height") {
			sides = append(sides, f)
		}
	})
	if len(sides) != 2 {
		t.Fatalf("%d sides", len(sides))
	}
	was := sides[0].Text
	c.Focus(sides[0])
	sides[0].SetText("5")
	c.Focus(sides[1]) // as Tab does
	if sides[0].Text == was {
		t.Fatalf("5 becomes %s", sides[0].Text)
	}
	undo("a side, from the other one", "a dog with a", 0, side)
	if sides[0].Text != was {
		t.Errorf("the side is shown as %s, was %s", sides[0].Text, was)
	}

	seed := b.set.Seed.Text
	c.Focus(b.set.Seed)
	test.Type(b.set.Seed, "x")
	if b.state.SeedErr == nil {
		t.Fatal("x is a seed")
	}
	undo("what is no seed", "a dog with a", 0, side)
	if b.state.SeedErr != nil || b.set.Seed.Text != seed {
		t.Errorf("the seed is %q, was %q: %v", b.set.Seed.Text, seed, b.state.SeedErr)
	}
	undo("a word, from the seed", "a dog with", 0, side)
}

// TestLookWhereTheCursorIs after undo: where text came back or went, so that what is typed next goes on there.
func TestLookWhereTheCursorIs(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	f := b.subjects.Prompt
	b.win.Canvas().Focus(f)
	long := strings.Repeat("a dog on the beach with a cat ", 12)
	for _, c := range []struct {
		from, to string
		at       int
	}{
		{"a dog", "a dog with a palm", 17},
		{"a dog with a palm", "a dog", 5},
		{"a big dog", "a dog", 1},
		{"a dog", "a big dog", 5},
		{long, long + "x", len(long) + 1},
		{long + "x" + long, long + long, len(long)},
		{long, "", 0},
	} {
		f.SetText(c.from)
		f.CursorRow, f.CursorColumn = 0, 0
		f.Rewrite(c.to)
		if f.Text != c.to || f.CursorTextOffset() != c.at || f.SelectedText() != "" {
			t.Errorf("%.20q to %.20q: the cursor is at %d, want %d; selected %q", c.from, c.to, f.CursorTextOffset(), c.at, f.SelectedText())
		}
		if f.TypedRune('!'); f.Text != string([]rune(c.to)[:c.at])+"!"+string([]rune(c.to)[c.at:]) {
			t.Errorf("%.20q to %.20q: typed on, it is %q", c.from, c.to, f.Text)
		}
	}
}

// TestLookDeletedPresetsComeBack: by Ctrl+Z in its turn, or by the button beside what was done.
func TestLookDeletedPresetsComeBack(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.prefs.KeepPresets(state.OwnPresets{b.state.Form.Own("Mine")})
	b.set.Steps.Slider.OnChanged(10)
	b.settle()
	gone := func() {
		t.Helper()
		if own := b.prefs.Presets(); len(own) != 0 || b.notice.Now.Text != "The preset “Mine” is deleted." || b.notice.Now.Act != "Undo" {
			t.Fatalf("%+v, %q", own, b.notice.Now.Text)
		}
	}
	there := func() {
		t.Helper()
		if own := b.prefs.Presets(); len(own) != 1 || b.notice.Now.Text != "The preset “Mine” is back." || b.notice.Now.Act != "" {
			t.Fatalf("%+v, %q", own, b.notice.Now.Text)
		}
	}
	forget := func() { b.prefs.KeepPresets(state.OwnPresets{}) }
	forget()
	own, newer := b.state.Form.Own("Mine"), false
	b.done("The preset “Mine” is deleted.", "The preset “Mine” is back.", state.Deed{
		Back: func() {
			if !newer {
				b.prefs.KeepPresets(state.OwnPresets{own})
			}
		},
		Again: forget,
		Done:  func() bool { return newer || len(b.prefs.Presets()) == 0 },
	})
	gone()
	b.key(&fyne.ShortcutUndo{})
	if there(); b.state.Form.Steps != 10 || b.columns.tabs.shown != settingsTab {
		t.Errorf("with the preset came %d steps, tab %d", b.state.Form.Steps, b.columns.tabs.shown)
	}
	b.key(&fyne.ShortcutRedo{})
	gone()
	b.notice.Act.OnTapped()
	there()
	if !slices.ContainsFunc(textsOf(b.set.Page), func(t shownText) bool { return t.text == "Mine" }) {
		t.Error("the settings do not show that the preset is back")
	}
	b.key(&fyne.ShortcutUndo{})
	if there(); b.state.Form.Steps != 25 {
		t.Errorf("what was done before is not taken back next: %d steps", b.state.Form.Steps)
	}
	b.key(&fyne.ShortcutRedo{})
	b.key(&fyne.ShortcutRedo{})
	gone()
	newer = true
	b.key(&fyne.ShortcutUndo{})
	if got := b.notice.Now; got.Text != "Another one was saved under that name since: it stays." || got.Act != "" {
		t.Errorf("what does not come back: %q, %q", got.Text, got.Act)
	}
}
