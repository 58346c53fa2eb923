package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"realword/inference/plain"
	"realword/ui/command"
	"realword/ui/preferences"
)

// TestLookKeysCanBeChanged gives an action another key, sees the old one without effect, and what a taken key is asked about.
func TestLookKeysCanBeChanged(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.prefs.Change(func(p *preferences.Values) { p.Keys = map[string]string{"file.preferences": "Ctrl+P", "help.keys": ""} })
	b.Bind()
	typed := func(s fyne.Shortcut) bool {
		b.key(s)
		open := b.Layers.Open() > 0
		b.Back()
		return open
	}
	for name, want := range map[string]bool{"Ctrl+P": true, "Ctrl+,": false} {
		s, err := command.ParseStroke(name)
		if err != nil {
			t.Fatal(err)
		}
		if typed(s.Shortcuts()[0]) != want {
			t.Errorf("%s opens the preferences: %v, want %v", name, !want, want)
		}
	}
	if b.Press(command.Stroke{Key: fyne.KeyF1}) {
		t.Error("F1 acts, though it was taken away")
	}

	// In the list: a click on a key, then a key that is taken.
	b.ShowKeys()
	var caps []*command.KeyCap
	for _, s := range widgetsOf(b.tops()) {
		if k, ok := s.(*command.KeyCap); ok {
			caps = append(caps, k)
		}
	}
	cap := caps[0] // Generate
	cap.Tapped(nil)
	cap.KeyDown(&fyne.KeyEvent{Name: fyne.KeyR})
	asked := strings.Join(b.seen(), "\n")
	if !strings.Contains(asked, "Use as reference") || !strings.Contains(asked, "Generate") {
		t.Fatalf("nobody asks about the taken key: %s", asked)
	}
	for _, s := range widgetsOf(b.tops()) {
		if k, ok := s.(fyne.Tappable); ok && labelOf(s) == "Use it here" {
			k.Tapped(nil)
		}
	}
	if b.prefs.Keys["run.generate"] != "R" || b.prefs.Keys["picture.reference"] != "" {
		t.Errorf("keys %v", b.prefs.Keys)
	}
	if i, ok := b.Table.Keys[command.Stroke{Key: fyne.KeyR}]; !ok || b.Table.List[i].ID != "run.generate" {
		t.Error("R does not generate")
	}
}

// TestLookNobodyTypesIntoWhatIsFoldedAway: with the prompt folded away its key shows it, and what is folded away has the focus no longer,
// so that the keys which bring it back are read.
func TestLookNobodyTypesIntoWhatIsFoldedAway(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	c := b.win.Canvas()
	c.Focus(b.subjects.Prompt)
	b.columns.fold(folds{true, true, true})
	if c.Focused() != nil {
		t.Errorf("%T has the focus still", c.Focused())
	}
	b.Do("edit.prompt")
	if c.Focused() != fyne.Focusable(b.subjects.Prompt) || b.columns.prompt.Hidden {
		t.Errorf("%T has the focus, the prompt is hidden: %v", c.Focused(), b.columns.prompt.Hidden)
	}
	b.columns.fold(folds{})
	if c.Focused() != fyne.Focusable(b.subjects.Prompt) {
		t.Error("what is seen has lost the focus")
	}
}
