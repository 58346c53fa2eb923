package ort

import (
	"errors"
	"os"
	"slices"

	"realword/inference/message"
	"realword/inference/ort/internal/native"
)

// held is a file that a session reads weights from.
type held struct {
	*os.File
	end   int64 // of the weights in it
	guard *native.Guarded
}

// hold opens the files of a session's weights, to look at them before every run.
func (m *model) hold() ([]held, error) {
	var list []held
	for path, end := range m.files {
		f, err := os.Open(path)
		if err != nil {
			return nil, errors.Join(err, release(list))
		}
		list = append(list, held{f, end, native.Guard(f)})
	}
	return list, nil
}

// intact tells whether all weights can be read as far as the file system knows. A file that was removed or replaced under its name
// is still the one that is open.
func intact(list []held) error {
	for _, h := range list {
		info, err := h.Stat()
		if err != nil {
			return message.Errorf("its weights can no longer be read (%w): connect the drive, then try again", err)
		}
		if info.Size() < h.end {
			return message.Errorf("its weights %s were cut short while they were in use: put the file back and import the model again, or with --copy",
				h.Name())
		}
	}
	return nil
}

// errLost is what a run gives that met weights which could not be read, and every run after it on that session.
var errLost = message.New("its weights could not be read: the drive was disconnected, or the file was cut short; restore it and start Realword again, or import the model with --copy")

// lost tells whether a file was lost since it is held.
func lost(list []held) bool {
	return slices.ContainsFunc(list, func(h held) bool { return h.guard.Lost() })
}

func release(list []held) error {
	var errs []error
	for _, h := range list {
		h.guard.Release()
		errs = append(errs, h.Close())
	}
	return errors.Join(errs...)
}
