package ui

import (
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"

	"realword/history"
)

// TestClosingWhileTheHistoryOpens: what is typed is kept nowhere yet, which is said until it is; and it is kept where the history opens
// while the window waits.
func TestClosingWhileTheHistoryOpens(t *testing.T) {
	for _, waits := range []bool{true, false} {
		dir, gate := t.TempDir(), make(chan struct{})
		open := func() (*history.Store, error) {
			return history.Options{Pictures: filepath.Join(dir, "pictures")}.Open(filepath.Join(dir, "history.db"))
		}
		b := newBench(t, func(o *Options) {
			o.OpenHistory = func() (*history.Store, error) { <-gate; return open() }
		})
		b.until("the model is open", func() bool { return b.state.Model != nil })
		if text := b.leaving(); text != "" {
			t.Errorf("of an empty form it asks %q", text)
		}
		b.subjects.PromptChanged("a dog in the night")
		if b.askClose(); b.closing || !b.sheetSays("The history is still being opened: the prompt") {
			t.Fatalf("it closes without a word, or asks %q", b.leaving())
		}
		if waits {
			close(gate)
			b.until("nothing is lost", func() bool { return strings.HasPrefix(b.doubt.Text, "Nothing is lost") })
		} else {
			b.Close()
			close(gate)
			b.until("it has gone", func() bool { return b.closed.Load() })
		}
		b.settle()
		if err := b.journal.Close(); err != nil {
			t.Fatal(err)
		}
		s, err := open()
		if err != nil {
			t.Fatal(err)
		}
		list, err := s.Sessions()
		if err != nil || len(list) != 1 || !strings.Contains(string(list[0].Draft), "a dog in the night") {
			t.Errorf("waits %v: the prompt is in none of %d sessions, %v", waits, len(list), err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestClosingWhileASessionIsTakenIn: it is said, until that has ended.
func TestClosingWhileASessionIsTakenIn(t *testing.T) {
	gate, asked := make(chan struct{}), make(chan struct{})
	b := keeping(t, t.TempDir(), func(o *Options) {
		o.OpenSession = func() (string, error) { close(asked); <-gate; return "", nil }
	})
	b.gallery.Show()
	b.settle()
	test.Tap(b.toolIn(b.gallery.Root, "Import a session…"))
	<-asked
	if b.askClose(); b.closing || !b.sheetSays("Importing… This is not finished") {
		t.Errorf("it closes without a word, or asks %q", b.leaving())
	}
	close(gate)
	b.until("nothing is lost", func() bool { return strings.HasPrefix(b.doubt.Text, "Nothing is lost") })
	if text := b.leaving(); text != "" {
		t.Errorf("afterwards it asks %q", text)
	}
}
