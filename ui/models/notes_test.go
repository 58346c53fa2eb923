package models

import (
	"io/fs"
	"strings"
	"testing"

	"realword/assets/translations"
	"realword/inference/bundle"
	"realword/inference/message"
	"realword/ui/i18n"
	"realword/ui/i18n/i18ntest"
	"realword/ui/models/modelstest"
	"realword/ui/state"
	"realword/ui/wording"
)

// everyNote is each note that an import can make, as the source has them.
func everyNote(t *testing.T) (list []*message.Error) {
	t.Helper()
	for _, text := range i18ntest.Messages(t, "inference/bundle", "Note") {
		list = append(list, i18ntest.Example(text))
	}
	if len(list) < 12 {
		t.Fatalf("an import can make %d notes", len(list))
	}
	return list
}

// TestNotesInEveryLanguage: what an import tells is said in the language of the window, before it and of the model that it has made.
func TestNotesInEveryLanguage(t *testing.T) {
	notes := everyNote(t)
	told := *modelstest.Big
	for _, n := range notes {
		told.Notes = append(told.Notes, n.Error())
		told.Remarks = append(told.Remarks, message.PartsOf(n))
	}
	b, m := newBench(t)
	in := modelstest.Recognised(bundle.LayoutRelease)
	in.Manifest = told
	m.Found[modelstest.SourcePath] = in
	b.LookAt(modelstest.SourcePath, "", "")
	b.Settle()
	languages, err := fs.Glob(translations.Files, "*.json")
	if err != nil || len(languages) < 6 {
		t.Fatal(languages, err)
	}
	t.Cleanup(func() { i18ntest.English(t) })
	for _, file := range languages {
		name := strings.TrimSuffix(file, ".json")
		if err := i18n.Speak(translations.Files, name); err != nil {
			t.Fatal(err)
		}
		b.refreshAdding(*b.State.Shelf.Adding)
		b.refreshDetail(state.Model{Path: modelstest.BigPath, Manifest: &told})
		for place, text := range map[string]string{"before the import": b.addNotes.Text, "of the model": b.notes.Text} {
			lines := strings.Split(strings.TrimSpace(text), "\n")
			if len(lines) != len(notes) {
				t.Fatalf("%s, in %s: %d of %d notes:\n%s", place, name, len(lines), len(notes), text)
			}
			for i, line := range lines {
				if english := "• " + wording.Capital(notes[i].Error()); (line == english) != (name == "en") {
					t.Errorf("%s, in %s: %q", place, name, line)
				}
			}
		}
	}
}
