package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"realword/assets"
	"realword/history"
	"realword/inference/bundle"
	"realword/inference/picture"
	"realword/inference/prompt"
	"realword/ui"
	"realword/ui/i18n"
	"realword/ui/preferences"
)

// runWindow opens the studio. The window comes first; library and model are opened behind it.
func (m *machine) runWindow(c *cobra.Command, args []string) error {
	if d := examineDisplay(); !d.ok {
		return errors.New("the window cannot be opened: " + d.detail + ": " + d.remedy)
	}
	logs, err := keepLog(c.ErrOrStderr()) // first, because it makes the cache folder, and Fyne does not in an empty home
	if err != nil {
		fmt.Fprintln(c.ErrOrStderr(), "There is no log file:", err)
	}
	a := newApp()
	a.Lifecycle().SetOnStopped(func() { log.SetOutput(endedLog{log.Writer()}) })
	kept := &models{}
	shared, err := farmDir()
	if err != nil {
		fmt.Fprintln(c.ErrOrStderr(), "Other computers cannot help:", err)
	}
	defer endDialogs()
	card := preferences.Read(a.Preferences()).Device // of the start: WebGPU computes on one in a process
	ui.Run(interrupts(c, a), a, ui.Options{
		Title:   appName,
		Program: program,
		Open: func(ctx context.Context, model string) (ui.Engine, error) {
			if model != "" && model != m.model { // whoever names one in a terminal is told how they are made
				if err := missing(model); err != nil {
					return nil, err
				}
			}
			one := *m
			one.model, one.yield = model, true
			if one.device == "auto" { // the command line goes first
				if chosen := preferences.Read(a.Preferences()).Device; chosen == "cpu" {
					one.device = chosen
				} else if card != "auto" && card != "cpu" {
					one.card = card
				}
			}
			e, err := one.open(ctx)
			if err != nil {
				return nil, err
			}
			return studio{e}, nil
		},
		Model:  m.model,
		Files:  args,
		Models: kept,
		OpenModel: func() (string, error) {
			kinds := []string{"safetensors", "ckpt", "pth", "pt", "bin"}
			return fileDialog{title: i18n.T("Add a model"), filter: i18n.T("Models"), extensions: kinds}.one()
		},
		Cards: otherChoices,
		LoRAs: loras(),
		OpenLoRA: func() (string, error) {
			kinds := []string{"safetensors", "pt", "ckpt", "bin"}
			return fileDialog{title: i18n.T("Add a LoRA"), filter: "LoRA", extensions: kinds}.one()
		},
		Samples:    samples(),
		OpenFiles:  openFiles,
		Paste:      paste,
		CopyImage:  copyImage,
		CopyFiles:  copyFiles,
		DragFile:   dragging(),
		OpenFolder: openFolder,
		SaveFile:   saveFile,
		OpenSession: func() (string, error) {
			return fileDialog{
				title: i18n.T("Import a session"), filter: i18n.T("Realword sessions"), extensions: []string{"zip"},
			}.one()
		},
		SaveSession: func(name string) (string, error) {
			return fileDialog{
				kind: dialogSave, title: i18n.T("Export the session"), filter: i18n.T("Realword sessions"), extensions: []string{"zip"},
				name: name,
			}.one()
		},
		Example:    ui.Example{UID: assets.DemoUID, Bring: bringExample},
		Farm:       shared,
		FarmListen: "0.0.0.0:" + farmPort,
		OpenKey: func() (string, error) {
			return fileDialog{
				title: i18n.T("Choose a file of credentials"), filter: i18n.T("Credentials"), extensions: []string{"creds"},
			}.one()
		},
		OpenHistory: openHistory,
		SetAside:    setAside,
		Rescue: func() (history.Rescued, error) {
			got, _, err := rescueHistory("")
			return got, err
		},
		Unrescued: func() string {
			path, err := history.DefaultPath()
			if err != nil {
				return ""
			}
			return history.Unrescued(path)
		},
		Reveal:  reveal,
		Credits: assets.Credits(),
		Logs:    logs,
		Wait:    waitForEvent,
		Wake:    wake,
		Report:  func(path string) error { return writeReport(c, *m, logs, path) },
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
	if err == nil {
		err = history.RescueEnded(path) // nor is an earlier one to come back
	}
	return err
}

// Manifest implements ui.Engine.
func (s studio) Manifest() bundle.Manifest { return s.bundle.Manifest() }

// Elsewhere tells that the model is on other computers alone.
func (s studio) Elsewhere() bool { return s.bundle.IsCard() }

// Bundle is the model as it lies on the disk.
func (s studio) Bundle() *bundle.Bundle { return s.bundle }

// Encode implements ui.Engine.
func (s studio) Encode(text string, how prompt.Reading) *prompt.Prompt {
	return s.bundle.Tokenizer(0).Read(text, how)
}

func openFiles() ([]string, error) {
	return fileDialog{
		title: i18n.T("Open reference pictures"), filter: i18n.T("Pictures"), many: true, extensions: picture.Endings,
	}.show()
}

func saveFile(name string) (string, error) {
	d := fileDialog{
		kind: dialogSave, title: i18n.T("Save the picture"), filter: i18n.T("PNG pictures"), extensions: []string{"png"}, name: name,
	}
	if filepath.Ext(name) == ".txt" {
		d.title, d.filter, d.extensions = i18n.T("Save the report"), i18n.T("Text files"), []string{"txt"}
	}
	return d.one()
}

func openFolder() (string, error) {
	return fileDialog{kind: dialogFolder, title: i18n.T("Choose a folder")}.one()
}
