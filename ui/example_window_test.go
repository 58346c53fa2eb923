package ui

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
)

// Whoever presses Generate before there is anything to make is told what to do, where they look, and can do it at once.
func TestGenerateWithNothing(t *testing.T) {
	b := ready(t, nil)
	if b.state.Form.KeepSeed || b.set.Reasons.Importance != widget.LowImportance {
		t.Fatal("a first start insists on something")
	}
	test.Tap(b.set.Generate)
	if b.set.Reasons.Importance != widget.WarningImportance || b.set.Reasons.Text == "" {
		t.Errorf("it says %q as %v", b.set.Reasons.Text, b.set.Reasons.Importance)
	}
	if b.win.Canvas().Focused() != b.subjects.Prompt {
		t.Error("the prompt does not wait for a text")
	}
	b.subjects.PromptChanged("a dog")
	if b.set.Generate.Disabled() || b.set.Reasons.Importance == widget.WarningImportance {
		t.Errorf("with a prompt it still says %q", b.set.Reasons.Text)
	}
	b.subjects.PromptChanged("")
	b.columns.fold(folds{right: true})
	b.Shortcut(&desktop.CustomShortcut{KeyName: fyne.KeyReturn, Modifier: fyne.KeyModifierShortcutDefault})
	if b.notice.Now.Text != b.set.Reasons.Text || b.notice.Now.Text == "" {
		t.Errorf("with the settings folded it says %q", b.notice.Now.Text)
	}
	b.subjects.PromptChanged("a dog")
	if b.notice.Now.Text != "" || !b.notice.Hidden {
		t.Errorf("with a prompt it still says %q", b.notice.Now.Text)
	}
}
