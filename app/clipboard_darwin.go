package main

import (
	"context"

	"realword/app/mac"
	"realword/inference/picture"
	"realword/ui"
)

// readClipboard takes the files or the picture in the clipboard; "" for neither.
func readClipboard(ctx context.Context, _ []string) (form string, data []byte, err error) {
	held, err := mac.NewClipboard().Read(ctx, picture.DefaultLimits.Bytes)
	if len(held.Files) > 0 {
		return formFiles, uriList(held.Files), err
	}
	return held.Form, held.Picture, err
}

// writeClipboard puts a picture or files into the clipboard.
func writeClipboard(forms map[string][]byte) error {
	if list, ok := forms[formFiles]; ok {
		paths, err := filesOf(list)
		if err != nil {
			return err
		}
		return mac.NewClipboard().CopyFiles(paths)
	}
	return mac.NewClipboard().Copy(forms[formPNG])
}

// dragging is nil: a drag of macOS wants a window's own message loop, which is Fyne's.
func dragging() func(path string) (ui.Carried, error) { return nil }
