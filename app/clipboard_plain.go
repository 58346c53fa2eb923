//go:build !linux && !windows

package main

import (
	"errors"

	"realword/ui"
)

// dragging is nil: a drag of macOS wants a window's own message loop, which is Fyne's.
func dragging() func(path string) (ui.Carried, error) { return nil }

func filesInClipboard() ([]string, error) { return nil, nil }
func filesToClipboard([]string) error {
	return errors.New("files cannot be copied here: show the folder, and copy it there")
}
