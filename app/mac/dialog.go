package mac

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"time"

	"github.com/ncruces/zenity"

	"realword/inference/message"
)

// Dialog is a file dialog: one that opens, unless it saves or chooses a folder.
type Dialog struct {
	Save, Folder bool
	Many         bool     // several files may be chosen
	Title        string   // stands over what there is to choose
	Filter       string   // what the extensions are called
	Extensions   []string // without dots; none shows every file
	Name         string   // that a new file is offered
	Place        string   // the folder that it begins in; "": the system chooses
}

// Dialogs shows the dialogs of a program, one at a time.
type Dialogs struct {
	ask func(context.Context, Dialog) ([]string, error)

	mu    sync.Mutex
	stop  context.CancelCauseFunc // of the dialog on the screen; nil: there is none
	gone  chan struct{}           // closed when that dialog is
	ended bool
}

// NewDialogs are those of the system, in a process of their own (osascript): the window goes on behind them.
func NewDialogs() *Dialogs { return &Dialogs{ask: ask} }

var errAgain = errors.New("it is to come to the front")

// Show shows a dialog until it is closed, and returns what was chosen; nothing where it was cancelled.
func (s *Dialogs) Show(d Dialog) ([]string, error) {
	for {
		ctx, stop, gone := s.begin()
		if ctx == nil {
			return nil, nil
		}
		paths, err := s.ask(ctx, d)
		why := context.Cause(ctx)
		s.mu.Lock()
		s.stop = nil
		s.mu.Unlock()
		stop(nil)
		close(gone)
		switch {
		case err == nil || errors.Is(err, zenity.ErrCanceled):
			return paths, nil
		case errors.Is(why, errAgain):
		case why != nil:
			return nil, nil
		default:
			return nil, message.Errorf("macOS cannot show its file dialog (%w): drop the file on the window", err)
		}
	}
}

func (s *Dialogs) begin() (context.Context, context.CancelCauseFunc, chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil, nil, nil
	}
	ctx, stop := context.WithCancelCause(context.Background())
	s.stop, s.gone = stop, make(chan struct{})
	return ctx, stop, s.gone
}

// Front brings the dialog before the other windows: it comes anew, as another process's can be told nothing.
func (s *Dialogs) Front() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop != nil {
		s.stop(errAgain)
	}
}

// End takes the dialog off the screen, and none comes any more: the program ends, and the other process would not.
func (s *Dialogs) End() {
	s.mu.Lock()
	s.ended = true
	stop, gone := s.stop, s.gone
	s.mu.Unlock()
	if stop != nil {
		stop(context.Canceled)
		select {
		case <-gone:
		case <-time.After(time.Second): // it will not be killed
		}
	}
}

// ask shows a dialog by zenity's way, which is osascript's chooseFile, chooseFileName and chooseFolder.
func ask(ctx context.Context, d Dialog) ([]string, error) {
	options := []zenity.Option{zenity.Context(ctx), zenity.Title(d.Title)}
	if at := filepath.Join(d.Place, d.Name); at != "" {
		options = append(options, zenity.Filename(at))
	}
	if len(d.Extensions) > 0 {
		kinds := zenity.FileFilter{Name: d.Filter, CaseFold: true}
		for _, e := range d.Extensions {
			kinds.Patterns = append(kinds.Patterns, "*."+e)
		}
		options = append(options, kinds)
	}
	var path string
	var err error
	switch {
	case d.Save:
		path, err = zenity.SelectFileSave(append(options, zenity.ConfirmOverwrite())...)
	case d.Folder:
		path, err = zenity.SelectFile(append(options, zenity.Directory())...)
	case d.Many:
		return zenity.SelectFileMultiple(options...)
	default:
		path, err = zenity.SelectFile(options...)
	}
	if err != nil {
		return nil, err
	}
	return []string{path}, nil
}
