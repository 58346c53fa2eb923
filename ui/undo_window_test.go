package ui

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"realword/ui/uitest"
)

// TestUndoInTheWindow turns knobs and takes them back with the keyboard; a text field keeps its own undo.
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
	if b.subjects.Prompt.Text == "xa dog" || b.state.Form.Steps != steps {
		t.Errorf("undo while typing: the field has %q, %d steps", b.subjects.Prompt.Text, b.state.Form.Steps)
	}
	key(&desktop.CustomShortcut{KeyName: fyne.KeyZ, Modifier: fyne.KeyModifierShortcutDefault | fyne.KeyModifierShift})
	if b.subjects.Prompt.Text != "xa dog" {
		t.Errorf("redo while typing: the field has %q", b.subjects.Prompt.Text)
	}
}
