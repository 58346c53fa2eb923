package command

import (
	"fmt"
	"testing"
)

// TestMenuLetters (fault 23): Alt and a letter open each menu, one for each, in every script that has such letters.
func TestMenuLetters(t *testing.T) {
	for want, names := range map[string][]string{
		"[F E R M V H]": {"File", "Edit", "Run", "Models", "View", "Help"},
		"[D B A M N H]": {"Datei", "Bearbeiten", "Ausführen", "Modelle", "Ansicht", "Hilfe"},
		"[ A ]":         {"ファイル", "A", "編集"},
	} {
		if got := fmt.Sprint(menuLetters(names)); got != want {
			t.Errorf("%q have the letters %s, want %s", names, got, want)
		}
	}
}
