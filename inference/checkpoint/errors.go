package checkpoint

import (
	"errors"
	"fmt"

	"realword/inference/files"
	"realword/inference/message"
)

// FormatError says that a file is broken: what is wrong, where, and what to do.
type FormatError struct {
	File    string         // path
	Key     string         // tensor, or empty when the whole file is meant
	Problem error          // of package message where people can do something about it; what is damaged in a file is said in English alone
	Remedy  *message.Error // nil stands for getting the file again
	Err     error          // cause, may be nil
}

// Told is the error for any language.
func (e *FormatError) Told() *message.Error { return told(e.File, e.Key, e.Problem, e.Err, e.Remedy) }

func (e *FormatError) Error() string { return e.Told().Error() }

func (e *FormatError) Unwrap() error { return e.Err }

// UnsupportedError says that a file is something else than the checkpoints that Realword reads, and what to do about it.
type UnsupportedError struct {
	File, Key       string
	Problem, Remedy *message.Error
}

// Told is the error for any language.
func (e *UnsupportedError) Told() *message.Error {
	return told(e.File, e.Key, e.Problem, nil, e.Remedy)
}

func (e *UnsupportedError) Error() string { return e.Told().Error() }

func told(file, key string, problem, cause error, remedy *message.Error) *message.Error {
	if cause != nil {
		problem = fmt.Errorf("%w (%s)", problem, clip(cause.Error()))
	}
	if key != "" {
		problem = message.Errorf("tensor %q: %w", clip(key), problem)
	}
	if remedy == nil {
		return message.Note("%s: %w; the file is damaged or cut short: download it again", file, problem)
	}
	return message.Note("%s: %w; %w", file, problem, remedy)
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
	return &FormatError{Problem: fmt.Errorf(format, args...)}
}

func brokenTensor(key, format string, args ...any) error {
	return &FormatError{Key: key, Problem: fmt.Errorf(format, args...)}
}

// What helps with several problems.
var (
	resave     = message.Note("load it with PyTorch, where it was made, and save its state_dict() as safetensors")
	rightFile  = message.Note("check that it is the right file")
	otherTypes = message.Note("use weights in F32, F16 or BF16")
	tooMany    = message.Note("it holds more than %d tensors, which no model of Realword's families has", maxTensors)
)

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
