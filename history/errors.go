package history

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	bolterrors "go.etcd.io/bbolt/errors"

	"realword/inference/files"
)

// Kind says what is wrong with a history or an archive, so that a window can offer the button that helps.
type Kind int

// The kinds of trouble.
const (
	Busy        Kind = iota + 1 // another Realword has it open
	Newer                       // a newer Realword wrote it
	Damaged                     // truncated, overwritten, or no history at all
	ReadOnly                    // no permission to write, or a read-only disk
	Full                        // no space left
	Unreachable                 // a folder that is missing or cannot be made, a drive that went away
	Hostile                     // an archive that no Realword would have written
	Older                       // a Realword before the first release wrote it
	Spoiled                     // one file beside the history is not what was written; all else is in order
	Torn                        // an archive of which something is missing or has changed on its way
)

// Error is trouble with a file of the history. Nothing was changed when it is returned.
type Error struct {
	Kind Kind
	Path string // the file or folder
	Err  error  // the cause, for "copy details"; may be nil
}

// texts say what happened to a file of a history, and what helps.
var texts = map[Kind]string{
	Busy:        "another Realword has the history %s open: close the other one and try again",
	Newer:       "%s was written by a newer Realword: use that version",
	Damaged:     "%s is damaged: start a new one with everything that can be read from it; the pictures themselves are separate files",
	Older:       "%s is of an older version: start a new one with everything that can be read from it; the pictures themselves are separate files",
	ReadOnly:    "%s is read-only: change its permissions, or use another disk",
	Full:        "there is no space left for %s: free up some space, empty the trash or trim the step data, and try again",
	Unreachable: "%s cannot be reached: check that its folder exists and its disk is connected",
	Spoiled:     "%s is damaged: what it held is lost, everything else is in order",
	Hostile:     "%s is not a session that Realword exported: export the session again and use that file as it is",
	Torn:        "%s is damaged, something in it is missing or has changed: copy or download it again, or export the session again",
}

func (e *Error) Error() string {
	text := fmt.Sprintf(texts[e.Kind], e.Path)
	if e.Err != nil {
		text += fmt.Sprintf(" (%v)", e.Err)
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// Errors of calls that name what is not there.
var (
	ErrNotFound     = errors.New("there is no such job in the history")
	ErrNoSession    = errors.New("there is no such session in the history")
	ErrNoPicture    = errors.New("there is no such picture in the history")
	ErrNoReference  = errors.New("there is no such reference in the history: add the picture again")
	ErrNoStep       = errors.New("there is no such step in the history; step data may have been trimmed")
	ErrNoJob        = errors.New("there is no such job in the queue")
	errOutsideLimit = errors.New("it is too large for the history")
)

// explain gives an error of the system or of bbolt its kind. Others pass as they are.
func explain(path string, err error) error {
	var known *Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	var file *fs.PathError
	// the names of blobs say nothing to people
	if errors.As(err, &file) && (!diskFull(err) || !strings.Contains(filepath.ToSlash(file.Path), ".blobs/")) {
		path = file.Path
	}
	kind := Kind(0)
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		kind, err = Busy, nil
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		kind = Damaged
	case diskFull(err):
		kind = Full
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, bolterrors.ErrDatabaseReadOnly):
		kind = ReadOnly
	case file != nil, errors.Is(err, fs.ErrNotExist), errors.As(err, new(*os.LinkError)), errors.As(err, new(*os.SyscallError)):
		kind = Unreachable
	default:
		return err
	}
	return &Error{Kind: kind, Path: path, Err: err}
}

// diskFull counts a file that may not grow (a quota, a limit of the process, 4 GiB on FAT) as a full disk: the remedy is the same.
func diskFull(err error) bool {
	if files.IsFull(err) {
		return true
	}
	for _, full := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, full) || strings.Contains(err.Error(), full.Error()) { // bbolt keeps only the text of some
			return true
		}
	}
	return false
}
