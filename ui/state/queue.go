package state

import (
	"fmt"
	"image"
	"slices"
	"strings"
	"time"

	"realword/inference"
	"realword/inference/bundle"
)

// Task is a job that waits for its turn.
type Task struct {
	ID      int // never used again within a window; the journal knows where the history keeps it
	Request inference.Request
	Parents []uint64    // pictures of the history that it goes on from
	Parked  bool        // the program died over it twice: it waits until the user lets it go on
	Held    bool        // others go first until the user lets it go on
	Missing []string    // names of references that are gone: it cannot run
	Thumb   image.Image // of its first reference; nil: none
	Model   string      // that it was made for; "": not known
	Needs   string      // the model that it waits for, because another one is open; "": none
	Where   Where       // it is made
	Checked bool        // an engine has looked at the request
	Beside  *Shot       // the picture that its own is compared with once it is made; nil: none
	Passes  int         // of the U-Net, that its pictures take; 0: not known yet
}

// Queue is the jobs that wait, in their order, and those that run. It is a value: the methods answer changed copies.
type Queue struct {
	Waiting []Task
	Flights []Flight         // that run, the one that the stage follows first
	Slots   int              // jobs that the farm makes at once; below 1: one
	Paused  bool             // no other job begins
	Away    bool             // there is no farm, or it does not answer: what is for it alone waits
	Chosen  int              // ID of the waiting job that the keys act on; 0, or one that is gone: the last
	Pace    Pace             // of the newest run
	last    int              // ID given last
	open    *bundle.Manifest // the model that For was told; nil: none yet
}

// Flight is a job that runs, and how far it is.
type Flight struct {
	Task Task
	Run  Round
}

// Pace is how long a pass of the U-Net takes for each pixel of the picture; 0: not known.
type Pace float64

// Left is how long the pictures of a job will take; 0 where that is not known.
func (p Pace) Left(t Task) time.Duration {
	return time.Duration(float64(p) * float64(t.Passes) * float64(t.Request.Width*t.Request.Height) * float64(time.Second))
}

// Insert puts a job that was in the queue back to a place, and answers its ID, which is another one.
func (q Queue) Insert(t Task, place int) (Queue, int) {
	q, id := q.Add(t, false)
	return q.Move(id, min(place, len(q.Waiting)-1)-len(q.Waiting)+1), id
}

// Add puts a job at the end, or with first before all that wait, and answers its ID. What comes into the queue, new or back, comes this
// way: here, and in For, it is decided which model it waits for.
func (q Queue) Add(t Task, first bool) (Queue, int) {
	q, t.ID = q.Number()
	t = q.needing(t)
	place := len(q.Waiting)
	if first {
		place = 0
	}
	q.Waiting = slices.Insert(slices.Clone(q.Waiting), place, t)
	return q, t.ID
}

// needing is a job with the model that it waits for.
func (q Queue) needing(t Task) Task {
	if q.open != nil {
		t.Needs = ""
		if t.Model != "" && !q.open.Named(t.Model) {
			t.Needs = t.Model
		}
	}
	return t
}

// Number is an ID that no job has had.
func (q Queue) Number() (Queue, int) {
	q.last++
	return q, q.last
}

func (q Queue) At(id int) int {
	return slices.IndexFunc(q.Waiting, func(t Task) bool { return t.ID == id })
}

// Move shifts a waiting job by so many places, as far as there are any.
func (q Queue) Move(id, by int) Queue {
	from := q.At(id)
	if from < 0 {
		return q
	}
	to := min(max(from+by, 0), len(q.Waiting)-1)
	t := q.Waiting[from]
	q.Waiting = slices.Insert(slices.Delete(slices.Clone(q.Waiting), from, from+1), to, t)
	return q
}

// Place puts a waiting job before the one that is now the place-th, or behind all.
func (q Queue) Place(id, place int) Queue {
	from := q.At(id)
	if place > from {
		place-- // it leaves its own place
	}
	return q.Move(id, place-from)
}

// Target is the ID of the waiting job that the keys act on, 0 without one.
func (q Queue) Target() int {
	if q.At(q.Chosen) >= 0 {
		return q.Chosen
	}
	if n := len(q.Waiting); n > 0 {
		return q.Waiting[n-1].ID
	}
	return 0
}

// Remove takes a waiting job out. The one behind it is chosen then, if it was.
func (q Queue) Remove(id int) Queue {
	if i := q.At(id); i >= 0 && id == q.Chosen {
		q.Chosen = 0
		if i+1 < len(q.Waiting) {
			q.Chosen = q.Waiting[i+1].ID
		}
	}
	q.Waiting = slices.DeleteFunc(slices.Clone(q.Waiting), func(t Task) bool { return t.ID == id })
	return q
}

// Change gives a waiting job to set, on a copy.
func (q Queue) Change(id int, set func(*Task)) Queue {
	q.Waiting = changed(q.Waiting, q.At(id), set)
	return q
}

// changed is a list whose element i was given to set, on a copy; the list itself where it has none.
func changed[T any](list []T, i int, set func(*T)) []T {
	if i < 0 {
		return list
	}
	list = slices.Clone(list)
	set(&list[i])
	return list
}

// Followed is the job that runs and that the stage follows; its ID is 0 where none runs.
func (q Queue) Followed() Flight {
	if len(q.Flights) == 0 {
		return Flight{}
	}
	return q.Flights[0]
}

// Flight is a job that runs; false where it does not.
func (q Queue) Flight(id int) (Flight, bool) {
	if i := q.flight(id); i >= 0 {
		return q.Flights[i], true
	}
	return Flight{}, false
}

func (q Queue) flight(id int) int {
	return slices.IndexFunc(q.Flights, func(f Flight) bool { return f.Task.ID == id })
}

// Running are the jobs that run, without how far they are.
func (q Queue) Running() (list []Task) {
	for _, f := range q.Flights {
		list = append(list, f.Task)
	}
	return list
}

// ChangeFlight gives a job that runs to set, on a copy.
func (q Queue) ChangeFlight(id int, set func(*Flight)) Queue {
	q.Flights = changed(q.Flights, q.flight(id), set)
	return q
}

// fits tells whether a job can begin beside those that run: this computer makes one at a time, and the farm as many as it has room for.
func (q Queue) fits(t Task) bool {
	here, far := 0, 0
	for _, f := range q.Flights {
		if f.Task.Where == Far {
			far++
		} else {
			here++
		}
	}
	if t.Where == Far {
		return far < max(q.Slots, 1)
	}
	return here == 0
}

// Next is the job whose turn it is, if one may begin now.
func (q Queue) Next() (Task, bool) {
	if q.Paused {
		return Task{}, false
	}
	i := slices.IndexFunc(q.Waiting, func(t Task) bool { return t.Able() && (!q.Away || t.Where != Far) && q.fits(t) })
	if i < 0 {
		return Task{}, false
	}
	return q.Waiting[i], true
}

// Stranded are the waiting jobs that are for a farm which is not there, where nothing else runs or is about to.
func (q Queue) Stranded() (list []int) {
	if _, next := q.Next(); next || q.Paused || !q.Away || len(q.Flights) > 0 {
		return nil
	}
	for _, t := range q.Waiting {
		if t.Able() && t.Where == Far {
			list = append(list, t.ID)
		}
	}
	return list
}

// Foreign are the waiting jobs that wait for another model than the open one; gone tells that it is one which was inside an earlier
// version, for all of them.
func (q Queue) Foreign() (list []int, gone bool) {
	gone = true
	for _, t := range q.Waiting {
		if t.Needs != "" {
			_, earlier := bundle.Earlier(t.Needs)
			list, gone = append(list, t.ID), gone && earlier
		}
	}
	return list, gone && len(list) > 0
}

// SeedList are the seeds of a job's pictures for people: "7", "7–10" where they follow one another, or "7, 9, 12".
func SeedList(list []uint64) string {
	if len(list) == 0 {
		return ""
	}
	following := len(list) > 2
	var all []string
	for i, s := range list {
		following = following && s == (list[0]+uint64(i))%SeedLimit
		all = append(all, fmt.Sprint(s))
	}
	if following {
		return fmt.Sprintf("%d–%d", list[0], list[len(list)-1])
	}
	return strings.Join(all, ", ")
}

// Task is a waiting job; the zero Task where it does not wait.
func (q Queue) Task(id int) Task {
	if i := q.At(id); i >= 0 {
		return q.Waiting[i]
	}
	return Task{}
}

func (t Task) Able() bool { return !t.Parked && !t.Held && len(t.Missing) == 0 && t.Needs == "" }

// After is the ID of the waiting job behind another one, 0 at the end.
func (q Queue) After(id int) int {
	if i := q.At(id); i >= 0 && i+1 < len(q.Waiting) {
		return q.Waiting[i+1].ID
	}
	return 0
}

// Begin makes a job one that runs, and the first of them. It waits no longer.
func (q Queue) Begin(t Task, run Round) Queue {
	q.Flights = slices.Insert(slices.Clone(q.Flights), 0, Flight{t, run})
	return q.Remove(t.ID)
}

// End takes a job that runs out. After a failure those that wait do so for the user, since what stopped this one would stop them too.
func (q Queue) End(id int, failed bool) Queue {
	q.Flights = slices.DeleteFunc(slices.Clone(q.Flights), func(f Flight) bool { return f.Task.ID == id })
	q.Paused = (q.Paused || failed) && len(q.Waiting) > 0 // an empty queue does not stay paused
	return q
}

// Clear takes all waiting jobs out. An empty queue does not stay paused.
func (q Queue) Clear() Queue {
	q.Waiting, q.Paused = nil, false
	return q
}
