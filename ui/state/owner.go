package state

import (
	"bytes"
	"reflect"
)

// Owner is the State of one window, and the only one that writes it: rooms read it with Now and say with Change what is to be different.
// It belongs to Fyne's goroutine.
type Owner struct {
	State
	OnChange func() // before the rooms are rendered, at every change
	Rooms    []Room // in the order in which they are rendered

	held  int  // calls of Change that are under way, and render
	stale bool // the screen may differ from the State
	all   bool // and from what else it shows
}

// Room is a part of the screen that is rendered by itself: when what it shows is another than it was, and at Refresh.
type Room struct {
	Name   string
	Shows  func(State) []any // what it shows of the State, and what of it else may change with a Change; nil: rendered at every change
	Render func()            // makes it equal to the State

	shown []any
}

// mostRenders is how often the screen follows what it changes itself, such as the text of a field. Where it does not come to rest by
// then, the next change goes on with it: a window that lags beats one that hangs.
const mostRenders = 4

// Now is the State as it is.
func (o *Owner) Now() State { return o.State }

// Change has f make the State another one, and then the rooms equal to it that show what has changed. What is changed meanwhile, by f
// through others or by a room that is rendered, is shown once, when that is done.
func (o *Owner) Change(f func(*State)) {
	o.held++
	f(&o.State)
	o.held--
	o.render()
}

// Refresh makes every room equal to the State, and to what else it shows.
func (o *Owner) Refresh() {
	o.all = true
	o.render()
}

func (o *Owner) render() {
	o.stale = true
	for n := 0; o.held == 0 && o.stale && n < mostRenders; n++ {
		all := o.all
		o.stale, o.all = false, false
		o.held++
		if o.OnChange != nil {
			o.OnChange()
		}
		for i := range o.Rooms {
			o.Rooms[i].follow(o.State, all)
		}
		o.held--
	}
}

// follow renders the room where what it shows is another than it was, or always.
func (r *Room) follow(s State, always bool) {
	if r.Shows != nil {
		now := r.Shows(s)
		if !always && same(reflect.ValueOf(now), reflect.ValueOf(r.shown)) {
			return
		}
		r.shown = now
	}
	r.Render()
}

// same tells whether two values of one type are equal. What they point to is taken to stay as it is, as everything in a State does:
// pictures, steps and maps are compared by where they lie, and a list that lies where it lay is not looked into.
func same(a, b reflect.Value) bool {
	if a.IsValid() != b.IsValid() || a.IsValid() && a.Type() != b.Type() {
		return false
	}
	switch a.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Struct:
		for i := range a.NumField() {
			if !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		switch {
		case a.Len() != b.Len():
			return false
		case a.Pointer() == b.Pointer():
			return true
		case a.Type().Elem().Kind() == reflect.Uint8:
			return bytes.Equal(a.Bytes(), b.Bytes())
		}
		fallthrough
	case reflect.Array:
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Interface:
		return same(a.Elem(), b.Elem())
	case reflect.Map, reflect.Func, reflect.Chan, reflect.Pointer, reflect.UnsafePointer:
		return a.Pointer() == b.Pointer()
	default:
		return a.Equal(b)
	}
}
