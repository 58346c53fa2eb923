package ui

import (
	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/ui/uitest"
)

func (b *bench) ask(prompt string) {
	b.t.Helper()
	b.subjects.PromptChanged(prompt)
	test.Tap(b.set.Generate)
	b.until("the round is checked", func() bool {
		for _, t := range b.state.Queue.Waiting {
			if t.Request.Width == 0 { // Resolve fills it in
				return false
			}
		}
		return true
	})
}

func (b *bench) started() fakeJob {
	b.t.Helper()
	return uitest.Next(b.until, "a round has begun", b.engine.started)
}

// finish ends a job while others may wait.
func (b *bench) finish(j fakeJob, e inference.Event) {
	b.t.Helper()
	id := b.state.Queue.Running.ID
	j.events <- e
	close(j.events)
	b.until("the round has ended", func() bool { return b.state.Queue.Running.ID != id })
}
