package queue

import (
	"slices"

	"realword/inference"
	"realword/ui/i18n"
	"realword/ui/state"
)

// deed is what was done with jobs, and can be taken back.
type deed struct {
	out  bool   // it is done
	back func() // takes it back
	text string // what that is
}

// putsBack says that a job is put back which was taken out.
func putsBack(prompt string) string {
	return i18n.T("Put “%s” back into the queue", state.Shorten(prompt, 40))
}

// did notes what was done with jobs; text says what taking it back is.
func (q *Queue) did(text string, back, again func()) {
	d := &deed{out: true, text: text}
	d.back = func() {
		if d.out {
			d.out = false
			back()
		}
	}
	q.last = d
	if q.OnDone != nil {
		q.OnDone(state.Deed{Back: d.back, Again: func() {
			if !d.out {
				d.out = true
				again()
			}
		}, Done: func() bool { return d.out }})
	}
	q.Change(func(*state.State) {}) // there is something to undo now
}

// Undoable says what Undo does; false where there is nothing to take back.
func (q *Queue) Undoable() (string, bool) {
	if q.last == nil || !q.last.out {
		return "", false
	}
	return q.last.text, true
}

// Undo takes back what was done with jobs last.
func (q *Queue) Undo() {
	if _, can := q.Undoable(); can {
		q.last.back()
	}
}

// place is a job and where it waited.
type place struct {
	task state.Task
	at   int
}

// takeOut takes waiting jobs out, and answers where they were.
func (q *Queue) takeOut(ids []int) (out []place) {
	for i, t := range q.State().Queue.Waiting {
		if slices.Contains(ids, t.ID) {
			out = append(out, place{q.complete(t), i})
		}
	}
	for _, p := range out {
		q.unfile(p.task.ID)
	}
	q.Change(func(s *state.State) {
		for _, p := range out {
			s.Queue = s.Queue.Remove(p.task.ID)
		}
		if len(s.Queue.Waiting) == 0 && !s.Busy() {
			s.Queue.Paused = false
		}
	})
	return out
}

// putBack has jobs wait again where they were, under new numbers, which it answers. pause: the queue rests with them. None begins before
// Advance.
func (q *Queue) putBack(out []place, pause bool) (ids []int) {
	q.Change(func(s *state.State) {
		s.Queue.Paused = s.Queue.Paused || pause
		for _, p := range out {
			s.Queue, p.task.ID = s.Queue.Insert(p.task, p.at)
			ids = append(ids, p.task.ID)
		}
		for _, id := range slices.Backward(ids) { // before one that is kept already
			q.keep(s.Queue.Task(id), s.Queue.After(id), 0)
		}
	})
	return ids
}

// withdrawn are jobs that were taken out of the queue, or stopped.
type withdrawn struct {
	out    []place
	ids    []int // of those that were put back, as they wait or run now
	ran    []*stopped
	paused bool // the queue was, before
}

// withdrew notes that jobs were withdrawn; prompt is that of the first.
func (q *Queue) withdrew(w *withdrawn, prompt string) {
	q.did(putsBack(prompt), func() { w.back(q) }, func() { w.again(q) })
}

// back has all of them wait again, or what is left of them.
func (w *withdrawn) back(q *Queue) {
	q.Change(func(*state.State) {
		rests := q.idle() // else the pause of then would end what the user has let go on since
		w.ids = q.putBack(w.out, w.paused && rests)
		for _, s := range w.ran {
			if s.back = true; s.ended {
				s.wait(q, s.paused && rests)
			}
		}
		q.Advance(false)
		q.ahead()
	})
}

// idle tells whether nothing waits, and nothing runs that is not being stopped.
func (q *Queue) idle() bool {
	now := q.State().Queue
	return len(now.Waiting) == 0 && !slices.ContainsFunc(now.Flights, func(f state.Flight) bool { return f.Run.Phase == state.Running })
}

// again takes out those that wait still, and stops those that have begun since.
func (w *withdrawn) again(q *Queue) {
	q.Change(func(*state.State) {
		w.out = q.takeOut(w.ids)
		for _, s := range w.ran {
			s.back = false
			if !q.halt(s.id, s) && len(q.takeOut([]int{s.id})) == 0 && s.ended {
				s.rest.Request.Seeds = nil // it was made meanwhile
			}
		}
		for _, id := range w.ids {
			if s := (&stopped{}); q.halt(id, s) {
				w.ran = append(w.ran, s)
			}
		}
	})
}

// Drop takes a waiting job out.
func (q *Queue) Drop(id int) { q.drop([]int{id}) }

func (q *Queue) drop(ids []int) {
	w := &withdrawn{paused: q.State().Queue.Paused}
	if w.out = q.takeOut(ids); len(w.out) > 0 {
		q.withdrew(w, w.out[0].task.Request.Prompt)
	}
}

// stopped is a job that the user has stopped: what it has not made can wait again.
type stopped struct {
	rest   state.Task // its Request has no seeds where all is made
	ended  bool
	back   bool // it is wanted back
	was    int  // its ID while it ran
	id     int  // and since it waits again
	paused bool // the queue was, at its end
}

// Stop cancels the run that the stage follows; what is done so far stays on the stage, and the next job begins.
func (q *Queue) Stop() { q.StopJob(q.State().Queue.Followed().Task.ID) }

// StopJob cancels a job that runs.
func (q *Queue) StopJob(id int) {
	f, _ := q.State().Queue.Flight(id)
	if s := (&stopped{}); q.halt(id, s) {
		q.withdrew(&withdrawn{ran: []*stopped{s}}, f.Task.Request.Prompt)
	}
}

// halt cancels a job, which notes in s what it leaves; false where it does not run.
func (q *Queue) halt(id int, s *stopped) bool {
	if f, runs := q.State().Queue.Flight(id); !runs || f.Run.Phase != state.Running {
		return false
	}
	s.ended = false
	q.flights[id].stopped = s
	q.flights[id].cancel()
	q.Change(func(s *state.State) {
		s.Queue = s.Queue.ChangeFlight(id, func(f *state.Flight) { f.Run.Phase = state.Stopping })
	})
	return true
}

// end notes what the job that ran has left beside the pictures that it has made.
func (s *stopped) end(q *Queue, t state.Task, made []int) {
	s.ended, s.was = true, t.ID
	s.rest = q.complete(t)
	s.rest.Request = without(s.rest.Request, made)
	if s.back {
		s.wait(q, s.paused)
	}
}

// without is a request without the pictures of these numbers; it has no seeds where none is left.
func without(r inference.Request, made []int) inference.Request {
	switch {
	case r.Grid != nil:
		r.Grid = r.Grid.Clone()
		if r.Grid.Made = append(r.Grid.Made, made...); len(r.Grid.Made) >= r.Grid.Len() {
			r.Seeds = nil
		}
	case len(made) > 0:
		var rest []uint64 // a farm goes on past a picture that it cannot make
		for n, seed := range r.Seeds {
			if !slices.Contains(made, n) {
				rest = append(rest, seed)
			}
		}
		r.Seeds, r.From = rest, nil
	}
	return r
}

// wait has what is left wait before all others; pause: the queue rests with it.
func (s *stopped) wait(q *Queue, pause bool) {
	if len(s.rest.Request.Seeds) == 0 || q.Commands.Closing() {
		return
	}
	q.Change(func(st *state.State) {
		st.Queue.Paused = st.Queue.Paused || pause
		st.Queue, s.id = st.Queue.Insert(s.rest, 0)
		q.keep(st.Queue.Task(s.id), st.Queue.After(s.id), s.was)
		q.Advance(false)
	})
}

// StopAll cancels the run and takes out all that wait.
func (q *Queue) StopAll() {
	var ids []int
	for _, t := range q.State().Queue.Waiting {
		ids = append(ids, t.ID)
	}
	prompt, w := q.State().Queue.Followed().Task.Request.Prompt, &withdrawn{paused: q.State().Queue.Paused}
	q.Change(func(s *state.State) {
		w.out = q.takeOut(ids)
		s.Queue.Paused = false
		for _, t := range slices.Backward(s.Queue.Running()) {
			if one := (&stopped{}); q.halt(t.ID, one) {
				w.ran = append(w.ran, one)
			}
		}
	})
	if len(w.out) > 0 {
		prompt = w.out[0].task.Request.Prompt
	}
	if len(w.out)+len(w.ran) > 0 {
		q.withdrew(w, prompt)
	}
}

// unadopt has jobs wait for their own model again, where they were, and answers their new numbers. One that runs is stopped; what has been
// made of it stays.
func (q *Queue) unadopt(was []place) (ids []int) {
	q.Change(func(s *state.State) {
		paused := s.Queue.Paused
		var waiting []int
		for _, p := range was {
			if !q.halt(p.task.ID, &stopped{}) {
				waiting = append(waiting, p.task.ID)
			}
		}
		q.takeOut(waiting)
		ids = q.putBack(was, paused)
		q.Advance(false) // their own model may be open
		q.ahead()
	})
	return ids
}
