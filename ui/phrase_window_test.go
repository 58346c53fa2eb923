package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"realword/inference/plain"
	"realword/ui/command"
	"realword/ui/state"
	"realword/ui/uitest"
)

func TestLookPhraseByMouseAndKeys(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog with a hat")
	b.drop(nil, uitest.File(t, "x.png", uitest.PNG(uitest.Red)))
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
	if !b.chipOf(3).Within || b.chipOf(0).Within || !strings.Contains(b.subjects.ChipHint.Text, "dog with a hat") {
		t.Errorf("while dragging: %q", b.subjects.ChipHint.Text)
	}
	drag(1, fyne.NewPos(600, 700)) // below the words the marking stays as it was
	b.chipOf(1).DragEnd()
	if got := bondsIn(b.state.State); got != "x.png=dog with a hat#1" {
		t.Fatalf("bonds %q", got)
	}
	if b.chipOf(3).Subject != 0 || b.chipOf(0).Subject != -1 {
		t.Error("not all words of the phrase have its colour")
	}
	// A drag within one word is a click.
	drag(4, middle(4))
	b.chipOf(4).DragEnd()
	if got := bondsIn(b.state.State); got != "x.png=hat#1" {
		t.Errorf("bonds %q", got)
	}
	// With the keyboard: Shift and the arrows from a word, then Enter. The test driver has no modifiers, so the words are marked
	// as the key does.
	b.win.Canvas().Focus(b.chipOf(1))
	b.chipOf(1).TypedKey(&fyne.KeyEvent{Name: fyne.KeyRight})
	if b.win.Canvas().Focused() != b.chipOf(2) {
		t.Error("Right does not go to the next word")
	}
	b.state.State = b.state.Mark(1, 4)
	b.refresh()
	b.chipOf(2).TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if got := bondsIn(b.state.State); got != "x.png=dog with a hat#1" {
		t.Errorf("bonds %q", got)
	}
	b.state.State = b.state.Mark(0, 1)
	b.chipOf(2).TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if b.state.Span.On {
		t.Error("Esc goes on marking")
	}
	// In the prompt: the selected words, or the one at the cursor.
	b.win.Canvas().Focus(b.subjects.Prompt)
	b.subjects.Prompt.TypedShortcut(&fyne.ShortcutSelectAll{})
	b.Press(mustStroke(t, "Ctrl+B"))
	if got := bondsIn(b.state.State); got != "x.png=a dog with a hat#1" {
		t.Errorf("bonds %q", got)
	}
	b.subjects.Prompt.CursorRow, b.subjects.Prompt.CursorColumn = 0, 3
	b.subjects.Prompt.TypedKey(&fyne.KeyEvent{Name: fyne.KeyRight})
	b.Press(mustStroke(t, "Ctrl+B"))
	if r, ok := b.state.WordsAt(b.subjects.Prompt.Selection()); !ok || bondsIn(b.state.State) != "x.png="+b.state.Words[r.First].Text+"#1" {
		t.Errorf("bonds %q", bondsIn(b.state.State))
	}
	// Onto a card.
	b.drop(nil, uitest.File(t, "y.png", uitest.PNG(uitest.Green)))
	b.win.Content().Resize(fyne.NewSize(1240, 800))
	o := b.cardAt(1)
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(o).AddXY(9, 9)
	drag(4, middle(4))
	drag(4, at)
	b.chipOf(4).DragEnd()
	if !strings.Contains(bondsIn(b.state.State), "y.png=hat#1") {
		t.Errorf("bonds %q", bondsIn(b.state.State))
	}
}

func mustStroke(t *testing.T, key string) command.Stroke {
	t.Helper()
	s, err := command.ParseStroke(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Words are marked, and one waits for a picture, when an undo or another session brings another prompt.
func TestLookOtherWordsWhileSomeAreMarked(t *testing.T) {
	plain.Run(t)
	b := keeping(t, t.TempDir())
	for name, leave := range map[string]func(){
		"undo":          func() { b.adopt(b.undo.Back()) },
		"a new session": func() { b.chipOf(3).TypedShortcut(mustStroke(t, "Ctrl+N").Shortcuts()[0]) },
	} {
		b.subjects.PromptChanged("a dog")
		b.set.Steps.Slider.OnChanged(b.set.Steps.Slider.Value + 1)
		b.subjects.PromptChanged("a dog on the very long beach")
		b.chipOf(6).Tapped(nil) // no picture is there: the word waits
		b.state.Change(func(s *state.State) { *s = s.Mark(3, 5) })
		if !strings.Contains(b.subjects.ChipHint.Text, "the very long") {
			t.Fatalf("%s: the hint is %q", name, b.subjects.ChipHint.Text)
		}
		leave()
		b.settle()
		if len(b.state.Words) > 2 || b.state.Span.On || b.state.Pending.Text != "" || strings.Contains(b.subjects.ChipHint.Text, "“") {
			t.Errorf("%s: %d words, %+v marked, %q waits, the hint is %q",
				name, len(b.state.Words), b.state.Span, b.state.Pending.Text, b.subjects.ChipHint.Text)
		}
	}
}
