package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"realword/inference/files"
)

// fileDialog is a file dialog of the system's.
type fileDialog struct {
	kind       dialogKind
	title      string
	filter     string   // what the extensions are called; empty shows every file
	extensions []string // without dots
	name       string   // that a new file is offered
	folder     string   // that it begins in; "": the system chooses
}

// chosen are the folders that were chosen last, by the title of the dialog.
var chosen struct {
	sync.Mutex
	folders map[string]string
}

// ask runs the dialog where the last one for the same things was left. The first one for pictures, and one that saves, begins among the
// user's pictures: where the program was started from says nothing. What is to be saved has the ending of the name that was offered.
func (d fileDialog) ask(run func(fileDialog) (string, error)) (string, error) {
	chosen.Lock()
	places := []string{chosen.folders[d.title]}
	chosen.Unlock()
	if pictures := files.Pictures(); d.kind == dialogSave || slices.Contains(d.extensions, "png") {
		places = append(places, pictures, filepath.Dir(pictures))
	}
	for _, dir := range places {
		if info, err := os.Stat(dir); dir != "" && err == nil && info.IsDir() {
			d.folder = dir
			break
		}
	}
	path, err := run(d)
	// No system's dialog adds the ending, so it has asked about another file than the one that will be written: where that one is there, it
	// asks once more.
	for ending := filepath.Ext(d.name); ending != "" && err == nil && path != "" && !strings.EqualFold(filepath.Ext(path), ending); {
		path += ending
		if _, free := os.Lstat(path); free != nil {
			break
		}
		d.folder, d.name = filepath.Dir(path), filepath.Base(path)
		path, err = run(d)
	}
	if err == nil && path != "" {
		chosen.Lock()
		defer chosen.Unlock()
		if chosen.folders == nil {
			chosen.folders = map[string]string{}
		}
		chosen.folders[d.title] = filepath.Dir(path)
	}
	return path, err
}

// dialogKind tells what a dialog is for.
type dialogKind int

const (
	dialogOpen dialogKind = iota
	dialogSave
	dialogFolder
)
