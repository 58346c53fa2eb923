package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestDialogsBeginWhereTheLastWasLeft, and the first among the user's pictures, not where the program was started from.
func TestDialogsBeginWhereTheLastWasLeft(t *testing.T) {
	home(t)
	pictures := filepath.Join(t.TempDir(), "Pictures")
	t.Setenv("XDG_PICTURES_DIR", pictures)
	chosen.folders = nil
	t.Cleanup(func() { chosen.folders = nil })
	title := map[dialogKind]string{dialogSave: "Save the picture", dialogOpen: "Open a picture", dialogFolder: "Choose a folder"}
	kinds := map[dialogKind][]string{dialogSave: {"zip"}, dialogOpen: {"png", "jpg"}}
	begins := func(kind dialogKind, answer string, err error) (folder string) {
		t.Helper()
		path, got := fileDialog{kind: kind, title: title[kind], extensions: kinds[kind]}.ask(func(d fileDialog) (string, error) {
			folder = d.folder
			return answer, err
		})
		if path != answer || !errors.Is(got, err) {
			t.Errorf("it answers %q, %v", path, got)
		}
		return folder
	}
	if err := os.MkdirAll(pictures, 0o700); err != nil {
		t.Fatal(err)
	}
	if got := begins(dialogSave, "", nil); got != pictures {
		t.Errorf("the first begins in %q", got)
	}
	ours := filepath.Join(pictures, "Realword")
	if err := os.MkdirAll(ours, 0o700); err != nil {
		t.Fatal(err)
	}
	mine := t.TempDir()
	if got := begins(dialogSave, filepath.Join(mine, "film.png"), nil); got != ours {
		t.Errorf("with pictures of ours it begins in %q", got)
	}
	if got := begins(dialogSave, "", nil); got != mine {
		t.Errorf("the next begins in %q, and the last was left in %q", got, mine)
	}
	if got := begins(dialogOpen, "", nil); got != ours {
		t.Errorf("one that opens begins in %q", got)
	}
	if got := begins(dialogFolder, "", nil); got != "" {
		t.Errorf("one that is for no pictures begins in %q", got)
	}
	if err := os.Remove(mine); err != nil {
		t.Fatal(err)
	}
	if got := begins(dialogSave, "", errors.New("no display")); got != ours {
		t.Errorf("with its folder gone it begins in %q", got)
	}
}
