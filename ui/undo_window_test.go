package ui

import (
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
	if got, want := b.state.Caption(), "Steps 25 → 10 · Masks settle after (T_stop) step 12 → step 5"; got != want || tabs.shown != queueTab {
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
