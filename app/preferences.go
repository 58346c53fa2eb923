package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"fyne.io/fyne/v2"

	"realword/history"
	"realword/inference/files"
	"realword/ui/kit"
	"realword/ui/preferences"
)

// Fyne writes preferences into a file that it empties first: a disk that is full, or the end of the program at that moment, would take the
// user's styles, presets, keys and folders with it. So a copy is kept beside the history, outside of Fyne's folder, where every file that
// is written has it read the preferences again.

// preferencesSoon is how long after a change the copy is written, so that several are written once.
const preferencesSoon = time.Second

// keepPreferences brings back what the copy has where Fyne's file is damaged, or keeps that beside it where there is no copy, and keeps the
// copy from then on. A file that is not there is the user's will.
func keepPreferences(a fyne.App) {
	all, ok := a.Preferences().(interface {
		fyne.Preferences
		ReadValues(func(map[string]any))
		WriteValues(func(map[string]any))
	})
	dir, err := history.DefaultPath()
	if !ok || err != nil {
		return
	}
	path := filepath.Join(filepath.Dir(dir), "preferences.json")
	files.Sweep(filepath.Dir(path)) // of a program that ended while it wrote
	var mu sync.Mutex
	keep := func() {
		mu.Lock()
		defer mu.Unlock()
		var now bytes.Buffer
		var err error
		all.ReadValues(func(values map[string]any) { err = json.NewEncoder(&now).Encode(values) })
		if old, bad := os.ReadFile(path); bad == nil && bytes.Equal(old, now.Bytes()) {
			return
		}
		if err == nil {
			err = os.MkdirAll(filepath.Dir(path), 0o700)
		}
		if err == nil {
			err = files.Put(path, files.Private, files.Data(now.Bytes()))
		}
		if err != nil {
			fyne.LogError("The preferences have no copy", err)
		}
	}
	live := filepath.Join(a.Storage().RootURI().Path(), "preferences.json")
	_, err = readPreferences(live)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		if copied, bad := readPreferences(path); bad == nil {
			fyne.LogError("The preferences were damaged: they are those of the copy again", err)
			all.WriteValues(func(values map[string]any) { // in one change: Fyne writes the next one later
				maps.Copy(values, copied)
				kit.AddUntold(values, preferences.Copied)
			})
		} else if damaged, err := os.ReadFile(live); err == nil && len(damaged) > 0 { // an empty one holds nothing
			aside := filepath.Join(filepath.Dir(path), time.Now().Format("preferences-20060102-150405.json"))
			if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
				err = files.Put(aside, files.Private, files.Data(damaged))
			}
			if err != nil {
				fyne.LogError("The damaged preferences cannot be kept", err)
			} else {
				kit.NoteUntold(all, preferences.Damaged+aside)
			}
		}
	}
	if !missing {
		keep()
	}
	soon := time.AfterFunc(time.Hour, keep)
	soon.Stop()
	all.AddChangeListener(func() { soon.Reset(preferencesSoon) })
}

// readPreferences reads a whole file of preferences.
func readPreferences(path string) (values map[string]any, err error) {
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &values)
	}
	if err == nil && values == nil {
		err = errors.New("it holds no preferences")
	}
	return values, err
}
