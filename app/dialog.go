package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver"

	"realword/inference/files"
	"realword/inference/picture"
)

// fileDialog is a file dialog of the system's.
type fileDialog struct {
	kind       dialogKind
	title      string
	filter     string   // what the extensions are called; empty shows every file
	extensions []string // without dots
	name       string   // that a new file is offered
	folder     string   // that it begins in; "": the system chooses
	many       bool     // several files may be chosen
}

// shown is held while a dialog is on the screen.
var shown sync.Mutex

// show runs the dialog until it is closed, and returns what was chosen. It must not be called on Fyne's goroutine. There is one dialog at a
// time: where one is on the screen, it comes to the front, and nothing is chosen here.
func (d fileDialog) show() ([]string, error) {
	return d.alone(fileDialog.run, dialogToFront)
}

func (d fileDialog) alone(run func(fileDialog) ([]string, error), front func()) ([]string, error) {
	if !shown.TryLock() {
		front()
		return nil, nil
	}
	defer shown.Unlock()
	return d.ask(run)
}

// one shows a dialog for one file or folder; "" means that nothing was chosen.
func (d fileDialog) one() (string, error) {
	paths, err := d.show()
	if len(paths) == 0 {
		return "", err
	}
	return paths[0], err
}

// studioWindow is the window as the system knows it, so that dialogs stay in front of it; 0 where it is not known. It waits for Fyne's
// goroutine.
func studioWindow() (handle uintptr) {
	fyne.DoAndWait(func() {
		for _, w := range fyne.CurrentApp().Driver().AllWindows() {
			if native, ok := w.(driver.NativeWindow); ok && handle == 0 {
				native.RunNative(func(context any) {
					switch c := context.(type) {
					case driver.X11WindowContext:
						handle = c.WindowHandle
					case driver.WindowsWindowContext:
						handle = c.HWND
					}
				})
			}
		}
	})
	return handle
}

// chosen are the folders that were chosen last, by the title of the dialog.
var chosen struct {
	sync.Mutex
	folders map[string]string
}

// ask runs the dialog where the last one for the same things was left. The first one for pictures, and one that saves, begins among the
// user's pictures, others at home: where the program was started from says nothing. What is to be saved has the ending of the name that was
// offered, in place of that of another kind of picture.
func (d fileDialog) ask(run func(fileDialog) ([]string, error)) ([]string, error) {
	chosen.Lock()
	places := []string{chosen.folders[d.title]}
	chosen.Unlock()
	if pictures := files.Pictures(); d.kind == dialogSave || slices.Contains(d.extensions, "png") {
		places = append(places, pictures, filepath.Dir(pictures))
	}
	if home, err := os.UserHomeDir(); err == nil {
		places = append(places, home) // GTK's own is what was used lately, of which no folder can be chosen
	}
	for _, dir := range places {
		if info, err := os.Stat(dir); dir != "" && err == nil && info.IsDir() {
			d.folder = dir
			break
		}
	}
	paths, err := run(d)
	// Not every system's dialog adds the ending, so it may have asked about another file than the one that will be written: where that one is
	// there, it asks once more.
	for ending := filepath.Ext(d.name); ending != "" && err == nil && len(paths) > 0 && !strings.EqualFold(filepath.Ext(paths[0]), ending); {
		path := paths[0]
		if strings.EqualFold(ending, ".png") && picture.Named(path) {
			path = strings.TrimSuffix(path, filepath.Ext(path)) // of a picture of another kind, which it will not be
		}
		path += ending
		if paths = []string{path}; absent(path) {
			break
		}
		d.folder, d.name = filepath.Dir(path), filepath.Base(path)
		paths, err = run(d)
	}
	if err == nil && len(paths) > 0 {
		chosen.Lock()
		defer chosen.Unlock()
		if chosen.folders == nil {
			chosen.folders = map[string]string{}
		}
		chosen.folders[d.title] = filepath.Dir(paths[0])
	}
	return paths, err
}

func absent(path string) bool {
	_, err := os.Lstat(path)
	return err != nil
}

// dialogKind tells what a dialog is for.
type dialogKind int

const (
	dialogOpen dialogKind = iota
	dialogSave
	dialogFolder
)
