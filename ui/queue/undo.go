package queue

import (
	"slices"

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
		}})
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
			out = append(out, place{t, i})
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

// putBack has jobs wait again where they were, under new numbers, which it answers. None begins before Advance.
func (q *Queue) putBack(out []place, paused bool) (ids []int) {
	q.Change(func(s *state.State) {
		s.Queue.Paused = s.Queue.Paused || paused
		for _, p := range out {
			s.Queue, p.task.ID = s.Queue.Insert(p.task, p.at)
			ids = append(ids, p.task.ID)
		}
		for i, id := range slices.Backward(ids) { // before one that is kept already
			q.keep(out[i].task.With(id), s.Queue.After(id), 0)
		}
	})
	return ids
}

// Drop takes a waiting job out.
func (q *Queue) Drop(id int) { q.drop([]int{id}) }

func (q *Queue) drop(ids []int) {
	paused := q.State().Queue.Paused
	out := q.takeOut(ids)
	if len(out) > 0 {
		q.did(putsBack(out[0].task.Request.Prompt), func() {
			ids = q.putBack(out, paused)
			q.Advance(false)
			q.ahead()
		}, func() { out = q.takeOut(ids) })
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
	if back, again := q.stop(id); back != nil {
		q.did(putsBack(f.Task.Request.Prompt), back, again)
	}
}

// stop is StopJob, and answers how it is taken back and done again; nil where the job does not run.
func (q *Queue) stop(id int) (back, again func()) {
	if f, runs := q.State().Queue.Flight(id); !runs || f.Run.Phase != state.Running {
		return nil, nil
	}
	s := &stopped{}
	q.flights[id].stopped = s
	q.flights[id].cancel()
	q.Change(func(s *state.State) {
		s.Queue = s.Queue.ChangeFlight(id, func(f *state.Flight) { f.Run.Phase = state.Stopping })
	})
	back = func() {
		if s.back = true; s.ended {
			s.wait(q)
		}
	}
	again = func() {
		s.back = false
		q.takeOut([]int{s.id})
	}
	return back, again
}

// end notes what the job that ran has left beside the pictures that it has made.
func (s *stopped) end(q *Queue, t state.Task, made []int) {
	s.ended, s.was = true, t.ID
	s.rest = t
	switch r := &s.rest.Request; {
	case r.Grid != nil:
		r.Grid = r.Grid.Clone()
		if r.Grid.Made = append(r.Grid.Made, made...); len(r.Grid.Made) >= r.Grid.Len() {
			r.Seeds = nil
		}
	case len(made) > 0:
		r.Seeds, r.From = slices.Clone(r.Seeds[min(len(made), len(r.Seeds)):]), nil
	}
	if s.back {
		s.wait(q)
	}
}

// wait has what is left wait before all others.
func (s *stopped) wait(q *Queue) {
	if len(s.rest.Request.Seeds) == 0 || q.Commands.Closing() {
		return
	}
	q.Change(func(st *state.State) {
		st.Queue.Paused = st.Queue.Paused || s.paused
		st.Queue, s.id = st.Queue.Insert(s.rest, 0)
		q.keep(s.rest.With(s.id), st.Queue.After(s.id), s.was)
		q.Advance(false)
	})
}

// StopAll cancels the run and takes out all that wait.
func (q *Queue) StopAll() {
	var ids []int
	for _, t := range q.State().Queue.Waiting {
		ids = append(ids, t.ID)
	}
	prompt, paused := q.State().Queue.Followed().Task.Request.Prompt, q.State().Queue.Paused
	var out []place
	var back, again []func()
	q.Change(func(s *state.State) {
		out = q.takeOut(ids)
		s.Queue.Paused = false
		for _, t := range slices.Backward(s.Queue.Running()) {
			if b, a := q.stop(t.ID); b != nil {
				back, again = append(back, b), append(again, a)
			}
		}
	})
	if len(out) > 0 {
		prompt = out[0].task.Request.Prompt
	} else if len(back) == 0 {
		return
	}
	q.did(putsBack(prompt), func() {
		q.Change(func(s *state.State) {
			ids = q.putBack(out, paused)
			for _, back := range back {
				back()
			}
			q.Advance(false)
			q.ahead()
		})
	}, func() {
		q.Change(func(s *state.State) {
			out = q.takeOut(ids)
			for _, again := range again {
				again()
			}
		})
	})
}

// unadopt has jobs wait for their own model again, where they were, and answers their new numbers. One that runs is stopped; what has been
// made of it stays.
func (q *Queue) unadopt(was []place) (ids []int) {
	q.Change(func(s *state.State) {
		paused := s.Queue.Paused
		var waiting []int
		for _, p := range was {
			if back, _ := q.stop(p.task.ID); back == nil {
				waiting = append(waiting, p.task.ID)
			}
		}
		q.takeOut(waiting)
		ids = q.putBack(was, paused)
	})
	return ids
}
