package ui

import (
	"realword/inference"
	"realword/ui/kit"
	"realword/ui/queue"
)

// queueHost is what the room of the jobs needs of the window.
func (w *Window) queueHost(ghost *kit.Ghost) queue.Host {
	return queue.Host{
		State: w.state.Now, Change: w.state.Change, Journal: w.journal, Layers: &w.Layers, Commands: w.Commands, Ghost: ghost,
		Context: w.ctx, Post: w.post, Background: w.background,
		Engine: func() queue.Engine {
			if e := w.models.Engine(); e != nil {
				return e
			}
			return nil
		},
		Before: func(do func()) {
			w.set.Before(func() {
				w.set.Book.Note()
				do()
			})
		},
		Hints:     func() inference.Hints { return hints(w.prefs.Likeness) },
		OnEvent:   w.happened,
		OnQuieter: func() { w.models.Follow() },
	}
}

// happened follows an event of the running job.
func (w *Window) happened(e inference.Event) {
	w.bell.end(e, w.state.State)
	switch e := e.(type) {
	case inference.StepDone:
		w.dog.step()
	case inference.PictureReady:
		w.saver.Save(e)
		if w.closing {
			w.queue.KeepRest()
		}
		w.stage.Beside(w.state.Queue.Running)
	}
}
