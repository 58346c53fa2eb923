package state

import "realword/ui/i18n"

// ErrNoFile is why a kept picture has no file, once the first reason is forgotten with the window that met it.
type ErrNoFile struct{}

func (ErrNoFile) Error() string { return i18n.T("the file of this picture could not be written") }

// ErrStopped is why a picture that somebody stopped has no file: nothing went wrong.
type ErrStopped struct{}

func (ErrStopped) Error() string {
	return i18n.T("This picture was stopped early. Its steps are kept.")
}
