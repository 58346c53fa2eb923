//go:build !linux && !windows

package main

import "errors"

func filesInClipboard() ([]string, error) { return nil, nil }
func filesToClipboard([]string) error {
	return errors.New("files cannot be copied here: show the folder, and copy it there")
}
