package ui

import (
	"fmt"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/inference/plain"
	"realword/ui/kit"
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
	id := b.state.Queue.Followed().Task.ID
	j.events <- e
	close(j.events)
	b.until("the round has ended", func() bool { return b.state.Queue.Followed().Task.ID != id })
}

// TestLookTheQueueHasAPlace: its own page beside the settings, that its tab and its key open, with four and more rows of one height in the
// smallest window; the tab counts the jobs, and Generate stays where it is.
func TestLookTheQueueHasAPlace(t *testing.T) {
	plain.Run(t)
	b := ready(t, nil)
	b.ask("one")
	j := b.started()
	for i := range 12 {
		b.ask(fmt.Sprint("a dog on the beach ", i))
	}
	if name := b.columns.tabs.pills[queueTab].Name; name != "Queue · 13" {
		t.Errorf("the tab says %q", name)
	}
	place := func(o fyne.CanvasObject) fyne.Position {
		return fyne.CurrentApp().Driver().AbsolutePositionForObject(o)
	}
	for size, least := range map[fyne.Size]int{fyne.NewSize(1240, 800): 8, fyne.NewSize(960, 560): 4} {
		b.columns.tabs.show(settingsTab)
		b.layOut(size)
		was := place(b.set.Generate)
		b.Do("view.queue")
		if b.queue.Root.Hidden || place(b.set.Generate) != was {
			t.Errorf("%v: the queue is hidden %v, Generate at %v, was at %v", size, b.queue.Root.Hidden, place(b.set.Generate), was)
		}
		b.layOut(size)
		end, seen, high := place(b.set.Action).Y, 0, float32(0)
		walk(b.queue.Root, func(o fyne.CanvasObject) {
			if r, ok := o.(*kit.Tile); ok && r.OnDragged != nil {
				if high == 0 {
					high = r.Size().Height
				}
				if r.Size().Height != high {
					t.Errorf("rows are %g and %g high", high, r.Size().Height)
				}
				if place(r).Y+high <= end {
					seen++
				}
			}
		})
		if seen < least {
			t.Errorf("%d rows are seen in %v", seen, size)
		}
	}
	b.Do("view.right")
	b.Do("view.queue")
	if b.columns.folded().right || b.queue.Root.Hidden {
		t.Error("with the panel folded away, the key does not show the queue")
	}
	b.Do("view.queue")
	if !b.queue.Root.Hidden {
		t.Error("the key does not lead back to the settings")
	}
	b.queue.StopAll()
	b.finish(j, inference.Failed{Err: j.ctx.Err()})
}

// TestUndoGoesThroughJobsAndSettings: what was done last is undone first, a job that was removed between two changes of the settings too.
func TestUndoGoesThroughJobsAndSettings(t *testing.T) {
	b := ready(t, nil)
	b.ask("one")
	j := b.started()
	b.ask("two")
	b.ask("three")
	b.win.Canvas().Unfocus()
	steps := b.state.Form.Steps
	b.set.Steps.Slider.OnChanged(20)
	b.queue.Drop(b.state.Queue.Waiting[0].ID)
	b.set.Steps.Slider.OnChanged(15)
	for _, want := range []string{"20 [1] 3", "20 [1] 4 3", fmt.Sprint(steps, " [1] 4 3")} {
		b.Do("edit.undo")
		if got := fmt.Sprint(b.state.Form.Steps, " ", describeIn(b.state.Queue)); got != want {
			t.Errorf("after an undo: %s, want %s", got, want)
		}
	}
	for _, want := range []string{"20 [1] 4 3", "20 [1] 3", "15 [1] 3"} {
		b.Do("edit.redo")
		if got := fmt.Sprint(b.state.Form.Steps, " ", describeIn(b.state.Queue)); got != want {
			t.Errorf("after a redo: %s, want %s", got, want)
		}
	}
	b.queue.StopAll()
	b.finish(j, inference.Failed{Err: j.ctx.Err()})
}
