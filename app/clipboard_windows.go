package main

import (
	"fyne.io/fyne/v2"

	"realword/app/hdrop"
	"realword/ui"
)

func filesInClipboard() ([]string, error)   { return hdrop.Paste() }
func filesToClipboard(paths []string) error { return hdrop.Copy(paths) }

// dragging begins to drag a file over windows of other programs.
func dragging() func(path string) (ui.Carried, error) {
	return func(path string) (ui.Carried, error) {
		d, err := hdrop.Begin(path)
		if err != nil {
			return nil, notDragged(err)
		}
		return carried{d}, nil
	}
}

// carried is a drag that Windows takes over once the window has drawn what it shows beyond its border: nothing any more.
type carried struct{ *hdrop.Drag }

func (c carried) Move() { fyne.Do(c.Drag.Move) }
