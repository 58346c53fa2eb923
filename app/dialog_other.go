//go:build !linux && !windows

package main

import "realword/app/mac"

var dialogs = mac.NewDialogs()

func (d fileDialog) run() ([]string, error) {
	return dialogs.Show(mac.Dialog{
		Save: d.kind == dialogSave, Folder: d.kind == dialogFolder, Many: d.many, Title: d.title, Filter: d.filter, Extensions: d.extensions,
		Name: d.name, Place: d.folder,
	})
}

// dialogToFront brings the dialog that is shown before the other windows.
func dialogToFront() { dialogs.Front() }

// endDialogs takes the dialog away that is shown, which is another process.
func endDialogs() { dialogs.End() }
