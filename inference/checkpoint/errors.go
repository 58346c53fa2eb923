package checkpoint

import (
	"errors"
	"fmt"
	"strings"

	"realword/inference/files"
)

// FormatError says that a file is broken: what is wrong, where, and what to do.
type FormatError struct {
	File    string // path
	Key     string // tensor, or empty when the whole file is meant
	Problem string
	Remedy  string // empty stands for getting the file again
	Err     error  // cause, may be nil
}

func (e *FormatError) Error() string {
	remedy := e.Remedy
	if remedy == "" {
		remedy = "the file is damaged or cut short: download it again"
	}
	return sentence(e.File, e.Key, e.Problem, e.Err, remedy)
}

func (e *FormatError) Unwrap() error { return e.Err }

// UnsupportedError says that a file is something else than the checkpoints that Realword reads, and what to do about it.
type UnsupportedError struct {
	File, Key, Problem, Remedy string
}

func (e *UnsupportedError) Error() string { return sentence(e.File, e.Key, e.Problem, nil, e.Remedy) }

func sentence(file, key, problem string, cause error, remedy string) string {
	var b strings.Builder
	b.WriteString(file)
	if key != "" {
		fmt.Fprintf(&b, ": tensor %q", clip(key))
	}
	b.WriteString(": ")
	b.WriteString(problem)
	if cause != nil {
		fmt.Fprintf(&b, " (%s)", clip(cause.Error()))
	}
	b.WriteString("; ")
	b.WriteString(remedy)
	return b.String()
}

// clip keeps a hostile name from filling the screen.
func clip(s string) string { return files.Shown(s, 200) }

// inFile completes an error made by a parser that does not know the path.
func inFile(path string, err error) error {
	if e, ok := errors.AsType[*FormatError](err); ok && e.File == "" {
		e.File = path
	}
	if e, ok := errors.AsType[*UnsupportedError](err); ok && e.File == "" {
		e.File = path
	}
	return err
}

func broken(format string, args ...any) error {
	return &FormatError{Problem: fmt.Sprintf(format, args...)}
}

func brokenTensor(key, format string, args ...any) error {
	return &FormatError{Key: key, Problem: fmt.Sprintf(format, args...)}
}

const resave = "load it with PyTorch, where it was made, and save its state_dict() as safetensors"

// failed is how a reader ends at what is damaged, many calls deep: a panic that try makes an error of.
type failed struct{ error }

func fail(err error) { panic(failed{err}) }

func try(do func()) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case failed:
			err = p.error
		default:
			panic(p)
		}
	}()
	do()
	return nil
}
