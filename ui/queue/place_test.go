package queue

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"realword/history"
	"realword/inference"
	"realword/ui/state"
	"realword/ui/uitest"
)

// on is where an object is in the window.
func on(o fyne.CanvasObject) fyne.Position {
	return fyne.CurrentApp().Driver().AbsolutePositionForObject(o)
}

// TestNothingMovesUnderThePointer (fault 16): pictures finish, jobs end, others begin and are added, and what the pointer is about to press
// stays where it is and keeps what it does. Once the pointer is gone the list closes up.
func TestNothingMovesUnderThePointer(t *testing.T) {
	b := newBench(t, nil)
	b.State.Form.Count = 2
	b.ask("one")
	j := b.started()
	for _, name := range []string{"two", "three", "four", "five"} {
		b.ask(name)
	}
	b.Win.Content().Resize(fyne.NewSize(280, 560))
	four := b.rows[b.State.Queue.Waiting[2].ID]
	things := []fyne.CanvasObject{b.running.pause, b.running.stop, b.Panel.undo, b.clear, four.Tile, four.out}
	var was []fyne.Position
	for _, o := range things {
		was = append(was, on(o))
	}
	same := func(when string) {
		t.Helper()
		b.rest()
		for i, o := range things {
			if on(o) != was[i] {
				t.Errorf("%s: thing %d has moved from %v to %v", when, i, was[i], on(o))
			}
		}
	}
	four.Tile.MouseIn(&desktop.MouseEvent{})
	four.Tile.MouseOut()
	four.out.MouseIn(&desktop.MouseEvent{})
	for i := range 2 {
		b.send(j, inference.StageStarted{Stage: inference.StageDenoise, Picture: i})
		b.send(j, inference.Progress{Pass: 1, Passes: 10, Remaining: time.Minute})
		same("a step")
		b.send(j, uitest.Picture(j.request, i))
		same("a picture")
	}
	b.finish(j, inference.Done{})
	j = b.started()
	same("the next job")
	b.State.Form.Count = 1
	b.ask("six")
	same("a job more")
	b.finish(j, inference.Done{})
	j = b.started()
	same("two jobs have begun")
	if got := fmt.Sprint(len(b.order), b.order[0].begun, b.order[1].begun, b.order[2].begun); got != "5 true true false" {
		t.Errorf("the list is %s", got)
	}
	test.Tap(four.out)
	if b.prompts() != "five six" {
		t.Errorf("the wrong job is removed: %q wait", b.prompts())
	}
	four.out.MouseOut()
	b.rest()
	if len(b.order) != 2 || b.order[0].begun {
		t.Errorf("without the pointer the list is %+v", b.order)
	}
	b.StopAll()
	b.finish(j, inference.Failed{Err: j.ctx.Err()})
}

// TestRowsOfTheQueue: they have one height, whatever their jobs are, and four and more are seen in the smallest window.
func TestRowsOfTheQueue(t *testing.T) {
	b := newBench(t, nil)
	b.ask("one")
	j := b.started()
	for i := range 9 {
		b.State.Form.Count = 1 + 7*i
		b.ask(fmt.Sprint("a dog on the beach, in the evening, and a cat beside it ", i))
	}
	b.Change(func(s *state.State) {
		s.Queue = s.Queue.Change(s.Queue.Waiting[0].ID, func(t *state.Task) { t.Missing = []string{"rex.png"} })
		s.Queue.Chosen = s.Queue.Waiting[1].ID
	})
	for size, least := range map[fyne.Size]int{{Width: 252, Height: 560}: 8, {Width: 176, Height: 330}: 4} { // of 1240×800 and 960×600
		b.Win.Content().Resize(size)
		seen := 0
		for _, r := range b.rows {
			if r.Tile.Size().Height != rowHeight || r.Tile.MinSize().Height > rowHeight {
				t.Errorf("a row is %g high, and wants %g", r.Tile.Size().Height, r.Tile.MinSize().Height)
			}
			if y := r.Tile.Position().Y; y >= 0 && y+rowHeight <= b.scroll.Size().Height {
				seen++
			}
		}
		if seen < least {
			t.Errorf("%d rows are seen in %v", seen, size)
		}
	}
	b.StopAll()
	b.finish(j, inference.Failed{Err: j.ctx.Err()})
}

// TestWhatIsTakenOutComesBack: a job that was removed, one that was stopped and all of them, by undo, where they were and with what they
// have not made; and again by redo. The history has them in the same order.
func TestWhatIsTakenOutComesBack(t *testing.T) {
	store, err := history.Open(filepath.Join(t.TempDir(), "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, store)
	want := func(when, prompts string) {
		t.Helper()
		b.rest()
		if b.prompts() != prompts {
			t.Errorf("%s: %q wait, want %q", when, b.prompts(), prompts)
		}
		b.Until(when+": the history has the same", func() bool {
			jobs, err := Read(t.Context(), store)
			var kept []string
			for _, k := range jobs {
				kept = append(kept, k.Request.Prompt)
			}
			return err == nil && strings.Join(kept, " ") == prompts
		})
	}
	b.State.Form.Count = 3
	b.ask("one")
	j := b.started()
	for _, name := range []string{"two", "three", "four"} {
		b.ask(name)
	}
	b.Drop(b.State.Queue.Waiting[1].ID)
	if b.Panel.undo.Disabled() || b.Panel.undo.Name != "Put “three” back into the queue" {
		t.Errorf("what was removed cannot be put back: %q", b.Panel.undo.Name)
	}
	want("removed", "two four")
	b.undo.Back()
	want("undone", "two three four")
	b.undo.Forward()
	want("redone", "two four")
	test.Tap(b.Panel.undo)
	want("by its button", "two three four")
	if !b.Panel.undo.Disabled() {
		t.Error("there is nothing left to undo")
	}

	b.send(j, inference.StageStarted{Stage: inference.StageDenoise})
	b.send(j, uitest.Picture(j.request, 0))
	first := j.request.Seeds
	b.StopAll()
	<-j.ctx.Done()
	b.finish(j, inference.Failed{Err: j.ctx.Err()})
	want("all cancelled", "")
	b.undo.Back()
	j = b.started()
	if j.request.Prompt != "one" || !slices.Equal(j.request.Seeds, first[1:]) {
		t.Errorf("%q with the seeds %d runs, want %d", j.request.Prompt, j.request.Seeds, first[1:])
	}
	want("all undone", "two three four")

	// Undone before it has ended: it goes on, with all that it has to make.
	b.Stop()
	b.undo.Back()
	b.finish(j, inference.Failed{Err: j.ctx.Err()})
	j = b.started()
	if !slices.Equal(j.request.Seeds, first[1:]) {
		t.Errorf("the seeds %d run, want %d", j.request.Seeds, first[1:])
	}
	want("stopped and undone", "two three four")
	rounds, err := store.Rounds()
	made := 0
	for _, r := range rounds {
		for _, p := range r.Pictures {
			if p.Seed == first[0] {
				made++
			}
		}
	}
	if err != nil || made == 0 {
		t.Errorf("the finished picture of the cancelled job is gone: %d, %v", made, err)
	}
	b.StopAll()
	b.finish(j, inference.Failed{Err: j.ctx.Err()})
	b.rest()
	if err := b.Journal.Close(); err != nil {
		t.Error(err)
	}
}

// TestPauseAndHold: the running job rests as soon as it can, a held job lets others go first, also after a restart.
func TestPauseAndHold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	store, err := history.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, store)
	b.ask("one")
	j := b.started()
	b.rest()
	if uitest.Next(b.Until, "it is told whether to rest", j.paused) {
		t.Error("it begins with a rest")
	}
	test.Tap(b.running.pause)
	if !uitest.Next(b.Until, "it is told to rest", j.paused) || b.running.pause.Name != "Resume the queue" {
		t.Error("it does not rest")
	}
	test.Tap(b.running.pause)
	if uitest.Next(b.Until, "it is told whether to rest", j.paused) {
		t.Error("it does not go on")
	}
	b.ask("two")
	b.ask("three")
	two := b.rows[b.State.Queue.Waiting[0].ID]
	two.choose()
	test.Tap(two.hold)
	if two.hold.Name != "Resume this job" {
		t.Errorf("its button says %q", two.hold.Name)
	}
	b.finish(j, inference.Done{})
	j = b.started()
	if j.request.Prompt != "three" || b.prompts() != "two" {
		t.Errorf("%q runs, %q wait", j.request.Prompt, b.prompts())
	}
	b.finish(j, inference.Done{})
	b.rest()
	if kept, err := Read(t.Context(), store); err != nil || len(kept) != 1 || !kept[0].Held {
		t.Errorf("kept are %+v, %v", kept, err)
	}
	b.Key("Alt+Up")
	b.Hold(b.State.Queue.Waiting[0].ID)
	b.finish(b.started(), inference.Done{})
	b.rest()
	if err := b.Journal.Close(); err != nil {
		t.Error(err)
	}
}

// TestWhatARowSays: how many pictures, how long they take at the pace of the last run, and where they are made.
func TestWhatARowSays(t *testing.T) {
	b := newBench(t, nil)
	b.ask("one")
	j := b.started()
	b.State.Form.Count = 12
	b.ask("two")
	b.rest()
	passes := b.State.Queue.Waiting[0].Passes
	if passes < 12*25 {
		t.Fatalf("12 pictures of 25 steps take %d passes", passes)
	}
	b.send(j, inference.Progress{Pass: 1, Passes: 11, Remaining: 10 * 600 * time.Second / time.Duration(passes)})
	b.Change(func(s *state.State) {
		s.Queue = s.Queue.Change(s.Queue.Waiting[0].ID, func(t *state.Task) { t.Where = state.First })
	})
	r := b.rows[b.State.Queue.Waiting[0].ID]
	if want := "here or on the farm · 12 pictures · about 10 min"; r.facts.Text != want {
		t.Errorf("a row says %q, want %q", r.facts.Text, want)
	}
	if want := "two, here or on the farm · 12 pictures · about 10 min"; r.Tile.AccessibilityLabel() != want {
		t.Errorf("a screen reader says %q, want %q", r.Tile.AccessibilityLabel(), want)
	}
	if want := "1 job queued · 12 pictures · about 10 min"; b.title.Text != want {
		t.Errorf("over the list stands %q, want %q", b.title.Text, want)
	}
	b.StopAll()
	b.finish(j, inference.Failed{Err: j.ctx.Err()})
}

// TestRowsAreToldApart: what differs is said first, also by a screen reader, and of jobs that are alike the seed.
func TestRowsAreToldApart(t *testing.T) {
	b := newBench(t, nil)
	b.ask("a dog")
	j := b.started()
	b.ask("a dog")
	b.State.Form.Steps = 12
	b.State.Form.Count = 2
	b.ask("a dog")
	b.rest()
	var rows []string
	for _, w := range b.State.Queue.Waiting {
		rows = append(rows, b.rows[w.ID].facts.Text)
	}
	if want := "25 steps · seed " + ending(b.State.Queue.Waiting[0].Request.Seeds[0]) + " | 12 steps · 2 pictures"; strings.Join(rows, " | ") != want {
		t.Errorf("the rows say %q, want %q", rows, want)
	}
	if got := ending(12345) + " " + ending(1234567890); got != "12345 …7890" {
		t.Errorf("seeds end as %q", got)
	}
	b.finish(j, inference.Done{})
	j = b.started()
	b.finish(j, inference.Done{})
	j = b.started()
	b.StopAll()
	b.finish(j, inference.Failed{Err: j.ctx.Err()})
}

// TestAHundredJobs: with 100 jobs of 100 pictures only what is seen is drawn, at the end of the list as well, and showing a step costs
// little.
func TestAHundredJobs(t *testing.T) {
	b := newBench(t, nil)
	b.Win.Content().Resize(fyne.NewSize(280, 560))
	b.Change(func(s *state.State) {
		for n := range 100 {
			task := state.Task{Request: inference.Request{Prompt: fmt.Sprint("a dog ", n)}, Passes: 6200}
			for i := range 100 {
				task.Request.Seeds = append(task.Request.Seeds, uint64(100*n+i))
			}
			s.Queue, _ = s.Queue.Add(task, false)
		}
		s.Queue.Paused = true
	})
	if len(b.rows) == 0 || len(b.rows) > 12 || len(b.list.Objects) != len(b.rows) {
		t.Errorf("%d rows are drawn", len(b.rows))
	}
	if want := "100 jobs queued · 10,000 pictures"; b.title.Text != want {
		t.Errorf("over the list stands %q, want %q", b.title.Text, want)
	}
	b.scroll.ScrollToOffset(fyne.NewPos(0, 99*b.pitch()))
	b.scroll.Refresh()
	b.fill()
	if r := b.rows[b.State.Queue.Waiting[99].ID]; r == nil || r.prompt.Text != "a dog 99" || len(b.rows) > 12 {
		t.Errorf("at the end %d rows are drawn, the last one %v", len(b.rows), r != nil)
	}
	began := time.Now()
	const times = 50
	for range times {
		b.Refresh()
	}
	each := time.Since(began) / times
	t.Logf("the page is shown in %v", each)
	if each > 50*time.Millisecond {
		t.Errorf("the page is shown in %v", each)
	}
	b.Key("Alt+Up")
	if at := b.State.Queue.At(b.State.Queue.Chosen); at != 98 {
		t.Errorf("the last job is at %d", at)
	}
}

// TestTheQuestionGoesWithTheJobs: whether all jobs are to end is not asked any more once they have ended.
func TestTheQuestionGoesWithTheJobs(t *testing.T) {
	b := newBench(t, nil)
	b.ask("one")
	j := b.started()
	test.Tap(b.clear)
	if b.Layers.Open() != 1 {
		t.Fatal("it does not ask")
	}
	b.finish(j, inference.Done{})
	if n := b.Layers.Open(); n != 0 {
		t.Errorf("%d things are open when all jobs have ended", n)
	}
}
