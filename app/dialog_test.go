package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
		var answers []string
		if answer != "" {
			answers = []string{answer}
		}
		paths, got := fileDialog{kind: kind, title: title[kind], extensions: kinds[kind]}.ask(func(d fileDialog) ([]string, error) {
			folder = d.folder
			return answers, err
		})
		if !slices.Equal(paths, answers) || !errors.Is(got, err) {
			t.Errorf("it answers %q, %v", paths, got)
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
	if got, err := os.UserHomeDir(); err != nil || begins(dialogFolder, "", nil) != got {
		t.Errorf("one that is for no pictures does not begin in %q, %v", got, err)
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
		{"realword-7.png", []string{"other.jpg"}, "realword-7.png", "other.png"}, // what is written is a PNG
		{"realword-7.png", []string{"other.HEIC"}, "realword-7.png", "other.png"},
		{"realword-7.png", []string{"fox.tiff", "fox.png"}, "fox.png", "fox.png"},
		{"session.zip", []string{"fox"}, "session.zip", "fox.zip"},
		{"session.zip", []string{"fox.png"}, "session.zip", "fox.png.zip"},
		{"realword-7.png", []string{""}, "realword-7.png", ""},
	} {
		asked, last := 0, fileDialog{}
		paths, err := fileDialog{kind: dialogSave, title: c.offered, name: c.offered}.ask(func(d fileDialog) ([]string, error) {
			name := c.typed[asked]
			asked, last = asked+1, d
			if name == "" {
				return nil, nil
			}
			return []string{filepath.Join(dir, name)}, nil
		})
		path := strings.Join(paths, "|")
		if c.want != "" {
			c.want = filepath.Join(dir, c.want)
		}
		if err != nil || path != c.want || asked != len(c.typed) || last.name != c.again || asked > 1 && last.folder != dir {
			t.Errorf("%q: %q, %v, asked %d times, at last for %q in %q", c.typed, path, err, asked, last.name, last.folder)
		}
	}
	folder := fileDialog{kind: dialogFolder, title: "Choose a folder"}
	if paths, err := folder.ask(func(fileDialog) ([]string, error) { return []string{dir}, nil }); !slices.Equal(paths, []string{dir}) || err != nil {
		t.Errorf("a folder: %q, %v", paths, err)
	}
}

// TestOneDialogAtATime: a second one brings the first to the front, which may lie behind the window, and does not wait behind it.
func TestOneDialogAtATime(t *testing.T) {
	d, fronts := fileDialog{kind: dialogOpen, title: "Open reference pictures", many: true}, 0
	none := func(fileDialog) ([]string, error) { t.Error("a second dialog"); return nil, nil }
	for range 2 {
		paths, err := d.alone(func(fileDialog) ([]string, error) {
			if paths, err := d.alone(none, func() { fronts++ }); paths != nil || err != nil {
				t.Errorf("the second answers %q, %v", paths, err)
			}
			return []string{"a.png", "b.png"}, nil
		}, func() { t.Error("there is none before the first") })
		if len(paths) != 2 || err != nil {
			t.Errorf("the first answers %q, %v", paths, err)
		}
	}
	if fronts != 2 {
		t.Errorf("brought to the front %d times", fronts)
	}
}
