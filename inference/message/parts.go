package message

import (
	"errors"
	"regexp"
)

// Parts is an Error as it lies in a file or travels to another computer, where it is said in another language: encoding/json writes and
// reads it.
type Parts struct {
	Text   string  `json:"text"`
	Values []Value `json:"values,omitempty"`
}

// Value is one value of an error: one of the fields is set.
type Value struct {
	Text  *string  `json:"t,omitempty"`
	Int   *int     `json:"i,omitempty"`
	Float *float64 `json:"f,omitempty"`
	Error *Parts   `json:"e,omitempty"`
}

// PartsOf takes an error apart; nil for one that is neither Error nor Teller, or has values of other kinds. What only wraps one and says
// no more is passed over.
func PartsOf(err error) *Parts {
	for err != nil {
		switch e := err.(type) { //nolint:errorlint // what wraps it says more
		case *Error:
			return partsOf(e)
		case Teller:
			return partsOf(e.Told())
		}
		inner := errors.Unwrap(err)
		if inner == nil || inner.Error() != err.Error() {
			return nil
		}
		err = inner
	}
	return nil
}

func partsOf(m *Error) *Parts {
	p := &Parts{Text: m.Text}
	for _, v := range m.Values {
		var one Value
		switch v := v.(type) {
		case string:
			one.Text = &v
		case int:
			one.Int = &v
		case float64:
			one.Float = &v
		case error:
			if one.Error = PartsOf(v); one.Error == nil {
				text := v.Error()
				one.Error = &Parts{Text: "%s", Values: []Value{{Text: &text}}}
			}
		default:
			return nil
		}
		p.Values = append(p.Values, one)
	}
	return p
}

// What others have written is bounded, and what is made of it.
const (
	mostText, mostValues, mostDeep = 4096, 16, 8
	mostSaid                       = 16 << 10
)

// wide are verbs that could fill the memory with spaces.
var wide = regexp.MustCompile(`%[-+# 0-9.*\[\]]{5}`)

// Err is the error again. Whatever it was read from, it is short.
func (p *Parts) Err() error { return p.err(0) }

func (p *Parts) err(deep int) error {
	tooLong := errors.New("it is too long to be said")
	if deep > mostDeep || len(p.Text) > mostText || len(p.Values) > mostValues || wide.MatchString(p.Text) {
		return tooLong
	}
	var values []any
	for _, v := range p.Values {
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
	if made := Make(p.Text, values...); len(made.Error()) <= mostSaid {
		return made
	}
	return tooLong
}
