//go:build !linux && !windows && !darwin

package main

import (
	"context"
	"errors"

	"realword/ui"
)

var errNoClipboard = errors.New("nothing is known of the clipboard of this system")

func readClipboard(context.Context, []string) (form string, data []byte, err error) {
	return "", nil, errNoClipboard
}

func writeClipboard(map[string][]byte) error { return errNoClipboard }

func dragging() func(path string) (ui.Carried, error) { return nil }
