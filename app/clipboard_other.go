//go:build !linux

package main

import (
	"context"
	"errors"
	"slices"

	"golang.design/x/clipboard"
)

// readClipboard takes what is in the clipboard in the first of the forms that it has; "" for none.
func readClipboard(_ context.Context, forms []string) (form string, data []byte, err error) {
	if slices.Contains(forms, formFiles) {
		if paths, err := filesInClipboard(); err == nil && len(paths) > 0 {
			return formFiles, uriList(paths), nil
		}
	}
	if err := clipboard.Init(); err != nil {
		return "", nil, err
	}
	if data = clipboard.Read(clipboard.FmtImage); len(data) == 0 {
		return "", nil, nil
	}
	return formPNG, data, nil
}

// writeClipboard puts one thing into the clipboard.
func writeClipboard(forms map[string][]byte) error {
	if list, ok := forms[formFiles]; ok {
		paths, err := filesOf(list)
		if err != nil {
			return err
		}
		return filesToClipboard(paths)
	}
	if err := clipboard.Init(); err != nil {
		return err
	}
	if clipboard.Write(clipboard.FmtImage, forms[formPNG]) == nil {
		return errors.New("the clipboard cannot be written to")
	}
	return nil
}
