package farm

import (
	"errors"

	"realword/inference/memory"

	"realword/inference/message"
)

// said is an error of package message on its way from a computer to the one that asked, which says it in its own language.
type said struct {
	Text   string      `json:"text"`
	Values []saidValue `json:"values,omitempty"`
}

// saidValue is one value of an error: one of them is set.
type saidValue struct {
	Text  *string  `json:"t,omitempty"`
	Int   *int     `json:"i,omitempty"`
	Float *float64 `json:"f,omitempty"`
	Error *said    `json:"e,omitempty"`
}

// saidOf is an error as it travels; nil for one that is no sentence of package message, or that has values of other kinds.
func saidOf(err error) *said {
	for {
		if m, ok := err.(*message.Error); ok { //nolint:errorlint // what wraps it says more
			return saidMessage(m)
		}
		switch e := err.(type) { //nolint:errorlint // likewise
		case hopeless:
			err = e.error
		case refused:
			err = e.error
		default:
			return nil
		}
	}
}

func saidMessage(m *message.Error) *said {
	out := &said{Text: m.Text}
	for _, v := range m.Values {
		var one saidValue
		switch v := v.(type) {
		case string:
			one.Text = &v
		case int:
			one.Int = &v
		case float64:
			one.Float = &v
		case error:
			if one.Error = saidOf(v); one.Error == nil {
				text := v.Error()
				one.Error = &said{Text: "%s", Values: []saidValue{{Text: &text}}}
			}
		default:
			return nil
		}
		out.Values = append(out.Values, one)
	}
	return out
}

// err is the error again.
func (s *said) err(deep int) error {
	if deep > 8 || len(s.Text) > 4096 || len(s.Values) > 16 {
		return message.New("it is too long to be said")
	}
	var values []any
	for _, v := range s.Values {
		switch {
		case v.Int != nil:
			values = append(values, *v.Int)
		case v.Float != nil:
			values = append(values, *v.Float)
		case v.Error != nil:
			values = append(values, v.Error.err(deep+1))
		case v.Text != nil:
			values = append(values, *v.Text)
		}
	}
	return message.Make(s.Text, values...)
}

// Trouble is why the worker has not made its last picture; nil: it has.
func (w WorkerInfo) Trouble() error {
	if w.Problem == "" {
		return nil
	}
	return Result{Problem: w.Problem, Plan: w.Plan}.problem()
}

// problem is why there is no picture.
func (r Result) problem() error {
	if r.Plan != nil {
		if err := (&memory.Error{Plan: *r.Plan}); err.Error() == r.Problem {
			return err
		}
	}
	if r.Said != nil {
		if err := r.Said.err(0); err.Error() == r.Problem {
			return err
		}
	}
	return errors.New(r.Problem)
}
