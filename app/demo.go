package main

import (
	"bytes"
	"errors"
	"io/fs"
	"log"
	"os"

	"realword/assets"
	"realword/history"
)

// firstHistory opens the history. One that is new begins with a finished session, so that there is something to look at before
// the first run; with a model of the user's own it begins empty, because the session was made by the embedded one.
func (m *machine) firstHistory() (*history.Store, error) {
	path, err := history.DefaultPath()
	if err != nil {
		return nil, err
	}
	_, missing := os.Stat(path)
	s, err := openHistory()
	if err == nil && errors.Is(missing, fs.ErrNotExist) && m.model == "" {
		if err := addDemo(s); err != nil {
			log.Print("the demo session cannot be shown: ", err) // everything else works without it
		}
	}
	return s, err
}

// addDemo puts the session that comes with the program into a history.
func addDemo(s *history.Store) error {
	demo, err := s.ImportFrom("the demo session", bytes.NewReader(assets.Demo), int64(len(assets.Demo)))
	if err != nil {
		return err
	}
	return s.RenameSession(demo.Session, "Demo")
}
