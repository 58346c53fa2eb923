package ui

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"

	"realword/inference/plain"
	"realword/ui/command"
)

// TestLookMenusOfMacOSTakeNoLetters: the system hears the keys of its menus before a field does, and takes one without modifiers for Cmd and
// that key. So the entries have keys with Cmd alone, each its own and none of the system's; others are named in the label.
func TestLookMenusOfMacOSTakeNoLetters(t *testing.T) {
	plain.Run(t)
	b := furnished(t)
	b.System = "darwin"
	b.Bind()
	const cmd, alt = fyne.KeyModifierShortcutDefault, fyne.KeyModifierAlt
	taken := map[command.Stroke]string{
		{Mod: cmd, Key: fyne.KeyQ}: "Quit Realword", {Mod: cmd, Key: fyne.KeyH}: "Hide Realword", {Mod: cmd | alt, Key: fyne.KeyH}: "Hide Others",
		{Mod: cmd, Key: fyne.KeyM}: "Minimize",
	}
	var labels []string
	for _, m := range b.Menus.Main.Items {
		for _, item := range m.Items {
			labels = append(labels, item.Label)
			key, ok := item.Shortcut.(fyne.KeyboardShortcut)
			if !ok {
				continue
			}
			s := command.Stroke{Mod: key.Mod(), Key: key.Key()}
			if s.Mod&cmd == 0 {
				t.Errorf("%s has the key %s: the system takes it while one types", item.Label, s)
			}
			if other := taken[s]; other != "" {
				t.Errorf("%s and %s have the key %s", other, item.Label, s)
			}
			taken[s] = item.Label
			if preferences := s == (command.Stroke{Mod: cmd, Key: fyne.KeyComma}); preferences != (item.Label == "Preferences…") {
				t.Errorf("%s has the key %s", item.Label, s)
			}
		}
	}
	if len(taken) < 20 {
		t.Errorf("only %d entries have a key", len(taken))
	}
	for _, want := range []string{"Queue (Q)", "Previous step (Shift+←)", "Sessions and pictures", "Copy the picture", "Quit"} {
		if !slices.Contains(labels, want) {
			t.Errorf("no entry is called %q", want)
		}
	}
	for _, a := range b.Table.List {
		if s, err := command.ParseStroke(a.Key); err == nil && taken[s] != a.Label && slices.Contains([]string{"H", "M"}, string(s.Key)) &&
			s.Mod&^alt == cmd {
			t.Errorf("%s has the key %s, which the system takes", a.ID, s)
		}
	}
	if got := b.KeyOf("history.show"); got != (command.Stroke{Mod: cmd | fyne.KeyModifierShift, Key: fyne.KeyH}).Shown() {
		t.Errorf("sessions and pictures are shown with %s", got)
	}
	if b.Press(command.Stroke{Key: fyne.KeyF10}) {
		t.Error("F10 opens menus that the window has not got")
	}
	if !b.Press(command.Stroke{Key: fyne.KeyQ}) {
		t.Error("the window does not hear Q")
	}
}
