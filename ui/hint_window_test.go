package ui

import (
	"strings"
	"testing"

	"realword/inference/plain"
	"realword/ui/preferences"
	"realword/ui/uitest"
)

// What the window says about keys follows the keys that the user has chosen.
func TestLookHintsNameTheKeysThatHold(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.subjects.PromptChanged("a dog")
	b.drop(nil, uitest.File(t, "dog.png", uitest.PNG(uitest.Red)))
	if !strings.Contains(b.subjects.ChipHint.Text, "press Ctrl+Enter to generate") {
		t.Fatalf("the hint says %q", b.subjects.ChipHint.Text)
	}
	keys := func(own map[string]string) {
		b.prefs.Change(func(p *preferences.Values) { p.Keys = own })
		b.Bind()
		b.refresh()
	}
	keys(map[string]string{"run.generate": "Alt+G", "history.star": "Q"})
	if !strings.Contains(b.subjects.ChipHint.Text, "press Alt+G to generate") {
		t.Errorf("with another key the hint says %q", b.subjects.ChipHint.Text)
	}
	keys(map[string]string{"run.generate": ""})
	if !strings.Contains(b.subjects.ChipHint.Text, "or generate.") {
		t.Errorf("without a key the hint says %q", b.subjects.ChipHint.Text)
	}
	if b.KeyOf("no.such") != "" {
		t.Error("what is no action has a key")
	}
}

// Every action can be given a key in the list of keys.
func TestLookEveryActionStandsInTheListOfKeys(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.ShowKeys()
	var texts []string
	for _, o := range onScreen(b.win) {
		texts = append(texts, o.Text)
	}
	all := strings.Join(texts, "\n")
	for _, a := range b.Table.List {
		if a.ID != "" && !strings.Contains(all, a.Label) {
			t.Errorf("%s (%s) is not in the list", a.ID, a.Label)
		}
	}
}
