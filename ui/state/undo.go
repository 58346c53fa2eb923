package ui

import (
	"reflect"
	"slices"
	"time"
)

// undo remembers the form as it was before each change, so that every knob can be turned back. Changes of one thing that
// follow one another quickly, such as the letters of a word or the way of a slider, are one change.
type undo struct {
	past, future []Form
	now          Form
	fields       []string // what the last change was about
	at           time.Time
}

// undoPause ends a change that goes on, undoDepth is how many are kept.
const (
	undoPause = time.Second
	undoDepth = 200
)

// reset begins anew with f: another session, or the model's own settings.
func (u *undo) reset(f Form) { *u = undo{now: f} }

// note takes notice of the form as it is now.
func (u *undo) note(f Form, at time.Time) {
	fields := changedFields(u.now, f)
	if len(fields) == 0 {
		u.now = f // a seed that was drawn is no change
		return
	}
	if !slices.Equal(fields, u.fields) || at.Sub(u.at) > undoPause || len(u.past) == 0 {
		u.past = append(u.past, u.now)
		u.past = u.past[max(len(u.past)-undoDepth, 0):]
	}
	u.now, u.future, u.fields, u.at = f, nil, fields, at
}

// back answers the form before the last change, or false.
func (u *undo) back() (Form, bool) { return u.move(&u.past, &u.future) }

// forward answers the form that back has left, or false.
func (u *undo) forward() (Form, bool) { return u.move(&u.future, &u.past) }

func (u *undo) move(from, to *[]Form) (Form, bool) {
	n := len(*from)
	if n == 0 {
		return u.now, false
	}
	f := (*from)[n-1]
	*from, *to = (*from)[:n-1], append(*to, u.now)
	if !f.KeepSeed {
		f.Seed = u.now.Seed
	}
	u.now, u.fields = f, nil
	return f, true
}

// changedFields are the names of the fields in which two forms differ. The seed counts only where the user keeps it.
func changedFields(a, b Form) []string {
	if !b.KeepSeed {
		a.Seed = b.Seed
	}
	var names []string
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		if !reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			names = append(names, x.Type().Field(i).Name)
		}
	}
	return names
}
