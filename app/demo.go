package main

import (
	"bytes"
	"fmt"

	"realword/assets"
	"realword/history"
)

// bringExample puts the session that comes with the program into a history where it is not yet, takes it out of the trash where it lies
// there, and answers its number. Its picture stays in the history: who only looks at an example finds no file of it.
func bringExample(s *history.Store) (session uint64, err error) {
	demo, err := s.ImportInside("the example", bytes.NewReader(assets.Demo), int64(len(assets.Demo)))
	if err != nil {
		return 0, fmt.Errorf("the example cannot be shown: %w", err)
	}
	if demo.Pictures > 0 { // it was not there
		return demo.Session, s.RenameSession(demo.Session, "Example")
	}
	kept, err := s.Session(demo.Session)
	if err == nil && !kept.Trashed.IsZero() {
		err = s.Restore(history.Item{Kind: history.SessionItem, ID: demo.Session})
	}
	return demo.Session, err
}
