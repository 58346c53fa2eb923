//go:build !linux && !windows

package main

import (
	"errors"

	"github.com/sqweek/dialog"
)

func (d fileDialog) run() (paths []string, err error) {
	var path string
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
		return nil, nil
	}
	return []string{path}, err
}

// dialogToFront does nothing: the system keeps its dialog in front.
func dialogToFront() {}
