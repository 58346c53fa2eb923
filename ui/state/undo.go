package state

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"realword/inference"
	"realword/inference/bundle"
	"realword/ui/i18n"
)

// Undo remembers the form as it was before each change, so that every knob can be turned back. Changes of one thing that
// follow one another quickly, such as the letters of a word or the way of a slider, are one change; every word and every stroke of a brush
// is its own. Between them stand deeds that are no change of the form.
type Undo struct {
	Past, Future []Moment
	Now          Form
	Fields       []string // what the last change was about
	turned       []string // what of which cards
	at           time.Time
	goes         bool // the last change goes on
	painted      bool // it was a stroke
	less         bool // it took letters away
}

// Moment is a form of earlier or later; or a deed, where it has one.
type Moment struct {
	Form Form
	Deed *Deed
}

// Deed is something done that is no change of the form: how it is taken back, and done again.
type Deed struct {
	Back, Again func()
	Done        func() bool // it is done now, and not taken back in another way
}

// Exchange is the deed that has put is where was stood; nil is nothing. Either way it exchanges what it knows alone: what has come there
// since stays, and the deed is done, or taken back, as it was.
func Exchange[T comparable](was, is *T, now func() *T, put func(*T)) Deed {
	done := true
	there := func(p *T) bool {
		n := now()
		return n == nil && p == nil || n != nil && p != nil && *n == *p
	}
	return Deed{
		Back: func() {
			if there(is) || there(nil) {
				done = false
				put(was)
			}
		},
		Again: func() {
			if there(was) {
				done = true
				put(is)
			}
		},
		Done: func() bool { return done },
	}
}

// Did notes a deed.
func (u *Undo) Did(d Deed) {
	u.push(Moment{Deed: &d})
	u.Future, u.Fields = nil, nil
}

func (u *Undo) push(m Moment) {
	u.Past = append(u.Past, m)
	u.Past = u.Past[max(len(u.Past)-undoDepth, 0):]
}

// undoPause ends a change that goes on, undoDepth is how many are kept.
const (
	undoPause = time.Second
	undoDepth = 200
)

// Reset begins anew with f: another session, or the model's own settings.
func (u *Undo) Reset(f Form) { *u = Undo{Now: f.Tidy()} }

// See takes the form as it is for what was there before the next change. What the window tidies in every form is no change of the user's.
func (u *Undo) See(f Form) { u.Now = f.Tidy() }

// Note takes notice of the form as it is now. goesOn tells that more of the same may come, whenever that is: pictures are being read.
func (u *Undo) Note(f Form, at time.Time, goesOn bool) {
	fields := changedFields(u.Now, f)
	if len(fields) == 0 {
		u.Now, u.goes = f, u.goes && goesOn // a seed that was drawn is no change
		return
	}
	of, stroke := turned(u.Now, f), repainted(u.Now, f)
	word, less := spelt(u.Now.Prompt+"\n"+u.Now.Negative, f.Prompt+"\n"+f.Negative)
	another := !slices.Equal(fields, u.Fields) || len(of) > 0 && !slices.Equal(of, u.turned) || word || less != u.less
	if another || !u.goes && at.Sub(u.at) > undoPause || len(u.Past) == 0 || stroke || u.painted {
		u.push(Moment{Form: u.Now})
		u.turned = of
	}
	u.Now, u.Future, u.Fields, u.at, u.goes, u.painted, u.less = f, nil, fields, at, goesOn, stroke, less
}

// spelt tells of a text and another that it became whether a word begins or ends with what differs, and whether letters were only taken
// away.
func spelt(was, now string) (word, less bool) {
	a, b := []rune(was), []rune(now)
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	between := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) }
	return slices.ContainsFunc(a, between) || slices.ContainsFunc(b, between), len(a) > 0 && len(b) == 0
}

// turned says what the user sets of cards that both forms have is different, "3 scope"; what becomes of a picture then may follow later.
func turned(a, b Form) (list []string) {
	for _, c := range b.Cards {
		i := a.Card(c.ID)
		if i < 0 {
			continue
		}
		was := a.Cards[i]
		for what, differs := range map[string]bool{
			"scope": was.Scope != c.Scope, "off": was.Off != c.Off, "square": was.Ref.Square != c.Ref.Square,
			"region": repainted(a, Form{Cards: []Card{c}}),
		} {
			if differs {
				list = append(list, fmt.Sprint(c.ID, " ", what))
			}
		}
	}
	slices.Sort(list)
	return list
}

// repainted tells whether a subject has another painted mask.
func repainted(a, b Form) bool {
	return slices.ContainsFunc(b.Cards, func(c Card) bool {
		i := a.Card(c.ID)
		return i >= 0 && (a.Cards[i].Region.SHA256 != c.Region.SHA256 || a.Cards[i].Region.Kind != c.Region.Kind)
	})
}

// Back takes back the last deed, or answers the form before the last change; false where there was neither.
func (u *Undo) Back() (Form, bool) { return u.move(&u.Past, &u.Future, false) }

// Forward does again what Back has taken back, or answers the form that it has left.
func (u *Undo) Forward() (Form, bool) { return u.move(&u.Future, &u.Past, true) }

// CanBack tells whether Back would do something, and CanForward whether Forward would.
func (u *Undo) CanBack() bool    { return left(u.Past, false) > 0 }
func (u *Undo) CanForward() bool { return left(u.Future, true) > 0 }

// left is how many moments are left without the last deeds that are as they would be: a button under what they said has had its way.
func left(list []Moment, again bool) int {
	n := len(list)
	for n > 0 && list[n-1].Deed != nil && list[n-1].Deed.Done() == again {
		n--
	}
	return n
}

func (u *Undo) move(from, to *[]Moment, again bool) (Form, bool) {
	n := left(*from, again)
	for _, m := range slices.Backward((*from)[n:]) {
		*to = append(*to, m)
	}
	if *from = (*from)[:n]; n == 0 {
		return u.Now, false
	}
	m := (*from)[n-1]
	*from = (*from)[:n-1]
	u.Fields = nil
	if m.Deed != nil {
		if *to = append(*to, m); again {
			m.Deed.Again()
		} else {
			m.Deed.Back()
		}
		return u.Now, true
	}
	f := m.Form
	*to = append(*to, Moment{Form: u.Now})
	if !f.KeepSeed {
		f.Seed = u.Now.Seed
	}
	if f.Seed == u.Now.Seed {
		f.Spent = u.Now.Spent
	}
	u.Now = f
	return f, true
}

// changedFields are the names of the fields in which two forms differ. The seed counts only where the user keeps it; that a job has taken
// it is no change.
func changedFields(a, b Form) []string {
	a.Spent = b.Spent
	if !b.KeepSeed {
		a.Seed = b.Seed
	}
	var names []string
	for _, t := range inference.Table() {
		if t.Get(a.Settings) != t.Get(b.Settings) {
			names = append(names, t.Field)
		}
	}
	b.Settings = a.Settings
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		if !reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			names = append(names, x.Type().Field(i).Name)
		}
	}
	return names
}

// Turned says which settings another form has otherwise, "Steps 60 › 25"; "" where it differs in words and subjects alone. same: it does
// not differ at all. The sign is one of the window's own font: of another one, the blank behind an arrow would be a sign of nothing.
func (f Form) Turned(to Form, m *bundle.Manifest) (text string, same bool) {
	var list []string
	turn := func(what, old, new string) {
		if old != new {
			list = append(list, what+" "+Shorten(cmp.Or(old, "—"), 24)+" › "+Shorten(cmp.Or(new, "—"), 24))
		}
	}
	if m != nil {
		old, new := f.Completed(m), to.Completed(m)
		for _, k := range Knobs() {
			turn(k.Label, k.Text(old), k.Text(new))
		}
	}
	turn(i18n.T("Pictures"), fmt.Sprint(f.Count), fmt.Sprint(to.Count))
	if f.KeepSeed || to.KeepSeed {
		turn(i18n.T("Seed"), fmt.Sprint(f.Seed), fmt.Sprint(to.Seed))
	}
	return strings.Join(list, " · "), len(changedFields(f, to)) == 0
}
