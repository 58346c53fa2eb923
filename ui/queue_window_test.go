package ui

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2/test"

	"realword/history"
	"realword/inference"
	"realword/inference/recipe"
	"realword/ui/state"
	"realword/ui/uitest"
)

// prompts are the waiting rounds by their prompts.
func (b *bench) prompts() string {
	var list []string
	for _, t := range b.state.Queue.Waiting {
		list = append(list, t.Request.Prompt)
	}
	return strings.Join(list, " ")
}

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
	var j fakeJob
	b.until("a round has begun", func() bool {
		select {
		case j = <-b.engine.started:
			return true
		default:
			return false
		}
	})
	return j
}

// finish ends a job while others may wait.
func (b *bench) finish(j fakeJob, e inference.Event) {
	b.t.Helper()
	id := b.state.Queue.Running.ID
	j.events <- e
	close(j.events)
	b.until("the round has ended", func() bool { return b.state.Queue.Running.ID != id })
}

func TestGenerateWhileRunningAddsToTheQueue(t *testing.T) {
	b := ready(t, nil)
	b.ask("one")
	j := b.started()
	if b.queue.box.Visible() {
		t.Error("a queue is shown where none is")
	}
	b.state.Form.Count = 3
	b.ask("two")
	b.ask("three")
	if b.prompts() != "two three" || !b.queue.box.Visible() || b.queue.title.Text != "2 jobs queued" {
		t.Fatalf("%q wait, the panel says %q", b.prompts(), b.queue.title.Text)
	}
	// Each has its own seeds, and the one on the screen is that of the last.
	two, three := b.state.Queue.Waiting[0].Request.Seeds, b.state.Queue.Waiting[1].Request.Seeds
	if len(two) != 3 || two[1] != (two[0]+1)%state.SeedLimit || two[0] == j.request.Seeds[0] || two[0] == three[0] || b.state.Form.Seed != three[0] {
		t.Errorf("seeds %v, %v and %v, shown %d", j.request.Seeds, two, three, b.state.Form.Seed)
	}
	second := b.queue.byID[b.state.Queue.Waiting[1].ID]
	test.Tap(second.up)
	if b.prompts() != "three two" || !second.up.Disabled() || second.down.Disabled() {
		t.Errorf("%q wait", b.prompts())
	}
	b.subjects.PromptChanged("four")
	b.generateNext()
	b.settleQueue()
	if b.prompts() != "four three two" {
		t.Errorf("%q wait", b.prompts())
	}
	b.dropTask(b.state.Queue.Waiting[1].ID)
	b.finish(j, inference.Done{})
	j = b.started()
	if j.request.Prompt != "four" || b.prompts() != "two" {
		t.Errorf("%q runs, %q wait", j.request.Prompt, b.prompts())
	}
	test.Tap(b.queue.pause)
	b.finish(j, inference.Done{})
	if b.state.Busy() || b.prompts() != "two" || b.queue.note.Hidden || b.set.Generate.Text != "Add to queue" {
		t.Errorf("a paused queue: busy %v, %q wait", b.state.Busy(), b.prompts())
	}
	test.Tap(b.queue.pause)
	j = b.started()
	b.ask("five")
	b.stopAll()
	<-j.ctx.Done()
	b.finish(j, inference.Failed{Err: context.Canceled})
	if b.state.Busy() || b.prompts() != "" || b.state.Run.Err != nil {
		t.Errorf("after cancelling everything: busy %v, %q wait, %v", b.state.Busy(), b.prompts(), b.state.Run.Err)
	}
}

// settleQueue waits until every waiting round is checked.
func (b *bench) settleQueue() {
	b.t.Helper()
	b.until("the rounds are checked", func() bool {
		return !slices.ContainsFunc(b.state.Queue.Waiting, func(t state.Task) bool { return t.Request.Width == 0 })
	})
}

func TestQueueAfterAFailure(t *testing.T) {
	b := ready(t, nil)
	b.ask("one")
	j := b.started()
	b.ask("two")
	b.finish(j, inference.Failed{Err: errors.New("the memory is full: close other programs")})
	if b.state.Busy() || b.prompts() != "two" || !b.state.Queue.Paused || !strings.Contains(b.set.Reasons.Text, "memory") {
		t.Errorf("busy %v, %q wait, paused %v, %q", b.state.Busy(), b.prompts(), b.state.Queue.Paused, b.set.Reasons.Text)
	}
	b.pauseQueue()
	b.finish(b.started(), inference.Done{})

	// Stopping one is no failure.
	b.ask("three")
	j = b.started()
	b.ask("four")
	test.Tap(b.set.Halt)
	<-j.ctx.Done()
	b.finish(j, inference.Failed{Err: context.Canceled})
	if j = b.started(); j.request.Prompt != "four" {
		t.Errorf("%q runs", j.request.Prompt)
	}
	b.finish(j, inference.Done{})
}

// The stage goes on to the next round, unless the user looks at something else.
func TestQueueLeavesTheStageAlone(t *testing.T) {
	b := ready(t, nil)
	for _, looking := range []bool{false, true} {
		b.ask("one")
		j := b.started()
		b.ask("two")
		b.send(j, inference.StageStarted{Stage: inference.StageDenoise})
		b.send(j, uitest.Step(0, 2, 1, 0))
		b.send(j, uitest.Picture(j.request, 0))
		if looking {
			b.stage.ShowStep(0)
		}
		view := b.state.View
		b.finish(j, inference.Done{})
		j = b.started()
		want := state.View{Shot: -1, Step: -1}
		if looking {
			want = view
		}
		if b.state.View != want {
			t.Errorf("looking at a step %v: view %+v, want %+v", looking, b.state.View, want)
		}
		b.finish(j, inference.Done{})
	}
}

func TestQueueSurvivesARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	open := func(o *Options) {
		o.OpenHistory = func() (*history.Store, error) { return history.Open(path) }
	}
	b := ready(t, open)
	b.until("the history is open", func() bool { return b.state.History.Open })
	b.drop(nil, uitest.File(t, "dog.png", uitest.PNG(uitest.Red)))
	b.subjects.PromptChanged("a dog")
	test.Tap(b.chipOf(1))
	test.Tap(b.set.Generate)
	j := b.started()
	b.ask("a dog two")
	b.ask("a dog three")
	b.ask("a dog four")
	b.dropTask(b.state.Queue.Waiting[1].ID)
	b.moveTask(b.state.Queue.Waiting[1].ID, -1)
	if b.prompts() != "a dog four a dog two" {
		t.Fatalf("%q wait", b.prompts())
	}
	seed := b.state.Queue.Waiting[0].Request.Seeds[0]
	// The program is killed: nobody ends the running round.
	b.until("all is written", func() bool { return !b.journal.Working() })
	store := b.journal.Store()
	b.journal.Open(nil)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}

	c := ready(t, open)
	c.until("the history is open", func() bool { return c.state.History.Open })
	if got := c.prompts(); got != "a dog a dog four a dog two" || !c.state.Queue.Paused || c.state.Busy() {
		t.Fatalf("%q wait, paused %v", got, c.state.Queue.Paused)
	}
	again := c.state.Queue.Waiting[1].Request
	if again.Seeds[0] != seed || len(again.Subjects) != 1 || len(again.Subjects[0].References[0].Data) == 0 {
		t.Errorf("came back as %+v", again)
	}
	c.pauseQueue()
	k := c.started()
	c.finish(k, inference.Done{})
	k = c.started()
	c.finish(k, inference.Done{})
	k = c.started()
	c.finish(k, inference.Done{})
	c.until("all is written", func() bool { return !c.journal.Working() })
	if jobs, err := c.journal.Store().Jobs(); err != nil || len(jobs) != 0 {
		t.Errorf("%d jobs are left, %v", len(jobs), err)
	}
	rounds, err := c.journal.Store().Rounds()
	if err != nil || len(rounds) != 4 || rounds[0].Status != history.Complete {
		t.Errorf("%d rounds, %v", len(rounds), err)
	}
	c.settle()
	if err := c.journal.Close(); err != nil {
		t.Error(err)
	}
	b.state.Queue = b.state.Queue.Clear()
	b.finish(j, inference.Done{})
}

func TestQueueParksWhatKillsTheProgram(t *testing.T) {
	s, err := history.Open(filepath.Join(t.TempDir(), "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	recipe, _ := recipe.New(inference.Request{Prompt: "a dog", Subjects: []inference.Subject{{
		Word:       inference.Word{Text: "dog"},
		References: []inference.Reference{{Name: "rex.png", SHA256: strings.Repeat("ab", 32)}},
	}}}, "toybox")
	if _, err := s.Enqueue(history.Plan{Recipe: recipe}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Enqueue(history.Plan{Recipe: []byte(`{"schema":99}`)}, time.Now()); err != nil {
		t.Fatal(err)
	}
	tasks, err := keptQueue(s)
	if err != nil || len(tasks) != 1 || len(tasks[0].Missing) != 1 || (state.Task{Missing: tasks[0].Missing}).Able() {
		t.Fatalf("%+v, %v", tasks, err)
	}
	b := ready(t, nil)
	tasks[0].Missing, tasks[0].Parked = nil, true
	b.takeUpQueue(tasks)
	b.refresh()
	b.pauseQueue()
	row := b.queue.byID[b.state.Queue.Waiting[0].ID]
	if b.state.Busy() || !row.run.Visible() || !strings.Contains(row.about.Text, "twice") {
		t.Fatalf("busy %v, the row says %q", b.state.Busy(), row.about.Text)
	}
	test.Tap(row.run)
	b.finish(b.started(), inference.Done{})
}
