//go:build !linux && !windows

package main

import (
	"context"
	"errors"

	"golang.design/x/clipboard"

	"realword/ui"
)

// readClipboard takes the picture in the clipboard; "" for none.
func readClipboard(context.Context, []string) (form string, data []byte, err error) {
	if err := clipboard.Init(); err != nil {
		return "", nil, err
	}
	if data = clipboard.Read(clipboard.FmtImage); len(data) == 0 {
		return "", nil, nil
	}
	return formPNG, data, nil
}

// writeClipboard puts a picture into the clipboard.
func writeClipboard(forms map[string][]byte) error {
	if _, ok := forms[formFiles]; ok {
		return errors.New("files cannot be copied here: show the folder, and copy it there")
	}
	if err := clipboard.Init(); err != nil {
		return err
	}
	if clipboard.Write(clipboard.FmtImage, forms[formPNG]) == nil {
		return errors.New("the clipboard cannot be written to")
	}
	return nil
}

// dragging is nil: a drag of macOS wants a window's own message loop, which is Fyne's.
func dragging() func(path string) (ui.Carried, error) { return nil }
