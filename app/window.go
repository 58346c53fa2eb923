package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/sqweek/dialog"

	"realword/assets"
	"realword/history"
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
	logs, err := keepLog(c.ErrOrStderr())
	if err != nil {
		fmt.Fprintln(c.ErrOrStderr(), "Messages are not kept in a file:", err)
	}
	kept := &models{}
	ui.Run(c.Context(), a, ui.Options{
		Title:   appName,
		Program: program,
		Open: func(ctx context.Context, model string) (ui.Engine, error) {
			one := *m
			one.model, one.yield = model, true
			if one.device == "auto" { // the command line goes first
				one.device = ui.DevicePreference(a.Preferences())
			}
			e, err := one.open(ctx)
			if err != nil {
				return nil, err
			}
			return studio{e}, nil
		},
		Model:  m.model,
		Models: kept,
		OpenModel: func() (string, error) {
			return chosen(dialog.File().Title("Add a model").Filter("Models", "safetensors", "ckpt", "pth", "pt", "bin").Load())
		},
		Samples:    samples(),
		OpenFile:   openFile,
		PasteImage: pasteImage,
		OpenFolder: openFolder,
		SaveFile:   saveFile,
		OpenSession: func() (string, error) {
			return chosen(dialog.File().Title("Import a session").Filter("Sessions of Realword", "zip").Load())
		},
		SaveSession: func(name string) (string, error) {
			return chosen(dialog.File().Title("Export the session").Filter("Sessions of Realword", "zip").SetStartFile(name).Save())
		},
		OpenHistory: func() (ui.Store, error) { return m.firstHistory() },
		SetAside:    setAside,
		Credits:     assets.Credits(),
		Logs:        logs,
		Report:      func(path string) error { return writeReport(c, *m, logs, path) },
	})
	return kept.close()
}

func samples() []ui.Sample {
	var list []ui.Sample
	for _, s := range assets.Samples() {
		list = append(list, ui.Sample(s))
	}
	return list
}

// studio is an engine as the window wants it.
type studio struct{ *engine }

// setAside moves the history away.
func setAside() error {
	path, err := history.DefaultPath()
	if err == nil {
		_, err = history.SetAside(path, time.Now())
	}
	return err
}

// Manifest implements ui.Engine.
func (s studio) Manifest() bundle.Manifest { return s.bundle.Manifest() }

// Encode implements ui.Engine.
func (s studio) Encode(text string) *prompt.Prompt { return s.bundle.Tokenizer(0).Encode(text) }

func openFile() (string, error) {
	return chosen(dialog.File().Title("Open a reference picture").Filter("Pictures", "png", "apng", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp").Load())
}

func saveFile(name string) (string, error) {
	return chosen(dialog.File().Title("Save the picture").Filter("PNG pictures", "png").SetStartFile(name).Save())
}

func openFolder() (string, error) {
	return chosen(dialog.Directory().Title("Choose a folder").Browse())
}

// chosen makes a closed file dialog an empty path.
func chosen(path string, err error) (string, error) {
	if errors.Is(err, dialog.ErrCancelled) {
		return "", nil
	}
	return path, err
}
