package farm

import (
	"errors"

	"realword/inference/memory"
)

// Trouble is why the worker has not made its last picture; nil: it has.
func (w WorkerInfo) Trouble() error {
	if w.Problem == "" {
		return nil
	}
	return Result{Problem: w.Problem, Said: w.Said, Plan: w.Plan}.problem()
}

// problem is why there is no picture.
func (r Result) problem() error {
	if r.Plan != nil {
		if err := (&memory.Error{Plan: *r.Plan}); err.Error() == r.Problem {
			return err
		}
	}
	if r.Said != nil {
		if err := r.Said.Err(); err.Error() == r.Problem {
			return err
		}
	}
	return errors.New(r.Problem)
}
