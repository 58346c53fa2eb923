package ui

import (
	"context"
	"errors"
	"image"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/ui/state"
)

// generate puts a round with what the form says at the end of the queue.
func (w *Window) generate() { w.enqueue(false) }

// generateNext puts it before all that wait.
func (w *Window) generateNext() { w.enqueue(true) }

func (w *Window) enqueue(first bool) {
	if len(w.state.Reasons()) > 0 || w.closing {
		return
	}
	w.set.Before(func() { w.queueRound(first) })
}

// queueRound puts the round that the form describes into the queue.
func (w *Window) queueRound(first bool) {
	// The seed on the screen is the one that the round takes. It stays there until the next one needs another.
	if f := &w.state.Form; f.Spent && !f.KeepSeed {
		f.Seed = state.DrawSeed()
	}
	w.state.Form.Spent = true
	t := state.Task{Request: w.state.Form.Request(), Parents: w.state.Form.Parents(), Thumb: w.state.Form.Thumb(), Model: w.state.Model.Name}
	w.put(t, first)
}

// put has a round wait for its turn.
func (w *Window) put(t state.Task, first bool) {
	w.state.Queue, t.ID = w.state.Queue.Add(t, first)
	w.state.ActionErr = nil
	if w.advance(true); w.state.Queue.At(t.ID) >= 0 {
		w.keepTask(t, w.state.Queue.After(t.ID))
	}
	w.refresh()
}

// keepTask checks a round that waits and writes it down, so that it survives the program; before is the one behind it, 0 at the end.
func (w *Window) keepTask(t state.Task, before int) {
	engine, model := w.engine, w.state.Model.Name
	w.background(func() func() {
		r, err := engine.Resolve(t.Request)
		if err == nil {
			w.journal.Enqueue(t.ID, r, model, t.Parents)
			if before != 0 {
				w.journal.Move(t.ID, before)
			}
		}
		return func() {
			if err != nil && w.state.Queue.At(t.ID) >= 0 {
				w.state.Queue = w.state.Queue.Remove(t.ID)
				w.state.Run.Err = err
			} else {
				w.state.Queue = w.state.Queue.Change(t.ID, func(t *state.Task) { t.Request = r })
			}
			w.refresh()
		}
	})
}

// advance begins the next round, if one may begin. asked tells that the user wants it now; else who looks at an older picture
// goes on looking.
func (w *Window) advance(asked bool) {
	t, ok := w.state.Queue.Next()
	if !ok || w.closing || w.engine == nil || w.state.Busy() || w.state.Shelf.Moving || w.state.Shelf.Next != nil && w.state.Shelf.Hasty {
		return
	}
	view := w.state.View
	w.state.Queue = w.state.Queue.Begin(t.ID)
	full := inference.Defaults(*w.state.Model, t.Request) // before the engine has looked at it
	w.state = w.state.Begin(len(full.Seeds), full.Stop)
	w.state.Run.Subjects, w.state.Run.Norm = full.Subjects, full.Normalization()
	if elsewhere := view.Shot >= 0 && (view.Step >= 0 || view.Shot < len(w.state.Shots)-1); elsewhere && !asked {
		w.state.View = view
	}
	ctx, cancel := context.WithCancel(w.ctx)
	w.cancel = cancel
	engine, model := w.engine, w.state.Model.Name
	p := &pump{post: w.post, apply: w.apply, pace: w.pace}
	w.background(func() func() {
		defer cancel()
		r, err := engine.Resolve(t.Request)
		var job inference.Job
		if err == nil {
			job, err = engine.Start(ctx, r)
		}
		if err != nil {
			w.journal.Drop(t.ID)
			p.add(inference.Failed{Err: err})
			return nil
		}
		w.journal.Enqueue(t.ID, r, model, t.Parents)
		w.post(func() {
			if w.state.Queue.Running.ID == t.ID {
				w.state.Queue.Running.Request = r
			}
		})
		p.run(w.journal.Record(t.ID, r, model, t.Parents, job.Events()))
		return nil
	})
}

// stop cancels the run; what is done so far stays on the stage, and the next round begins.
func (w *Window) stop() {
	if w.state.Run.Phase != state.Running {
		return
	}
	w.state.Run.Phase = state.Stopping
	w.cancel()
	w.refresh()
}

// stopAll cancels the run and takes out all that wait.
func (w *Window) stopAll() {
	for _, t := range w.state.Queue.Waiting {
		w.journal.Drop(t.ID)
	}
	w.state.Queue = w.state.Queue.Clear()
	w.stop()
	w.refresh()
}

// apply takes events of the running job.
func (w *Window) apply(events []inference.Event) {
	for _, e := range events {
		w.state = w.state.Apply(e)
		w.tellEnd(e)
		switch e := e.(type) {
		case inference.StepDone:
			w.dog.step()
		case inference.PictureReady:
			w.save(e)
			if w.closing {
				w.keepRest()
			}
			w.stage.Beside(w.state.Queue.Running)
		case inference.Done:
			w.state.Queue = w.state.Queue.End(false)
			w.advance(false)
		case inference.Failed:
			w.state.Queue = w.state.Queue.End(!errors.Is(e.Err, context.Canceled))
			w.advance(false)
		}
	}
	w.models.Follow()
	w.refresh()
}

// pauseQueue lets no other round begin, or goes on.
func (w *Window) pauseQueue() {
	w.state.Queue.Paused = !w.state.Queue.Paused
	w.advance(true)
	w.refresh()
}

// dropTask takes a waiting round out.
func (w *Window) dropTask(id int) {
	if w.state.Queue.At(id) >= 0 {
		w.journal.Drop(id)
		w.state.Queue = w.state.Queue.Remove(id)
		if len(w.state.Queue.Waiting) == 0 {
			w.state.Queue.Paused = false
		}
		w.refresh()
	}
}

// moveTask shifts a waiting round.
func (w *Window) moveTask(id, by int) { w.reorder(id, w.state.Queue.Move(id, by)) }

// reorder takes over a queue in which a round has another place.
func (w *Window) reorder(id int, q state.Queue) {
	w.state.Queue = q
	w.state.Queue.Chosen = id
	if w.state.Queue.At(id) >= 0 {
		w.journal.Move(id, w.state.Queue.After(id))
	}
	w.refresh()
}

// unpark lets a round run again over which the program died twice.
func (w *Window) unpark(id int) {
	if w.state.Queue.At(id) >= 0 {
		w.journal.Unpark(id)
		w.state.Queue = w.state.Queue.Change(id, func(t *state.Task) { t.Parked = false })
		w.advance(true)
		w.refresh()
	}
}

// keptTask is a round that waited when the program ended.
type keptTask struct {
	journal.Waiting
	thumb image.Image // of its first reference; nil: none
}

// keptQueue reads what waits in the history. It decodes pictures: not for the window's goroutine.
func keptQueue(s *history.Store) ([]keptTask, error) {
	waiting, err := journal.Queue(s)
	var list []keptTask
	for _, one := range waiting {
		t := keptTask{Waiting: one}
		for _, subject := range one.Request.Subjects {
			for _, ref := range subject.References {
				if small, err := state.ReadThumb(ref.Data, state.QueueThumb); err == nil && t.thumb == nil {
					t.thumb = small
				}
			}
		}
		list = append(list, t)
	}
	return list, err
}

// takeUpQueue takes over what waited when the program ended. It waits on until the user lets it go on.
func (w *Window) takeUpQueue(kept []keptTask) {
	for _, k := range kept {
		t := state.Task{Request: k.Request, Parents: k.Parents, Parked: k.Parked, Missing: k.Missing, Model: k.Model, Thumb: k.thumb}
		w.state.Queue, t.ID = w.state.Queue.Add(t, false)
		w.journal.Adopt(t.ID, k.Waiting)
	}
	if w.state.Model != nil {
		w.state.Queue = w.state.Queue.For(*w.state.Model)
	}
	if len(kept) > 0 && !w.state.Busy() {
		w.state.Queue.Paused = true
	}
}
