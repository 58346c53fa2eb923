package state

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"realword/ui/i18n"
)

// Where is where a job is made.
type Where string

// A job is made here unless the user asks for something else.
const (
	Here  Where = ""
	Far   Where = "farm"  // by other computers
	First Where = "first" // by them and by this one, whoever has time
)

// Wheres are all places, in the order in which they are offered.
func Wheres() []Where { return []Where{Here, Far, First} }

// Label is what people call the place.
func (w Where) Label() string {
	switch w {
	case Far:
		return i18n.T("On the farm")
	case First:
		return i18n.T("Wherever it finishes first")
	}
	return i18n.T("Here")
}

// ErrRecalled is how a job ends whose farm is left: as one that was stopped, but what it has not made waits again.
var ErrRecalled = fmt.Errorf("the job was taken back from the farm: %w", context.Canceled)

// NotTaken is why a farm does not take a job, as one whose store is full: the job waits again, and so does the queue, since the next one
// would not be taken either.
type NotTaken struct{ Err error }

func (n NotTaken) Error() string { return n.Err.Error() }
func (n NotTaken) Unwrap() error { return n.Err }

// Farm is what the window knows of the computers that make pictures for this one.
type Farm struct {
	Joined    bool   // jobs can be handed over
	Away      bool   // but it does not answer now
	Computers int    // that are there
	Able      int    // of them, that have the open model
	Fetching  int    // of them, that are getting it
	Only      bool   // the open model is there alone
	Elsewhere bool   // this computer belongs to the farm of another one
	Why       string // this computer does not share its queue, though it is to; "": nothing is amiss
	Where     Where
}

// Maker is a computer of the farm with the picture of the running job that it makes, or has made.
type Maker struct {
	Picture     int
	Computer    string
	Step, Steps int
	Made        bool
}

// Computers names those that make pictures of the running job now: "workstation, studio".
func (r Round) Computers() string {
	var names []string
	for _, p := range r.Makers {
		if !p.Made && !slices.Contains(names, p.Computer) {
			names = append(names, p.Computer)
		}
	}
	return strings.Join(names, ", ")
}

// Maker is who makes a picture of the run is made, by its index; of one of which nothing is known, none.
func (r Round) Maker(picture int) (p Maker, ok bool) {
	if i := slices.IndexFunc(r.Makers, func(p Maker) bool { return p.Picture == picture }); i >= 0 {
		return r.Makers[i], true
	}
	return p, false
}

// Text says where a picture is made: "workstation", or while it is in work "workstation 3/25".
func (p Maker) Text() string {
	if p.Made || p.Steps == 0 {
		return p.Computer
	}
	return fmt.Sprintf("%s %d/%d", p.Computer, p.Step, p.Steps)
}

// Elsewhere says where a waiting job will be made, "" for here.
func (q Queue) Elsewhere(t Task) string {
	switch {
	case t.Where == Far && q.Away:
		return i18n.T("waiting for the farm")
	case t.Where == Far:
		return i18n.T("on the farm")
	case t.Where == First:
		return i18n.T("here or on the farm")
	}
	return ""
}
