//go:build !linux

package main

import (
	"errors"

	"github.com/sqweek/dialog"
)

func (d fileDialog) run() (path string, err error) {
	file := dialog.File().Title(d.title).SetStartDir(d.folder)
	if d.filter != "" {
		file = file.Filter(d.filter, d.extensions...)
	}
	switch d.kind {
	case dialogOpen:
		path, err = file.Load()
	case dialogSave:
		path, err = file.SetStartFile(d.name).Save()
	default:
		path, err = dialog.Directory().Title(d.title).SetStartDir(d.folder).Browse()
	}
	if errors.Is(err, dialog.ErrCancelled) {
		return "", nil
	}
	return path, err
}
