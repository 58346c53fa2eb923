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

// TestNothingIsWrittenOverUnasked: a name that is typed without its ending is that of a file which the dialog has not asked about.
func TestNothingIsWrittenOverUnasked(t *testing.T) {
	home(t)
	dir := t.TempDir()
	for _, name := range []string{"fox.png", "portrait v1.2.png"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		offered string
		typed   []string // one for each time that the dialog comes
		again   string   // that it offers the last time
		want    string
	}{
		{"realword-7.png", []string{"new"}, "realword-7.png", "new.png"},
		{"realword-7.png", []string{"sketch v1.2"}, "realword-7.png", "sketch v1.2.png"},
		{"realword-7.png", []string{"fox.PNG"}, "realword-7.png", "fox.PNG"}, // the dialog has asked itself
		{"realword-7.png", []string{"fox", "fox.png"}, "fox.png", "fox.png"},
		{"realword-7.png", []string{"portrait v1.2", "fox", "owl"}, "fox.png", "owl.png"},
		{"realword-7.png", []string{"fox", ""}, "fox.png", ""},
		{"session.zip", []string{"fox"}, "session.zip", "fox.zip"},
		{"realword-7.png", []string{""}, "realword-7.png", ""},
	} {
		asked, last := 0, fileDialog{}
		path, err := fileDialog{kind: dialogSave, title: c.offered, name: c.offered}.ask(func(d fileDialog) (string, error) {
			name := c.typed[asked]
			asked, last = asked+1, d
			if name == "" {
				return "", nil
			}
			return filepath.Join(dir, name), nil
		})
		if c.want != "" {
			c.want = filepath.Join(dir, c.want)
		}
		if err != nil || path != c.want || asked != len(c.typed) || last.name != c.again || asked > 1 && last.folder != dir {
			t.Errorf("%q: %q, %v, asked %d times, at last for %q in %q", c.typed, path, err, asked, last.name, last.folder)
		}
	}
	folder := fileDialog{kind: dialogFolder, title: "Choose a folder"}
	if path, err := folder.ask(func(fileDialog) (string, error) { return dir, nil }); path != dir || err != nil {
		t.Errorf("a folder: %q, %v", path, err)
	}
}
