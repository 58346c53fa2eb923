package main

import (
	"context"
	"errors"
	"sync/atomic"

	"fyne.io/fyne/v2"
	"github.com/spf13/cobra"
	"github.com/sqweek/dialog"

	"realword/assets"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/prompt"
	"realword/ui"
)

// runWindow opens the studio. The window comes first; library and model are opened behind it.
func (m *machine) runWindow(c *cobra.Command, _ []string) error {
	if d := examineDisplay(); !d.ok {
		return errors.New("the window cannot be opened: " + d.detail + ": " + d.remedy)
	}
	a := newApp()
	defer context.AfterFunc(c.Context(), func() { fyne.Do(a.Quit) })()
	var opened atomic.Pointer[engine] // the window opens it on a goroutine of its own
	log := newRecorder(false, c.ErrOrStderr())
	defer log.close()
	ui.Run(a, ui.Options{
		Title:   appName,
		Program: program,
		Open: func(context.Context) (ui.Engine, error) {
			e, err := m.open()
			if err != nil {
				return nil, err
			}
			opened.Store(e)
			return studio{e, log}, nil
		},
		Samples:  samples(),
		OpenFile: openFile,
		SaveFile: saveFile,
		Saved:    log.add,
	})
	if e := opened.Load(); e != nil {
		return e.Close()
	}
	return nil
}

func samples() []ui.Sample {
	var list []ui.Sample
	for _, s := range assets.Samples() {
		list = append(list, ui.Sample(s))
	}
	return list
}

// studio is an engine as the window wants it.
type studio struct {
	*engine
	log *recorder
}

// Start implements ui.Engine.
func (s studio) Start(ctx context.Context, r inference.Request) (inference.Job, error) {
	resolved, err := s.Resolve(r) // for the journal; the pictures that it decodes are kept
	if err != nil {
		return nil, err
	}
	job, err := s.engine.Start(ctx, resolved)
	if err != nil {
		return nil, err
	}
	s.log.begin(resolved, s.bundle.Manifest().Name)
	return s.log.watch(job), nil
}

// Manifest implements ui.Engine.
func (s studio) Manifest() bundle.Manifest { return s.bundle.Manifest() }

// Encode implements ui.Engine.
func (s studio) Encode(text string) *prompt.Prompt { return s.bundle.Tokenizer(0).Encode(text) }

func openFile() (string, error) {
	return chosen(dialog.File().Title("Open a reference picture").Filter("Pictures", "png", "jpg", "jpeg", "webp", "gif", "bmp").Load())
}

func saveFile(name string) (string, error) {
	return chosen(dialog.File().Title("Save the picture").Filter("PNG pictures", "png").SetStartFile(name).Save())
}

// chosen makes a closed file dialog an empty path.
func chosen(path string, err error) (string, error) {
	if errors.Is(err, dialog.ErrCancelled) {
		return "", nil
	}
	return path, err
}
