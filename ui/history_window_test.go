package ui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"realword/history"
	"realword/inference/plain"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/uitest"
)

// do performs an action of the table.
func (b *bench) do(id string) {
	b.t.Helper()
	for _, a := range b.Table.List {
		if a.ID == id {
			b.Perform(a)
			b.settle()
			return
		}
	}
	b.t.Fatalf("there is no action %s", id)
}

// toolIn is what is visible, can be tapped and has that name.
func (b *bench) toolIn(o fyne.CanvasObject, name string) (tool fyne.Tappable) {
	b.t.Helper()
	walk(o, func(o fyne.CanvasObject) {
		if k, ok := o.(interface {
			fyne.Accessible
			fyne.Tappable
		}); ok && k.AccessibilityLabel() == name {
			tool = k
		}
	})
	if tool == nil {
		b.t.Fatalf("there is no button %q", name)
	}
	return tool
}

// tapIn taps it.
func (b *bench) tapIn(o fyne.CanvasObject, name string) {
	b.t.Helper()
	test.Tap(b.toolIn(o, name))
	b.settle()
}

// What the user does on the page of the history reaches the stage, the references and the form.
func TestTheWindowDoesWhatThePageOfTheHistoryAsks(t *testing.T) {
	dir := t.TempDir()
	b := keeping(t, dir)
	dogRound(t, b, dir)
	dogRound(t, b, dir)
	prompt := b.state.Form.Prompt
	first, id, other := b.journal.Session(), b.state.Shots[0].Kept, b.state.Shots[1].Kept
	b.do("history.show")
	if b.gallery.Root.Hidden {
		t.Fatal("the page is not shown")
	}
	b.gallery.OnRenamed(first, "Rex")
	if b.state.History.Name != "Rex" {
		t.Errorf("renamed to %q", b.state.History.Name)
	}
	b.do("history.new")
	if len(b.state.Shots) != 0 || b.journal.Session() != 0 {
		t.Error("a new session shows the old one's pictures")
	}
	b.subjects.Prompt.SetText("a cat")
	b.gallery.OnShow(id)
	b.settle()
	if s := b.state.Shot(); s == nil || s.Kept != id || len(s.Film) != 4 {
		t.Fatalf("on the stage: %+v", s)
	}
	b.gallery.OnReference(state.Source{Name: "a.png", From: id, Read: func() ([]byte, error) { return os.ReadFile(b.state.Shot().Path) }})
	b.settle()
	if c := b.state.Form.Cards; len(c) != 1 || c[0].From != id {
		t.Errorf("cards %+v", c)
	}
	b.gallery.OnCompare(id, other, func(err error) {
		if err != nil {
			t.Error(err)
		}
	})
	b.settle()
	if with := b.stage.Compared(); with == nil || with.Kept != other || b.state.Shot().Kept != id {
		t.Errorf("compared with %v, view %+v", with, b.state.View)
	}
	b.gallery.OnRemade(id)
	b.settle()
	if s := b.state.Shot(); s.Kept != id || s.Image == nil {
		t.Errorf("made again, and on the stage is %+v", s)
	}
	b.gallery.OnSession(first)
	b.settle()
	if b.state.Form.Prompt != prompt || b.journal.Session() != first || len(b.state.Shots) != 2 {
		t.Errorf("taken up: %+v", b.state.History)
	}
	b.gallery.SetBudget(500e6)
	if b.prefs.Budget() != 500e6 || b.journal.Budget.Load() != 500e6 {
		t.Errorf("budget %d", b.prefs.Budget())
	}
	b.Back() // Esc ends the comparison, and the next one this
	b.Back()
	if !b.gallery.Root.Hidden {
		t.Error("Esc does not close the page")
	}
}

// TestWhatIsDeletedLeavesTheStudio (rev10, no. 19): strip, tree and stage show no picture that is gone for good.
func TestWhatIsDeletedLeavesTheStudio(t *testing.T) {
	dir := t.TempDir()
	b := keeping(t, dir)
	dogRound(t, b, dir)
	dogRound(t, b, dir)
	b.do("view.rounds")
	jobs := func() (n int) {
		b.settle()
		walk(b.gallery.Tree.Root, func(o fyne.CanvasObject) {
			if _, ok := o.(*kit.Tile); ok {
				n++
			}
		})
		return n
	}
	first := b.state.Shots[0].Kept
	if n := jobs(); n != 2 || len(b.stage.Strip.Objects) != 2 || b.state.View.Shot != 1 {
		t.Fatalf("%d in the tree, %d in the strip, in view is %+v", n, len(b.stage.Strip.Objects), b.state.View)
	}
	store := b.journal.Store()
	thrown := history.Item{Kind: history.PictureItem, ID: b.state.Shots[1].Kept}
	says := func() bool {
		name := b.stage.Strip.Objects[1].(*kit.Tile).Name
		return strings.Contains(name, "in the trash")
	}
	for _, do := range []func() error{
		func() error { return store.Trash(time.Now(), thrown) },
		func() error { return store.Restore(thrown) },
		func() error { return store.Trash(time.Now(), thrown) },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
		there, err := store.Picture(thrown.ID)
		b.gallery.OnBinned()
		if n := jobs(); err != nil || says() == there.Trashed.IsZero() || (n == 1) == there.Trashed.IsZero() || len(b.stage.Strip.Objects) != 2 {
			t.Errorf("thrown away %v, %d in the tree, the strip says so: %v", there.Trashed, n, says())
		}
	}
	if _, err := store.Empty(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	b.gallery.OnBinned()
	b.settle()
	if n := jobs(); n != 1 || len(b.stage.Strip.Objects) != 1 || b.state.Shot() == nil || b.state.Shot().Kept != first {
		t.Errorf("%d in the tree, %d in the strip, in view is %+v", n, len(b.stage.Strip.Objects), b.state.Shot())
	}
}

func TestADamagedHistoryIsMovedAwayOnRequest(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "history.db")
	if err := os.WriteFile(file, []byte("not a history, and long enough to be read as one by mistake"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := keeping(t, dir, func(o *Options) {
		o.SetAside = func() error { _, err := history.SetAside(file, time.Now()); return err }
	})
	if b.state.History.Open || b.gallery.Banner.Hidden {
		t.Fatalf("%+v", b.state.History)
	}
	b.tapIn(b.gallery.Banner.Container, "Start a new history")
	if aside, _ := filepath.Glob(filepath.Join(dir, "history-*.db")); !b.state.History.Open || !b.gallery.Banner.Hidden || len(aside) != 1 {
		t.Errorf("%+v, moved to %v", b.state.History, aside)
	}
}

// TestLookWhatIsTypedFirstIsThePrompt (rev16, no. 1): wherever an empty session is before the user, nothing has to be clicked. One that has
// something in it is there to be looked at.
func TestLookWhatIsTypedFirstIsThePrompt(t *testing.T) {
	plain.Run(t)
	dir := t.TempDir()
	b := keeping(t, dir)
	store := b.journal.Store()
	uitest.Kept(t, store, filepath.Join(dir, "pictures"), 0, 7)
	example, err := store.Session(1)
	file := filepath.Join(dir, "example.zip")
	if err == nil {
		_, err = store.ExportFile(t.Context(), example.ID, file)
	}
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	b = keeping(t, dir, func(o *Options) {
		o.Example = Example{UID: example.UID, Bring: func(s *history.Store) (uint64, error) {
			in, err := s.Import(file)
			return in.Session, err
		}}
	})
	c := b.win.Canvas()
	waits := func(when string, want bool) {
		t.Helper()
		if got := c.Focused() == b.subjects.Prompt; got != want {
			t.Errorf("%s: the prompt waits: %v", when, got)
		}
	}
	waits("a first start, which rests", false)
	letter := func(key fyne.KeyName, r rune) { // as the driver tells it
		if f := c.Focused(); f != nil {
			f.TypedKey(&fyne.KeyEvent{Name: key})
			f.TypedRune(r)
			return
		}
		c.OnTypedKey()(&fyne.KeyEvent{Name: key})
		c.OnTypedRune()(r)
	}
	letter("C", 'c')
	letter("A", 'a')
	letter("T", 't')
	if waits("a first letter", true); b.state.Form.Prompt != "cat" || b.columns.folded().left {
		t.Errorf("typed into the window: %q, %+v", b.state.Form.Prompt, b.columns.folded())
	}
	b.subjects.Prompt.SetText("")
	c.Unfocus()
	b.do("help.example")
	if len(b.state.Shots) != 1 {
		t.Fatal("the example is not shown")
	}
	waits("in the example", false)
	b.session.CloseExample()
	b.settle()
	waits("out of the example", true)
	if test.Type(c.Focused(), "cat"); b.state.Form.Prompt != "cat" {
		t.Errorf("typed into the window: %q", b.state.Form.Prompt)
	}
	b.gallery.Show()
	b.tapIn(b.gallery.Root, "New session")
	waits("a new one from the page of the sessions", true)
	b.subjects.PromptChanged("a dog")
	b.end0()
	b = keeping(t, dir)
	c = b.win.Canvas()
	waits("the next start", false)

	one := filepath.Join(dir, "one.png")
	if err := os.WriteFile(one, uitest.PNG(uitest.Red), 0o600); err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	b = keeping(t, dir, func(o *Options) { o.Files = []string{one} })
	c = b.win.Canvas()
	waits("with a file that was opened", false)
}
