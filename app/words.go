package main

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"realword/inference/files"
	"realword/inference/message"
)

// inWords is the text of an error, with people's words for what the system answered: "dog.png: there is no such file or folder; check
// how its name is written" for "stat dog.png: no such file or directory".
func inWords(err error) string { return message.Reword(err, system) }

// system says an error of the operating system; "" is any other.
func system(err error) string {
	switch e := err.(type) { //nolint:errorlint // Reword walks the chain
	case *fs.PathError:
		if text := answer(e.Err); text != "" {
			return e.Path + ": " + text
		}
	case *os.LinkError:
		if text := answer(e.Err); text != "" {
			return e.New + ": " + text
		}
	case syscall.Errno:
		return answer(e)
	}
	return ""
}

// answer says what an operating system answers often, and what helps; "" is anything else.
func answer(err error) string {
	if barred := files.Barred(err); barred != nil {
		return barred.Error()
	}
	for _, a := range []struct {
		is   error
		text string
	}{
		{syscall.ENOTDIR, "part of the path is a file, not a folder; check how it is written"},
		{fs.ErrNotExist, "there is no such file or folder; check how its name is written"},
		{syscall.EROFS, "the disk is read-only; choose another one"},
		{fs.ErrPermission, "permission denied; change its permissions, or choose another place"},
		{fs.ErrExist, "it exists already; choose another name"},
		{syscall.EFBIG, "the disk takes no files of this size; choose another one"},
		{syscall.ENAMETOOLONG, "the name is too long; choose a shorter one"},
		{syscall.ELOOP, "its links go in a circle; name the file itself"},
		{syscall.EISDIR, "it is a folder, not a file; name a file"},
		{syscall.EIO, "the disk answers with errors; copy the file from elsewhere"},
		{syscall.EMFILE, "too many files are open; raise the limit (ulimit -n)"},
		{syscall.ETXTBSY, "a program that runs has it open; end that first"},
		{syscall.ESTALE, "the drive went away; connect it again"},
		{syscall.ENODEV, "the drive went away; connect it again"},
	} {
		if errors.Is(err, a.is) {
			return a.text
		}
	}
	if files.IsFull(err) {
		return "the disk is full; free up some space, or choose another one"
	}
	return ""
}
