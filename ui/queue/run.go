package queue

import (
	"context"
	"errors"
	"image"
	"slices"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/ui/i18n"
	"realword/ui/state"
)

// Queue runs jobs and knows those that wait. It shows nothing; Panel does.
type Queue struct {
	Host
	flights map[int]*flight // the jobs that run
	last    *deed           // the newest thing that can be taken back
}

// flight is a job that runs.
type flight struct {
	cancel  context.CancelFunc
	job     inference.Pauser // nil before it has begun, and where it cannot rest
	made    []int            // its pictures, by their numbers
	stopped *stopped         // nil: nobody has stopped it
	leaving bool             // it is on its way to the farm: what waits must not get there first
	refused bool             // it has not begun: the history has it as one that waits
	early   bool             // it began before a history was open, which has it as one that waits
}

// Jobs counts the jobs that run and wait, and tells whether the queue is paused.
func (q *Queue) Jobs() (n int, paused bool) {
	s := q.State().Queue
	return len(s.Waiting) + len(s.Running()), s.Paused
}

// Generate puts a job with what the form says at the end of the queue.
func (q *Queue) Generate() { q.generate(false) }

// GenerateNext puts it before all that wait.
func (q *Queue) GenerateNext() { q.generate(true) }

func (q *Queue) generate(first bool) {
	q.Commands.Settle() // a button asks without an action
	switch {
	case q.Commands.Closing():
	case len(q.State().Reasons()) > 0:
		q.Refuse()
	default:
		q.Before(func() { q.ask(first) })
	}
}

// ask puts the job that the form describes into the queue.
func (q *Queue) ask(first bool) {
	// The seed on the screen is the one that the job takes. It stays there until the next one needs another.
	q.Change(func(s *state.State) {
		f := &s.Form
		if f.Spent && !f.KeepSeed {
			f.Seed = state.DrawSeed()
		}
		f.Spent = true
		q.Put(state.Task{Request: f.Request(), Parents: f.Parents(), Thumb: f.Thumb(), Model: s.Model.Name}, first)
	})
}

// Put has a job wait for its turn.
func (q *Queue) Put(t state.Task, first bool) {
	q.Change(func(s *state.State) {
		switch e, is := q.Engine().(interface{ Elsewhere() bool }); {
		case is && e.Elsewhere(): // the model is on other computers alone
			t.Where = state.Far
		case t.Where == state.Here && s.Farm.Joined:
			t.Where = s.Farm.Where
		}
		t.Model = q.modelOf(t) // it is made with that one, whichever is open when its turn comes
		s.Queue, t.ID = s.Queue.Add(t, first)
		t = s.Queue.Task(t.ID)
		s.ActionErr = nil
		q.file(t, s.Queue.After(t.ID), 0)
		if q.Advance(true); s.Queue.At(t.ID) >= 0 {
			q.check(t)
		}
	})
}

// keep writes a job that waits down and has it checked.
func (q *Queue) keep(t state.Task, before, of int) {
	q.file(t, before, of)
	q.check(t)
}

// file writes a job down at once, so that it survives the program whatever comes next; before is the one behind it, 0 at the end. What
// a grid lacks joins the cells of the job of.
func (q *Queue) file(t state.Task, before, of int) {
	r, model := q.complete(t).Request, q.modelOf(t) // what is written down needs no preset any more
	if r.Grid != nil && of != 0 {
		q.Journal.EnqueueRest(t.ID, of, r, model, t.Parents)
	} else {
		q.Journal.Enqueue(t.ID, r, model, t.Parents)
	}
	if t.Where != state.Here {
		q.Journal.Place(t.ID, string(t.Where))
	}
	if before != 0 {
		q.Journal.Move(t.ID, before)
	}
	if t.Held {
		q.Journal.Hold(t.ID, true)
	}
}

// complete is a job with what the preset decides: no other model shall decide it. One of another model than the open one is as it was.
func (q *Queue) complete(t state.Task) state.Task {
	if m := q.State().Model; m != nil && !t.Checked && t.Needs == "" {
		t.Request = inference.Defaults(*m, t.Request)
	}
	return t
}

// modelOf is the name of the model that a job is for.
func (q *Queue) modelOf(t state.Task) string {
	if m := q.State().Model; m != nil && t.Model == "" {
		return m.Name
	}
	return t.Model
}

// check has the engine look at a job that waits, which it has not done yet.
func (q *Queue) check(t state.Task) {
	engine, manifest, model := q.Engine(), q.State().Model, q.modelOf(t)
	if t.Checked || t.Needs != "" || engine == nil { // it was checked when it came first, or is none for this engine
		return
	}
	q.Background(func() func() {
		r, err := engine.Resolve(t.Request)
		if err == nil {
			q.Journal.Amend(t.ID, r, model, t.Parents)
			if manifest != nil {
				t.Passes, _ = inference.Passes(*manifest, r)
			}
		}
		return func() {
			if err != nil && q.Engine() != engine {
				return // it is closed: the job waits for its model
			}
			q.Change(func(s *state.State) {
				if err != nil && s.Queue.At(t.ID) >= 0 {
					q.Journal.Drop(t.ID)
					s.Queue = s.Queue.Remove(t.ID)
					*s = s.Refuse(t, err)
				} else {
					s.Queue = s.Queue.Change(t.ID, func(w *state.Task) { w.Request, w.Passes, w.Checked = r, t.Passes, true })
				}
				q.ahead()
			})
		}
	})
}

// Adopt makes waiting jobs, which wait for another model, jobs of the open one. One that it cannot make waits on, and why is said.
func (q *Queue) Adopt(ids []int) {
	q.adopt(ids, func(was []place) {
		ids := make([]int, len(was))
		for i, p := range was {
			ids[i] = p.task.ID
		}
		text := i18n.T("Have “%s” wait for its own model again", state.Shorten(was[0].task.Request.Prompt, 40))
		q.did(text, func() {
			if len(was) > 0 {
				ids = q.unadopt(was)
			}
		}, func() {
			was = nil // its own model may be open by now: then there is nothing to adopt, and nothing to take back
			q.adopt(ids, func(again []place) { was = again })
		})
	})
}

// adopt is Adopt, and tells before any of them begins how those which it could make waited.
func (q *Queue) adopt(ids []int, done func(was []place)) {
	now, engine := q.State(), q.Engine()
	if now.Model == nil || engine == nil {
		return
	}
	m := *now.Model
	var list []state.Task
	for _, t := range now.Queue.Waiting {
		if t.Needs != "" && slices.Contains(ids, t.ID) {
			t.Request = t.Request.For(m, t.Model, now.OwnSize(t.Model))
			list = append(list, t)
		}
	}
	q.Background(func() func() {
		var wrong error
		made := map[int]state.Task{}
		for _, t := range list {
			r, err := engine.Resolve(t.Request)
			if err != nil {
				wrong = i18n.Errorf("the job “%s” cannot be made with %s: %w", state.Shorten(t.Request.Prompt, 40), m.Name, err)
				continue
			}
			t.Request = r
			t.Passes, _ = inference.Passes(m, r)
			made[t.ID] = t
		}
		return func() {
			q.Change(func(s *state.State) {
				if q.Engine() != engine {
					return // another one was opened meanwhile
				}
				s.ActionErr = wrong
				var was []place
				for i, t := range s.Queue.Waiting {
					if mine, ok := made[t.ID]; ok && t.Needs != "" {
						was = append(was, place{t, i})
						q.Journal.Amend(t.ID, mine.Request, m.Name, t.Parents)
						s.Queue = s.Queue.Change(t.ID, func(w *state.Task) {
							w.Request, w.Passes, w.Checked, w.Model, w.Needs = mine.Request, mine.Passes, true, m.Name, ""
						})
					}
				}
				if len(was) > 0 {
					done(was)
				}
				q.Advance(true)
				q.ahead()
			})
		}
	})
}

// Advance begins the next jobs, as many as may begin. asked tells that the user wants it now; else who looks at an older picture, or
// at a job that runs, goes on looking.
func (q *Queue) Advance(asked bool) {
	for q.begin(asked) {
		asked = false
	}
}

// begin begins the next job, if one may begin.
func (q *Queue) begin(asked bool) bool {
	now := q.State()
	t, ok := now.Queue.Next()
	if !ok || q.Commands.Closing() || q.Engine() == nil || now.Shelf.Moving ||
		now.Shelf.Next != nil && now.Shelf.Hasty {
		return false
	}
	t.Model = q.modelOf(t) // what is left of it is that one's
	q.Change(func(s *state.State) {
		followed, films, view := s.Queue.Followed().Task.ID, s.Shots, s.View
		full := inference.Defaults(*s.Model, t.Request) // before the engine has looked at it
		pictures, before := len(full.Seeds), 0
		if full.Grid != nil {
			pictures, before = full.Grid.Len(), len(full.Grid.Made)
		}
		*s = s.Begin(t, pictures, full.Stop)
		s.Queue = s.Queue.ChangeFlight(t.ID, func(f *state.Flight) {
			f.Run.Subjects, f.Run.Norm, f.Run.Before = full.Subjects, full.Normalization(), before
		})
		if followed != 0 && !asked {
			*s = s.Follow(followed)
			s.View, s.Shots = view, films
		} else if s.View = view; asked || !s.Away() {
			s.View = state.View{Shot: -1, Step: -1}
		}
	})
	ctx, cancel := context.WithCancel(q.Context)
	one := &flight{cancel: cancel, leaving: t.Where != state.Here}
	if q.flights == nil {
		q.flights = map[int]*flight{}
	}
	q.flights[t.ID] = one
	engine, model := q.Engine(), now.Model.Name
	var runner Runner = engine
	unwanted := func() {}
	if t.Where != state.Here && q.Farm != nil {
		far := q.Farm.Runner(t)
		runner, unwanted = far, far.Drop
	}
	q.ahead()
	p := &pump{post: q.Post, apply: func(list []inference.Event) { q.apply(t.ID, list) }, pace: q.Pace}
	hints := inference.NoHints
	if q.Hints != nil {
		hints = q.Hints()
	}
	q.Background(func() func() {
		defer cancel()
		r, err := engine.Resolve(t.Request)
		var job inference.Job
		if err != nil {
			unwanted()
		} else {
			if !t.Checked {
				q.Journal.Amend(t.ID, r, model, t.Parents)
			}
			if e, ok := engine.(interface{ SetHints(inference.Hints) }); ok && t.Where != state.Far {
				e.SetHints(hints)
			}
			compared := r
			if s := q.Journal.Store(); s != nil && len(t.Parents) > 0 {
				compared = journal.WithAnchors(s, r, t.Parents)
			}
			job, err = runner.Start(ctx, compared)
		}
		if err != nil {
			q.Post(func() { one.refused = true })
			p.add(inference.Failed{Err: err})
			return nil
		}
		q.Journal.Enqueue(t.ID, r, model, t.Parents)
		if t.Where != state.Here {
			q.Journal.Place(t.ID, string(t.Where))
		}
		passes, _ := inference.Passes(*now.Model, r)
		q.Post(func() {
			if _, runs := q.State().Queue.Flight(t.ID); runs {
				one.job, _ = job.(inference.Pauser)
				one.leaving = false
				q.Change(func(s *state.State) {
					q.rests(s, t.ID)
					s.Queue = s.Queue.ChangeFlight(t.ID, func(f *state.Flight) { f.Task.Request, f.Task.Passes, f.Task.Checked = r, passes, true })
				})
				q.ahead()
			}
		})
		p.run(q.Journal.Record(t.ID, r, model, t.Parents, job.Events()))
		return nil
	})
	return true
}

// Follow has the stage follow a job that runs beside the one in view.
func (q *Queue) Follow(id int) {
	q.Change(func(s *state.State) { *s = s.Follow(id) })
}

// mostAhead is how many waiting jobs a farm has at most.
const mostAhead = 16

// ahead lets the farm have the next jobs that are for it.
func (q *Queue) ahead() {
	now := q.State()
	if q.Farm == nil || now.Queue.Paused || now.Queue.Away || q.Commands.Closing() {
		return
	}
	for _, one := range q.flights {
		if one.leaving {
			return
		}
	}
	for _, t := range now.Queue.Waiting[:min(len(now.Queue.Waiting), mostAhead)] {
		if t.Where != state.Here && t.Checked && t.Able() {
			q.Farm.Ahead(t)
		}
	}
}

// Bring has a waiting job made at another place.
func (q *Queue) Bring(id int, to state.Where) {
	if q.State().Queue.At(id) < 0 {
		return
	}
	if q.Farm != nil {
		q.Farm.Drop(id)
	}
	q.Journal.Place(id, string(to))
	q.Change(func(s *state.State) {
		s.Queue = s.Queue.Change(id, func(t *state.Task) { t.Where = to })
		q.Advance(true)
		q.ahead()
	})
}

// unfile takes back a job that waits.
func (q *Queue) unfile(id int) {
	q.Journal.Drop(id)
	if q.Farm != nil {
		q.Farm.Drop(id)
	}
}

// apply takes events of a job that runs.
func (q *Queue) apply(id int, events []inference.Event) {
	one := q.flights[id]
	q.Change(func(s *state.State) {
		for _, e := range events {
			f, _ := s.Queue.Flight(id)
			paused := s.Queue.Paused
			*s = s.Apply(id, e)
			q.OnEvent(e, f)
			switch e := e.(type) {
			case inference.PictureReady:
				one.made = append(one.made, e.Picture)
			case inference.Done:
				q.ended(s, f, paused, nil)
			case inference.Failed:
				var no state.NotTaken
				refused := errors.As(e.Err, &no)
				if (refused || errors.Is(e.Err, state.ErrRecalled)) && one.stopped == nil { // nobody has stopped it
					one.stopped = &stopped{back: true}
				}
				if errors.Is(e.Err, context.Canceled) {
					e.Err = nil
				}
				q.ended(s, f, paused || refused, e.Err)
			}
		}
		q.OnQuieter()
	})
}

// ended lets the next job begin. paused tells whether none was to begin before this one ended, and why is why it failed; nil: it did not.
func (q *Queue) ended(s *state.State, f state.Flight, paused bool, why error) {
	one := q.flights[f.Task.ID]
	delete(q.flights, f.Task.ID)
	if why != nil {
		*s = s.Refuse(f.Task, why)
	}
	if one.stopped != nil {
		one.stopped.paused = paused
		one.stopped.end(q, f.Task, one.made)
	}
	if one.refused || one.early { // once it waits again, if it does: no moment may lose it
		q.Journal.Drop(f.Task.ID)
	}
	q.Advance(false)
	q.ahead()
}

// rests has a job rest behind the step in work, or go on, as the queue does, where it can.
func (q *Queue) rests(s *state.State, id int) {
	if one := q.flights[id]; one != nil && one.job != nil {
		paused := s.Queue.Paused
		one.job.Pause(paused)
		s.Queue = s.Queue.ChangeFlight(id, func(f *state.Flight) { f.Run.Rests = paused })
	}
}

// Pause lets no other job begin, and those that run rest behind the step in work; or everything goes on.
func (q *Queue) Pause() {
	q.Change(func(s *state.State) {
		s.Queue.Paused = !s.Queue.Paused
		for _, t := range s.Queue.Running() {
			q.rests(s, t.ID)
		}
		q.Advance(true)
	})
}

// Hold lets others go before a waiting job, or not any more.
func (q *Queue) Hold(id int) {
	i := q.State().Queue.At(id)
	if i < 0 {
		return
	}
	held := !q.State().Queue.Waiting[i].Held
	q.Journal.Hold(id, held)
	q.Change(func(s *state.State) {
		s.Queue = s.Queue.Change(id, func(t *state.Task) { t.Held = held })
		q.Advance(true)
	})
}

// Move shifts a waiting job.
func (q *Queue) Move(id, by int) { q.reorder(id, q.State().Queue.Move(id, by)) }

// reorder takes over a queue in which a job has another place.
func (q *Queue) reorder(id int, next state.Queue) {
	if next.Chosen = id; next.At(id) >= 0 {
		q.Journal.Move(id, next.After(id))
	}
	q.Change(func(s *state.State) { s.Queue = next })
}

// unpark lets a job run again over which the program died twice.
func (q *Queue) unpark(id int) {
	if q.State().Queue.At(id) >= 0 {
		q.Journal.Unpark(id)
		q.Change(func(s *state.State) {
			s.Queue = s.Queue.Change(id, func(t *state.Task) { t.Parked = false })
			q.Advance(true)
		})
	}
}

// Kept is a job that waited when the program ended.
type Kept struct {
	journal.Waiting
	thumb image.Image // of its first reference; nil: none
}

// Read reads what waits in the history. It decodes pictures: not for the window's goroutine.
func Read(ctx context.Context, s *history.Store) ([]Kept, error) {
	waiting, err := journal.Queue(s)
	var list []Kept
	thumbs := state.QueueThumbs{}
	for _, one := range waiting {
		list = append(list, Kept{Waiting: one, thumb: thumbs.Of(ctx, one.Request)})
	}
	return list, err
}

// TakeUp takes over what waited when the program ended, now that a history is open. It waits on until the user lets it go on. What waits or
// runs already is written down before it: the history was not open when it was asked for, or has lost it.
func (q *Queue) TakeUp(kept []Kept) {
	q.Change(func(s *state.State) {
		own := slices.Clone(s.Queue.Waiting)
		for _, k := range kept {
			t := state.Task{
				Request: k.Request, Parents: k.Parents, Parked: k.Parked, Held: k.Held, Missing: k.Missing,
				Model: k.Model, Thumb: k.thumb,
				Where: state.Where(k.Where), Checked: true,
			}
			s.Queue, t.ID = s.Queue.Add(t, false)
			q.Journal.Adopt(t.ID, k.Waiting)
		}
		for _, t := range slices.Backward(own) {
			q.file(t, s.Queue.After(t.ID), 0)
		}
		first := 0
		if len(s.Queue.Waiting) > 0 {
			first = s.Queue.Waiting[0].ID
		}
		for _, f := range slices.Backward(s.Queue.Flights) {
			t, one := f.Task, q.flights[f.Task.ID]
			if one == nil || f.Run.Phase != state.Running { // it is being stopped
				continue
			}
			q.file(t, first, 0)
			first, one.early = t.ID, true
		}
		if s.Model != nil {
			s.Queue = s.Queue.For(*s.Model)
		}
		if len(kept) > 0 && !s.Busy() {
			s.Queue.Paused = true
		}
	})
}

// KeepRest has the jobs that run wait for the next start, before all others: the window closes. What they still make is not made again.
func (q *Queue) KeepRest() {
	for _, f := range slices.Backward(q.State().Queue.Flights) {
		if f.Run.Phase == state.Running { // who stops it wants no more of it
			q.Journal.Leave(f.Task.ID)
		}
	}
}
