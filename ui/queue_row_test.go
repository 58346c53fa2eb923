package ui

import (
	"math/rand/v2"
	"slices"
	"testing"

	"fyne.io/fyne/v2"

	"realword/inference"
	"realword/ui/command"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/subjects"
	"realword/ui/uitest"
)

// A list of numbers, moved by hand, is what the queue must agree with.
func TestQueuePlacesAgreeWithAList(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var q state.Queue
	var model []int
	for range 2000 {
		switch n := len(model); rng.IntN(4) {
		case 0:
			var id int
			first := rng.IntN(2) == 0
			q, id = q.Add(state.Task{}, first)
			if first {
				model = slices.Insert(model, 0, id)
			} else {
				model = append(model, id)
			}
		case 1:
			if n == 0 {
				continue
			}
			id, place := model[rng.IntN(n)], rng.IntN(n+1)
			q = q.Place(id, place)
			// Whatever stood before the place still stands before it.
			var before []int
			for _, have := range model[:place] {
				if have != id {
					before = append(before, have)
				}
			}
			rest := slices.DeleteFunc(slices.Clone(model), func(have int) bool { return have == id })
			model = slices.Insert(rest, len(before), id)
		case 2:
			if n > 8 {
				id := model[rng.IntN(n)]
				q.Chosen = id
				i := slices.Index(model, id)
				q, model = q.Remove(id), slices.Delete(model, i, i+1)
				if i < len(model) && q.Target() != model[i] {
					t.Fatalf("%d is chosen after its neighbour went, want %d", q.Target(), model[i])
				}
			}
		}
		var got []int
		for _, task := range q.Waiting {
			got = append(got, task.ID)
		}
		if !slices.Equal(got, model) {
			t.Fatalf("the queue is %v, want %v", got, model)
		}
		if len(model) > 0 && !slices.Contains(model, q.Target()) {
			t.Fatalf("%d is chosen of %v", q.Target(), model)
		}
	}
}

func TestQueueRowsAreDraggedAndMovedByKeys(t *testing.T) {
	b := ready(t, nil)
	b.state.Form.Count = 3
	b.ask("one")
	j := b.started()
	for _, name := range []string{"two", "three", "four"} {
		b.ask(name)
	}
	b.settleQueue()
	q := b.queue
	b.win.Content().Resize(fyne.NewSize(1240, 800))
	row := func(i int) *queueRow { return q.byID[b.state.Queue.Waiting[i].ID] }
	middle := func(i int) fyne.Position {
		o := row(i).Tile
		return fyne.CurrentApp().Driver().AbsolutePositionForObject(o).AddXY(40, o.Size().Height/2)
	}
	running := q.byID[b.state.Queue.Running.ID]
	if running == nil || running.about.Text != "picture 1 of 3" || len(running.pictures.Objects) != 3 || running.OnDragged != nil {
		t.Fatalf("the running round is shown as %+v", running)
	}
	if got, want := row(0).about.Text, "3 pictures · seeds "+state.SeedList(b.state.Queue.Waiting[0].Request.Seeds); got != want {
		t.Errorf("a round says %q, want %q", got, want)
	}
	drag := func(r *queueRow, to fyne.Position) {
		e := &fyne.DragEvent{}
		e.AbsolutePosition = to
		r.Dragged(e)
		if q.mark.Hidden == subjects.Covers(q.box, to) {
			t.Errorf("over the list %v, the line is hidden %v", subjects.Covers(q.box, to), q.mark.Hidden)
		}
		r.DragEnd()
	}
	drag(row(2), middle(0).SubtractXY(0, 8))
	if b.prompts() != "four two three" {
		t.Fatalf("dragged to the top: %q", b.prompts())
	}
	drag(row(0), middle(1).AddXY(0, 8))
	if b.prompts() != "two four three" {
		t.Errorf("dragged below the next: %q", b.prompts())
	}
	drag(row(0), fyne.NewPos(500, 400))
	if b.prompts() != "two four three" || !b.ghost.Image.Hidden {
		t.Errorf("dropped on the stage: %q", b.prompts())
	}
	// The one that was moved last is the one that the keys move.
	b.Press(mustStroke(t, "Alt+Down"))
	if b.prompts() != "two three four" {
		t.Errorf("Alt+Down: %q", b.prompts())
	}
	b.Press(mustStroke(t, "Alt+Up"))
	b.Press(mustStroke(t, "Alt+Up"))
	if b.prompts() != "four two three" {
		t.Errorf("Alt+Up twice: %q", b.prompts())
	}
	row(1).Tapped(&fyne.PointEvent{})
	if !row(1).Chosen || row(0).Chosen || row(1).pictures.Hidden || len(row(1).pictures.Objects) != 3 || !row(0).pictures.Hidden {
		t.Error("the chosen round does not show its pictures")
	}
	row(1).TypedKey(&fyne.KeyEvent{Name: fyne.KeyDelete})
	if b.prompts() != "four three" || b.state.Queue.Target() != b.state.Queue.Waiting[1].ID {
		t.Errorf("Del: %q, chosen %d", b.prompts(), b.state.Queue.Target())
	}
	b.send(j, inference.StageStarted{Stage: inference.StageDenoise})
	b.send(j, uitest.Picture(j.request, 0))
	b.send(j, inference.StageStarted{Stage: inference.StageDenoise, Picture: 1})
	if got := running.pictures.Objects[0].(*fyne.Container).Objects[1].(*fyne.Container).Objects[0].(*kit.Line).Text; got[:len("✓")] != "✓" || running.about.Text != "picture 2 of 3" {
		t.Errorf("the first picture says %q, the round %q", got, running.about.Text)
	}
	b.stopAll()
	<-j.ctx.Done()
	b.finish(j, inference.Failed{Err: j.ctx.Err()})
	if !q.box.Hidden {
		t.Error("an empty queue is shown")
	}
}

func mustStroke(t *testing.T, key string) command.Stroke {
	t.Helper()
	s, err := command.ParseStroke(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
