package saving

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2/test"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/inference/files"
	"realword/inference/picture"
	"realword/inference/recipe"
	"realword/ui/roomtest"
	"realword/ui/state"
	"realword/ui/uitest"
	"realword/ui/wording"
)

// bench is the saver in a house of its own, with a history.
type bench struct {
	*Saver
	*roomtest.House
	t        *testing.T
	folder   string // for pictures
	answer   string // where a copy is to go
	revealed []string
	trouble  error // of what shows folders
}

func newBench(t *testing.T) *bench {
	t.Helper()
	dir := t.TempDir()
	b := &bench{House: roomtest.New(t), t: t, folder: filepath.Join(dir, "pictures")}
	j := journal.New(func(err error) {
		if err != nil {
			t.Error(err)
		}
	}, func() {}, func() {})
	s, err := history.Options{Pictures: b.folder}.Open(filepath.Join(dir, "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	j.Open(s)
	b.Saver = New(Host{
		State: b.Now, Change: b.Change, Journal: j, Post: b.Post, Background: b.Background,
		Folder: func() string { return b.folder }, FileName: func() string { return "{words}/{seed}" },
		Embed:    func() recipe.Embed { return recipe.Embed{Program: "realword 1.2"} },
		SaveFile: func(string) (string, error) { return b.answer, nil },
		Reveal:   func(folder string) error { b.revealed = append(b.revealed, folder); return b.trouble },
		OnHeight: func() {},
	})
	b.Move(b.Bar.Container, b.Saver.Actions, b.Bar.Follow, j.Working)
	t.Cleanup(func() {
		b.Settle()
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// make makes a picture of a dog with seed 7, as a job does, and saves it.
func (b *bench) make() {
	b.t.Helper()
	b.makeOf(inference.Request{Prompt: "a dog", Seeds: []uint64{7}, Subjects: []inference.Subject{{Word: uitest.Word("dog")}}})
}

func (b *bench) makeOf(r inference.Request) {
	b.t.Helper()
	ready := uitest.Picture(r, 0)
	events := make(chan inference.Event, 3)
	events <- inference.StageStarted{Stage: inference.StageDenoise}
	events <- ready
	events <- inference.Done{}
	close(events)
	b.State = b.State.Begin(state.Task{}, 1, 2)
	for e := range b.host.Journal.Record(1, r, "toybox", nil, events) {
		b.Change(func(s *state.State) { *s = s.Apply(0, e) })
	}
	b.Save(ready)
	b.Settle()
}

func (b *bench) kept() history.Picture {
	b.t.Helper()
	p, err := b.host.Journal.Store().Picture(b.State.Shot().Kept)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

func TestPicturesAreSaved(t *testing.T) {
	b := newBench(t)
	b.make()
	s := b.State.Shot()
	if want := filepath.Join(b.folder, "dog", "7-0001.png"); s.Path != want || s.Unsaved || s.SaveErr != nil || !b.Bar.Hidden {
		t.Fatalf("%+v, want %s", s, want)
	}
	data := uitest.Read(t, s.Path)
	if r, _, err := recipe.Read(data); err != nil || r.Prompt != "a dog" || r.Program != "realword 1.2" {
		t.Errorf("%+v, %v", r, err)
	}
	if p := b.kept(); p.File != s.Path || p.SHA256 != files.Sum(data) || p.Pixels != "" {
		t.Errorf("the history has %+v", p)
	}
	b.make() // beside the first
	if got := b.State.Shots[1].Path; got == s.Path || filepath.Dir(got) != filepath.Dir(s.Path) {
		t.Errorf("the next one is %s", got)
	}
	b.answer = filepath.Join(t.TempDir(), "copy.png")
	b.Key("Ctrl+S")
	b.Settle()
	if r, _, err := recipe.Read(uitest.Read(t, b.answer)); err != nil || r.Prompt != "a dog" || b.State.ActionErr != nil {
		t.Errorf("the copy: %+v, %v, %v", r, err, b.State.ActionErr)
	}
	b.reveal()
	b.Settle()
	if b.trouble = errors.New("there is no file manager"); b.State.ActionErr != nil || len(b.revealed) != 1 || b.revealed[0] != filepath.Join(b.folder, "dog") {
		t.Errorf("%q is shown, %v", b.revealed, b.State.ActionErr)
	}
	b.reveal()
	b.Settle()
	if b.State.ActionErr == nil || !strings.Contains(b.State.ActionErr.Error(), "cannot be shown: there is no file manager") {
		t.Errorf("%v", b.State.ActionErr)
	}
}

func TestAPictureThatCannotBeWrittenIsKept(t *testing.T) {
	b := newBench(t)
	if err := os.WriteFile(b.folder, nil, 0o600); err != nil { // in the way
		t.Fatal(err)
	}
	b.make()
	told := func(when string) {
		t.Helper()
		s := b.State.Shot()
		if !s.Unsaved || !s.Pixels || s.Kept == 0 || s.Path != "" {
			t.Fatalf("%s: %+v", when, s)
		}
		if text := b.Bar.Text.Text; b.Bar.Hidden || !strings.Contains(text, "choose another folder") || !strings.Contains(text, "kept in this session") {
			t.Errorf("%s it says %q", when, text)
		}
	}
	told("at once")
	test.Tap(b.Bar.Retry)
	b.Settle()
	told("after another try")
	test.Tap(b.Bar.Other) // and thought better of it
	b.Settle()
	told("after a dialog that was left")
	if err := os.Remove(b.folder); err != nil {
		t.Fatal(err)
	}
	test.Tap(b.Bar.Retry)
	test.Tap(b.Bar.Retry) // while it is being written
	b.Settle()
	s := b.State.Shot()
	if s.Unsaved || s.SaveErr != nil || s.Path == "" || !b.Bar.Hidden {
		t.Fatalf("with a folder: %+v", s)
	}
	if list, _ := filepath.Glob(filepath.Join(filepath.Dir(s.Path), "*.png")); len(list) != 1 {
		t.Errorf("of one picture there are %q", list)
	}
	if p := b.kept(); p.File != s.Path || p.Pixels != "" || p.SHA256 != files.Sum(uitest.Read(t, s.Path)) || len(p.Thumbnail) == 0 || p.Width != 16 {
		t.Errorf("the history has %+v", p)
	}
}

// TestAPictureInNoFileIsLent: a picture that was never to be in a file, as that of the example, goes to other programs as one that is gone
// with the window, and has a file of its own once it is saved.
func TestAPictureInNoFileIsLent(t *testing.T) {
	b := newBench(t)
	if err := os.WriteFile(b.folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b.make()
	b.Change(func(s *state.State) { s.Shots[0].Unsaved, s.Shots[0].SaveErr = false, nil })
	if !b.Bar.Hidden {
		t.Errorf("it is told of: %q", b.Bar.Text.Text)
	}
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("TMP", os.Getenv("TMPDIR")) // as Windows calls it
	path, err := b.Lend(*b.State.Shot())
	if err != nil || filepath.Ext(path) != ".png" {
		t.Fatal(path, err)
	}
	lent, err := os.ReadFile(path)
	kept, err2 := b.host.Journal.Store().Pixels(b.State.Shot().Kept)
	if err != nil || err2 != nil || !slices.Equal(lent, kept) {
		t.Errorf("%d bytes of %d, %v, %v", len(lent), len(kept), err, err2)
	}
	dead := filepath.Join(os.Getenv("TMPDIR"), filepath.Base(filepath.Dir(path))+"0") // of a program that was killed
	old := time.Now().Add(-time.Minute)
	if err := errors.Join(os.Mkdir(dead, 0o700), os.Chtimes(dead, old, old)); err != nil {
		t.Fatal(err)
	}
	b.Sweep(b.host.Journal.Store())
	b.Settle()
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	b.Return()
	if list, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(list) > 0 {
		t.Errorf("%v are left, %v", list, err)
	}
	b.answer = filepath.Join(t.TempDir(), "mine.png")
	b.As()
	b.Settle()
	if s := b.State.Shot(); s.Path != b.answer || s.Pixels || b.host.Journal.Store() == nil || b.kept().File != b.answer {
		t.Errorf("saved, it is %+v", s)
	}
}

// A copy that was saved is said to be, where it is.
func TestACopyIsSaid(t *testing.T) {
	b := newBench(t)
	b.make()
	b.Settle()
	for _, name := range []string{"", "mine.png"} {
		if name != "" {
			b.answer = filepath.Join(t.TempDir(), name)
		}
		b.As()
		b.Settle()
		told := b.State.Told
		if said := told == b.State.Tell("Saved as "+wording.Path(b.answer)); said != (name != "") {
			t.Errorf("%q: it says %+v", name, told)
		}
	}
	b.answer = filepath.Join(b.folder, "none", "mine.png")
	b.As()
	b.Settle()
	if b.State.ActionErr == nil {
		t.Error("a folder that is not there has no error")
	}
}

// While a step is in view, it is said that what is saved or copied is the finished picture.
func TestTheFinishedPictureIsSavedWhileAStepIsInView(t *testing.T) {
	b := newBench(t)
	b.host.CopyImage, b.host.CopyFiles = func([]byte) error { return nil }, func([]string) error { return nil }
	b.make()
	b.Settle()
	b.Change(func(s *state.State) {
		s.Shots = slices.Clone(s.Shots)
		s.Shots[0].Film, s.View.Step = []inference.StepDone{{}}, 0
	})
	b.answer = filepath.Join(t.TempDir(), "mine.png")
	for want, do := range map[string]func(){
		"The finished picture is saved as " + wording.Path(b.answer): b.As,
		"The finished picture is in the clipboard.":                  b.Copy,
		"The file of the finished picture is in the clipboard.":      b.copyFile,
	} {
		do()
		b.Settle()
		if told := b.State.Told; told != b.State.Tell(want) {
			t.Errorf("it says %+v, not %q", told, want)
		}
	}
}

// A file that somebody has moved away meanwhile is not in the clipboard.
func TestAFileThatIsGoneIsNotCopied(t *testing.T) {
	b := newBench(t)
	b.host.CopyFiles = func([]string) error { t.Error("it is copied"); return nil }
	b.make()
	b.Settle()
	if err := os.Remove(b.State.Shot().Path); err != nil {
		t.Fatal(err)
	}
	b.copyFile()
	b.Settle()
	if err := b.State.ActionErr; err == nil || !strings.Contains(err.Error(), "cannot be opened") {
		t.Errorf("it says %v, %+v", err, b.State.Told)
	}
}

func TestAPictureThatCannotBeWrittenIsSavedElsewhere(t *testing.T) {
	b := newBench(t)
	if err := os.WriteFile(b.folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b.make()
	b.answer = filepath.Join(t.TempDir(), "mine.png")
	test.Tap(b.Bar.Other)
	b.Settle()
	if s := b.State.Shot(); s.Unsaved || s.Path != b.answer || !b.Bar.Hidden {
		t.Fatalf("%+v", s)
	}
	if p := b.kept(); p.File != b.answer || p.Pixels != "" || p.SHA256 != "" { // it is the user's own
		t.Errorf("the history has %+v", p)
	}
	if _, err := os.Stat(b.answer); err != nil {
		t.Error(err)
	}
}

// TestACopySaysWhichModelMadeIt: also where another one is open by now, or none, and whether the picture has a file or not.
func TestACopySaysWhichModelMadeIt(t *testing.T) {
	for _, kept := range []string{"in its file", "in the history", "in the window"} {
		for _, open := range []string{"another", ""} {
			b := newBench(t)
			if kept != "in its file" {
				if err := os.WriteFile(b.folder, nil, 0o600); err != nil { // in the way
					t.Fatal(err)
				}
			}
			b.make()
			b.Change(func(s *state.State) {
				if s.Model = nil; open != "" {
					m := *uitest.Toybox
					m.Name = open
					s.Model = &m
				}
				s.Shots = slices.Clone(s.Shots)
				s.Shots[0].Pixels = kept == "in the history"
			})
			b.answer = filepath.Join(t.TempDir(), "copy.png")
			b.Commands.Do("file.save")
			b.Settle()
			m, err := picture.ReadMetadata(uitest.Read(t, b.answer))
			if err != nil {
				t.Fatal(err)
			}
			r, err := recipe.Parse(m.Recipe)
			if err != nil || r.Model != uitest.Toybox.Name || b.State.ActionErr != nil {
				t.Errorf("%s, %q is open: the copy says %q, %v, %v", kept, open, r.Model, err, b.State.ActionErr)
			}
		}
	}
}

// TestACopyTellsWhatItMay: nothing of the recipe where the preferences say so by now, whatever the file had, and the same pixels.
func TestACopyTellsWhatItMay(t *testing.T) {
	for _, loaded := range []bool{true, false} {
		for _, id := range []string{"picture.copy", "file.save"} {
			b := newBench(t)
			b.make()
			was := b.State.Shot().Path
			var copied []byte
			b.host.CopyImage = func(png []byte) error { copied = png; return nil }
			for _, embed := range []recipe.Embed{{}, {NoThumbnails: true}, {Nothing: true}} {
				b.host.Embed = func() recipe.Embed { return embed }
				b.Change(func(s *state.State) {
					if !loaded {
						s.Shots = slices.Clone(s.Shots)
						s.Shots[0].Image = nil
					}
				})
				b.answer = filepath.Join(t.TempDir(), "copy.png")
				b.Commands.Do(id)
				if b.Settle(); id == "file.save" {
					copied = uitest.Read(t, b.answer)
				}
				r, _, err := recipe.Read(copied)
				if embed.Nothing != errors.Is(err, recipe.ErrNone) || err == nil && r.Prompt != "a dog" {
					t.Errorf("%s, loaded %v, %+v: %q, %v", id, loaded, embed, r.Prompt, err)
				}
				got, _, err := picture.Decode(copied, picture.DefaultLimits)
				want, _, _ := picture.Decode(uitest.Read(t, was), picture.DefaultLimits)
				if err != nil || !slices.Equal(got.Pix, want.Pix) {
					t.Errorf("%s, loaded %v, %+v: other pixels, %v", id, loaded, embed, err)
				}
			}
		}
	}
}

// redone is a picture in which a dog with a painted mask was made again in a region.
func redone(t *testing.T) inference.Request {
	t.Helper()
	file := func(name string, c color.Color) (ref inference.Reference) {
		ref.Name, ref.Data = name, uitest.PNG(c)
		ref.SHA256 = files.Sum(ref.Data)
		return ref
	}
	painted := func(v uint8) (p inference.Painted) {
		grey := image.NewGray(image.Rect(0, 0, 4, 4))
		grey.Pix[5] = v
		var err error
		if p.Data, err = picture.EncodePainted(grey); err != nil {
			t.Fatal(err)
		}
		p.SHA256 = files.Sum(p.Data)
		return p
	}
	dog, before := file("rex.png", uitest.Red), file("before.png", color.White)
	r := inference.Defaults(*uitest.Toybox, inference.Request{
		Prompt: "a dog", Seeds: []uint64{7}, Settings: inference.Settings{Preset: "paper"},
		Subjects: []inference.Subject{{
			Word: uitest.Word("dog"), References: []inference.Reference{dog}, Region: inference.Region{Kind: "only", Painted: painted(255)},
		}},
		Init: &inference.Init{Name: before.Name, SHA256: before.SHA256, Data: before.Data, Region: painted(200)},
	})
	return r
}

// TestACopyIsAsGoodAsTheFile, whichever start of the program made the picture, and whether its pixels are on the stage: all that the
// preferences let it say.
func TestACopyIsAsGoodAsTheFile(t *testing.T) {
	all, few := recipe.Embed{Program: "realword 1.1"}, recipe.Embed{Program: "realword 1.1", NoThumbnails: true}
	for name, c := range map[string]struct {
		was, now   recipe.Embed
		full       bool // the disk was full when it was made
		gone, bare bool // the file has gone; its pixels are not on the stage
		same       bool // to the byte
	}{
		"as it was": {all, all, false, false, false, true}, "as it was, not loaded": {all, all, false, false, true, true},
		"in no file": {all, all, true, false, false, true}, "in no file, not loaded": {all, all, true, false, true, true},
		"of a file that has gone": {all, all, false, true, false, false},
		"with little":             {few, few, false, false, false, true}, "with little, not loaded": {few, few, false, false, true, true},
		"with less": {all, few, false, false, false, false}, "with less, not loaded": {all, few, false, false, true, false},
		"with more": {few, all, false, false, false, false}, "with more, not loaded": {few, all, false, false, true, false},
	} {
		b := newBench(t)
		b.host.Embed = func() recipe.Embed { return c.was }
		if c.full {
			if err := os.WriteFile(b.folder, nil, 0o600); err != nil { // in the way
				t.Fatal(err)
			}
		}
		b.makeOf(redone(t))
		s := b.host.Journal.Store()
		p, err := s.Picture(b.State.Shot().Kept)
		if err != nil {
			t.Fatal(err)
		}
		round, err := s.Round(p.Round)
		if err != nil {
			t.Fatal(err)
		}
		was, err := s.Pixels(p.ID)
		if !c.full {
			was, err = uitest.Read(t, p.File), nil
		}
		if err != nil {
			t.Fatal(err)
		}
		if c.gone {
			if err := os.Remove(p.File); err != nil {
				t.Fatal(err)
			}
		}
		of, err := journal.RecipeOf(p, round)
		if err != nil {
			t.Fatal(err)
		}
		b.Change(func(st *state.State) { // as another start reads it
			st.Shots = slices.Clone(st.Shots)
			if st.Shots[0].Recipe = of.Request; c.bare {
				st.Shots[0].Image = nil
			} else {
				st.Shots[0].Recipe, st.Shots[0].Loaded = journal.WithMasks(s, of.Request), true
			}
		})
		b.host.Embed = func() recipe.Embed { e := c.now; e.Program = "realword 1.2"; return e }
		b.answer = filepath.Join(t.TempDir(), "copy.png")
		b.Commands.Do("file.save")
		b.Settle()
		got := uitest.Read(t, b.answer)
		if bytes.Equal(got, was) != c.same {
			t.Errorf("%s: the same bytes: %v", name, !c.same)
		}
		r, _, err := recipe.Read(got)
		thumbnails, title := 2, "rex.png"
		if c.now.NoThumbnails {
			thumbnails, title = 0, "reference"
		}
		if err != nil || len(r.Thumbnails) != thumbnails || len(r.Masks) != 2 || len(r.Init.Region.Data) == 0 || len(r.Subjects[0].Region.Data) == 0 ||
			r.Subjects[0].References[0].Name != title {
			t.Errorf("%s: %d thumbnails, %d masks, %+v, %v", name, len(r.Thumbnails), len(r.Masks), r.Subjects[0].References, err)
		}
		if want := map[bool]string{true: "realword 1.2", false: "realword 1.1"}[c.gone]; r.Program != want {
			t.Errorf("%s: made by %s, not %s", name, r.Program, want)
		}
	}
}

// TestNoCopyOfAThumbnail: where a file is gone, or a picture was stopped, the stage shows what there is, and no copy pretends to be more.
func TestNoCopyOfAThumbnail(t *testing.T) {
	b := newBench(t)
	b.make()
	var copied []byte
	b.host.CopyImage = func(png []byte) error { copied = png; return nil }
	for _, path := range []string{filepath.Join(t.TempDir(), "gone.png"), ""} {
		b.Change(func(s *state.State) {
			s.Shots = slices.Clone(s.Shots)
			s.Shots[0].Path, s.Shots[0].SaveErr, s.ActionErr = path, errors.New("it cannot be shown"), nil
		})
		for _, id := range []string{"file.save", "picture.copy"} {
			b.answer = filepath.Join(t.TempDir(), "copy.png")
			b.Commands.Do(id)
			b.Settle()
			if _, err := os.Stat(b.answer); err == nil || copied != nil || b.State.ActionErr == nil {
				t.Errorf("%s of what was in %q: %v", id, filepath.Base(path), b.State.ActionErr)
			}
		}
	}
}

// Pictures that are in no file are told of whichever picture is looked at, as after a night with a full disk, and one press writes all.
func TestPicturesInNoFileAreToldOfBesideOthers(t *testing.T) {
	b := newBench(t)
	if err := os.WriteFile(b.folder, nil, 0o600); err != nil { // in the way
		t.Fatal(err)
	}
	b.make()
	b.make()
	if text := b.Bar.Text.Text; !strings.Contains(text, "1 other picture is in no file either.") {
		t.Errorf("of two it says %q", text)
	}
	if err := os.Remove(b.folder); err != nil {
		t.Fatal(err)
	}
	b.make() // and this one is written, and looked at
	if s := b.State.Shot(); s.Unsaved || b.State.View.Shot != 2 {
		t.Fatalf("in view is %d, %+v", b.State.View.Shot, s)
	}
	if text := b.Bar.Text.Text; b.Bar.Hidden || !b.Bar.Other.Hidden || !strings.HasPrefix(text, "2 pictures are in no file. ") ||
		!strings.Contains(text, "choose another folder") {
		t.Errorf("it says %q, hidden %v", text, b.Bar.Hidden)
	}
	said := slices.Clone(b.State.Shots)
	b.Change(func(s *state.State) { // after the next start
		s.Shots = slices.Clone(said)
		s.Shots[0].SaveErr, s.Shots[1].SaveErr = state.ErrNoFile{}, state.ErrNoFile{}
	})
	if text := b.Bar.Text.Text; text != "2 pictures are in no file." {
		t.Errorf("beside a picture that is in its file it says %q", text)
	}
	b.Change(func(s *state.State) { s.Shots = said })
	test.Tap(b.Bar.Retry)
	b.Settle()
	paths := map[string]bool{}
	for i, s := range b.State.Shots {
		if s.Unsaved || s.SaveErr != nil {
			t.Errorf("picture %d: %+v", i, s)
		}
		paths[s.Path] = true
	}
	if len(paths) != 3 || !b.Bar.Hidden {
		t.Errorf("files %v, the bar is hidden: %v", paths, b.Bar.Hidden)
	}
}

// A name that a picture of the history has is not given again, though its file is gone: the picture would have another one's file.
func TestNoNameIsGivenTwice(t *testing.T) {
	b := newBench(t)
	b.make()
	gone := filepath.Join(b.folder, "dog", "7-0041.png")
	err1 := os.WriteFile(gone, []byte("x"), 0o600)
	err2 := b.host.Journal.Store().MovePicture(b.kept().ID, gone)
	if err := errors.Join(err1, err2, os.Remove(gone)); err != nil {
		t.Fatal(err)
	}
	b.Sweep(b.host.Journal.Store())
	b.Settle()
	b.make()
	if got := filepath.Base(b.State.Shot().Path); got != "7-0042.png" {
		t.Errorf("the next is %s", got)
	}
	if err := os.Remove(b.State.Shot().Path); err != nil {
		t.Fatal(err)
	}
	if b.make(); filepath.Base(b.State.Shot().Path) != "7-0043.png" {
		t.Errorf("after a file was removed the next is %s", b.State.Shot().Path)
	}
}

func TestSweep(t *testing.T) {
	b := newBench(t)
	day, hidden := filepath.Join(b.folder, "2026-01-02"), filepath.Join(b.folder, ".mine")
	left, kept := ".realword-0123456789abcdef", filepath.Join(day, "mine.png")
	ago := time.Now().Add(-time.Minute)
	for _, path := range []string{filepath.Join(day, left), filepath.Join(hidden, left), kept} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("x"), 0o600), os.Chtimes(path, ago, ago)); err != nil {
			t.Fatal(err)
		}
	}
	b.Sweep(b.host.Journal.Store())
	b.Settle()
	if _, err := os.Stat(filepath.Join(day, left)); err == nil {
		t.Error("what a killed program has left is still there")
	}
	for _, path := range []string{kept, filepath.Join(hidden, left)} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}
