package main

import (
	"bytes"
	"context"

	"fyne.io/fyne/v2"

	"realword/app/hdrop"
	"realword/inference/picture"
	"realword/ui"
)

// readClipboard takes what is in the clipboard, files before pictures; "" for neither.
func readClipboard(ctx context.Context, _ []string) (form string, data []byte, err error) {
	in, err := hdrop.Paste(ctx)
	switch {
	case err != nil:
		return "", nil, err
	case len(in.Files) > 0:
		return formFiles, uriList(in.Files), nil
	case bytes.HasPrefix(in.Picture, []byte("BM")):
		return formBMP, in.Picture, nil
	case len(in.Picture) > 0:
		return formPNG, in.Picture, nil
	}
	return "", nil, nil
}

// writeClipboard puts one thing into the clipboard.
func writeClipboard(forms map[string][]byte) error {
	if list, ok := forms[formFiles]; ok {
		paths, err := filesOf(list)
		if err != nil {
			return err
		}
		return hdrop.Copy(paths)
	}
	img, _, err := picture.Decode(forms[formPNG], picture.Limits{})
	if err != nil {
		return err
	}
	return hdrop.CopyPicture(forms[formPNG], img)
}

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
