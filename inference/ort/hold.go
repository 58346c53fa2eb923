package ort

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"realword/inference/session"
)

// held is a file that a session reads weights from while it runs.
type held struct {
	*os.File
	end int64 // of the weights in it
}

// hold opens the files of a Mapped session's weights, to look at them before every run. Where a file does not stay mapped there is
// nothing to hold.
func (m *model) hold(weights session.Weights) ([]held, error) {
	if weights != session.Mapped || runtime.GOOS == "windows" {
		return nil, nil
	}
	var list []held
	for path, end := range m.files {
		f, err := os.Open(path)
		if err != nil {
			return nil, errors.Join(err, release(list))
		}
		list = append(list, held{f, end})
	}
	return list, nil
}

// intact tells whether all weights can be read as far as the file system knows. A file that was removed or replaced under its name
// is still the one that is open; one that was cut short ends the process at the first page that is gone, wherever that
// happens: the signal comes on a thread of the library, in the middle of its work.
func intact(list []held) error {
	for _, h := range list {
		info, err := h.Stat()
		if err != nil {
			return fmt.Errorf("its weights cannot be read any more (%w): plug the drive in, then try again", err)
		}
		if info.Size() < h.end {
			return fmt.Errorf("its weights %s were cut short while they were in use: put the file back and import the model again, or with --copy", h.Name())
		}
	}
	return nil
}

func release(list []held) error {
	var errs []error
	for _, h := range list {
		errs = append(errs, h.Close())
	}
	return errors.Join(errs...)
}
