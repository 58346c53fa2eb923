package mac

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ncruces/zenity"

	"realword/inference/wait"
)

func TestWhatADialogAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		paths []string
		err   error
		want  string // the beginning of the error
	}{
		"files":             {[]string{"/a.png", "/b ü.png"}, nil, ""},
		"cancelled":         {nil, zenity.ErrCanceled, ""},
		"a tool that fails": {nil, errors.New("exit status 255"), "macOS cannot show its file dialog (exit status 255)"},
	} {
		s := &Dialogs{ask: func(context.Context, Dialog) ([]string, error) { return c.paths, c.err }}
		paths, err := s.Show(Dialog{})
		said := ""
		if err != nil {
			said = err.Error()
		}
		if !slices.Equal(paths, c.paths) || !strings.HasPrefix(said, c.want) || c.want == "" && err != nil {
			t.Errorf("%s: %q, %v", name, paths, err)
		}
	}
}

// TestADialogComesToTheFront: a dialog that lies behind the window comes anew, and goes with the window.
func TestADialogComesToTheFront(t *testing.T) {
	asked := make(chan context.Context)
	s := &Dialogs{ask: func(ctx context.Context, _ Dialog) ([]string, error) {
		asked <- ctx
		<-ctx.Done() // as a process that is killed
		return nil, ctx.Err()
	}}
	s.Front() // of nothing
	type answer struct {
		paths []string
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		paths, err := s.Show(Dialog{Many: true})
		done <- answer{paths, err}
	}()
	first := <-asked
	s.Front()
	second := <-asked
	if first.Err() == nil || second.Err() != nil {
		t.Errorf("the first dialog: %v, the second: %v", first.Err(), second.Err())
	}
	s.End()
	if second.Err() == nil {
		t.Error("the window has closed, and the dialog stays")
	}
	if a := <-done; a.paths != nil || a.err != nil {
		t.Errorf("what is taken away answers %q, %v", a.paths, a.err)
	}
	if paths, err := s.Show(Dialog{}); paths != nil || err != nil {
		t.Errorf("a closed window asks: %q, %v", paths, err)
	}
}

// A dialog is one of another program, which its context ends.
func TestADialogIsAnotherProgram(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), wait.Longest)
	defer cancel()
	if paths, err := ask(ctx, Dialog{Title: "Open"}); err == nil || ctx.Err() != nil {
		t.Errorf("without that program: %q, %v", paths, err)
	}
}
