package ui

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// TestEarlierPromptsByKey: what was generated comes back by Ctrl+Up from within the prompt, and what was being written by Ctrl+Down.
func TestEarlierPromptsByKey(t *testing.T) {
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog on the beach")
	b.queue.Before(func() {}) // as every job begins
	b.subjects.PromptChanged("a cat")
	press := func(key fyne.KeyName, want string) {
		t.Helper()
		b.subjects.Prompt.TypedShortcut(&desktop.CustomShortcut{KeyName: key, Modifier: fyne.KeyModifierShortcutDefault})
		if got := b.state.Form.Prompt; got != want || b.subjects.Prompt.Text != want {
			t.Errorf("the prompt is %q, the field %q, want %q", got, b.subjects.Prompt.Text, want)
		}
	}
	press(fyne.KeyUp, "a dog on the beach")
	press(fyne.KeyDown, "a cat")
}
