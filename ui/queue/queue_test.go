package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/files"
	"realword/inference/guidance"
	"realword/inference/recipe"
	"realword/ui/kit"
	"realword/ui/state"
	"realword/ui/uitest"
)

func TestGenerateWhileRunningAddsToTheQueue(t *testing.T) {
	b := newBench(t, nil)
	b.ask("one")
	j := b.started()
	b.State.Form.Count = 3
	b.ask("two")
	b.ask("three")
	if b.prompts() != "two three" || b.title.Text != "2 jobs queued · 6 pictures" {
		t.Fatalf("%q wait, the panel says %q", b.prompts(), b.title.Text)
	}
	// Each has its own seeds, and the one on the screen is that of the last.
	two, three := b.State.Queue.Waiting[0].Request.Seeds, b.State.Queue.Waiting[1].Request.Seeds
	if len(two) != 3 || two[1] != (two[0]+1)%state.SeedLimit || two[0] == j.request.Seeds[0] || two[0] == three[0] || b.State.Form.Seed != three[0] {
		t.Errorf("seeds %v, %v and %v, shown %d", j.request.Seeds, two, three, b.State.Form.Seed)
	}
	second := b.rows[b.State.Queue.Waiting[1].ID]
	test.Tap(second.up)
	if b.prompts() != "three two" || !second.up.Disabled() || second.down.Disabled() {
		t.Errorf("%q wait", b.prompts())
	}
	b.State.Form.Prompt = "four"
	b.GenerateNext()
	b.checked()
	if b.prompts() != "four three two" {
		t.Errorf("%q wait", b.prompts())
	}
	b.Drop(b.State.Queue.Waiting[1].ID)
	b.finish(j, inference.Done{})
	j = b.started()
	if j.request.Prompt != "four" || b.prompts() != "two" {
		t.Errorf("%q runs, %q wait", j.request.Prompt, b.prompts())
	}
	test.Tap(b.running.pause)
	b.finish(j, inference.Done{})
	if b.State.Busy() || b.prompts() != "two" || b.running.prompt.Text != "Paused" {
		t.Errorf("a paused queue: busy %v, %q wait", b.State.Busy(), b.prompts())
	}
	test.Tap(b.running.pause)
	j = b.started()
	b.ask("five")
	b.StopAll()
	<-j.ctx.Done()
	b.finish(j, inference.Failed{Err: context.Canceled})
	if b.State.Busy() || b.prompts() != "" || b.State.Run().Err != nil {
		t.Errorf("after cancelling everything: busy %v, %q wait, %v", b.State.Busy(), b.prompts(), b.State.Run().Err)
	}
}

func TestQueueAfterAFailure(t *testing.T) {
	b := newBench(t, nil)
	b.ask("one")
	j := b.started()
	b.ask("two")
	b.finish(j, inference.Failed{Err: errors.New("the memory is full: close other programs")})
	if b.State.Busy() || b.prompts() != "two" || !b.State.Queue.Paused || b.State.Run().Err == nil {
		t.Errorf("busy %v, %q wait, paused %v, %v", b.State.Busy(), b.prompts(), b.State.Queue.Paused, b.State.Run().Err)
	}
	b.Pause()
	b.finish(b.started(), inference.Done{})

	// Stopping one is no failure.
	b.ask("three")
	j = b.started()
	b.ask("four")
	b.Stop()
	<-j.ctx.Done()
	b.finish(j, inference.Failed{Err: context.Canceled})
	if j = b.started(); j.request.Prompt != "four" {
		t.Errorf("%q runs", j.request.Prompt)
	}
	b.finish(j, inference.Done{})
}

// The stage goes on to the next job, unless the user looks at something else.
func TestQueueLeavesTheStageAlone(t *testing.T) {
	b := newBench(t, nil)
	for _, looking := range []bool{false, true} {
		b.ask("one")
		j := b.started()
		b.ask("two")
		b.send(j, inference.StageStarted{Stage: inference.StageDenoise})
		b.send(j, uitest.Step(0, 2, 1, 0))
		b.send(j, uitest.Picture(j.request, 0))
		if looking {
			b.State.View.Step = 0
		}
		view := b.State.View
		b.finish(j, inference.Done{})
		j = b.started()
		want := state.View{Shot: -1, Step: -1}
		if looking {
			want = view
		}
		if b.State.View != want {
			t.Errorf("looking at a step %v: view %+v, want %+v", looking, b.State.View, want)
		}
		b.finish(j, inference.Done{})
	}
}

func TestARunKnowsItsJob(t *testing.T) {
	b := newBench(t, nil)
	b.State.Queue, _ = b.State.Queue.Add(state.Task{Request: inference.Request{
		Prompt:   "a dog",
		Subjects: []inference.Subject{{Word: uitest.Word("dog"), References: []inference.Reference{{Name: "dog.png"}}}},
		Seeds:    []uint64{1}, Settings: inference.Settings{RawMask: true},
		Grid: &inference.Grid{Rows: inference.Axis{Key: inference.AxisSeed, Values: []string{"1", "2", "3", "4"}}, Made: []int{0, 1}},
	}}, false)
	b.Advance(true)
	j := b.started()
	run := b.State.Run()
	if len(run.Subjects) != 1 || run.Subjects[0].Word.Text != "dog" || run.Norm != guidance.Raw {
		t.Errorf("its subjects are %v, normalized by %v", run.Subjects, run.Norm)
	}
	if run.Pictures != 4 || run.Before != 2 || run.Number() != 3 {
		t.Errorf("picture %d of %d, %d were there", run.Number(), run.Pictures, run.Before)
	}
	b.finish(j, inference.Done{})
}

func TestQueueSurvivesARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	open := func() *history.Store {
		s, err := history.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	b := newBench(t, open())
	rex := uitest.PNG(uitest.Red)
	b.State.Form.Cards = []state.Card{{ID: 1, Word: uitest.Word("dog"), Ref: inference.Reference{Name: "dog.png", SHA256: files.Sum(rex), Data: rex}}}
	b.ask("a dog")
	j := b.started()
	b.ask("a dog two")
	b.ask("a dog three")
	b.ask("a dog four")
	b.Drop(b.State.Queue.Waiting[1].ID)
	b.Queue.Move(b.State.Queue.Waiting[1].ID, -1)
	if b.prompts() != "a dog four a dog two" {
		t.Fatalf("%q wait", b.prompts())
	}
	seed := b.State.Queue.Waiting[0].Request.Seeds[0]
	// The program is killed: nobody ends the running job.
	b.Until("all is written", func() bool { return !b.Journal.Working() })
	store := b.Journal.Store()
	b.Journal.Open(nil)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}

	s := open()
	kept, err := Read(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	c := newBench(t, s)
	c.TakeUp(kept)
	if got := c.prompts(); got != "a dog a dog four a dog two" || !c.State.Queue.Paused || c.State.Busy() {
		t.Fatalf("%q wait, paused %v", got, c.State.Queue.Paused)
	}
	again := c.State.Queue.Waiting[1].Request
	if again.Seeds[0] != seed || len(again.Subjects) != 1 || len(again.Subjects[0].References[0].Data) == 0 {
		t.Errorf("came back as %+v", again)
	}
	c.Pause()
	k := c.started()
	c.finish(k, inference.Done{})
	k = c.started()
	c.finish(k, inference.Done{})
	k = c.started()
	c.finish(k, inference.Done{})
	c.Until("all is written", func() bool { return !c.Journal.Working() })
	if jobs, err := c.Journal.Store().Jobs(); err != nil || len(jobs) != 0 {
		t.Errorf("%d jobs are left, %v", len(jobs), err)
	}
	rounds, err := c.Journal.Store().Rounds()
	if err != nil || len(rounds) != 4 || rounds[0].Status != history.Complete {
		t.Errorf("%d rounds, %v", len(rounds), err)
	}
	c.Settle()
	if err := c.Journal.Close(); err != nil {
		t.Error(err)
	}
	b.State.Queue.Waiting = nil
	b.finish(j, inference.Done{})
}

// Whenever the window closes or is killed, every job is there once at the next start, in its order, the running one first, unless its
// pictures are in files.
func TestEveryMomentKeepsTheQueue(t *testing.T) {
	const closed, killed = true, false
	for name, c := range map[string]struct {
		slow  bool // the engine does not look at jobs
		ask   int
		until func(b *bench) // what happens before
		end   bool           // the window closes; else it is killed
		after func(b *bench, j job)
		want  string
	}{
		"closed while the engine looks":    {slow: true, ask: 3, end: closed, want: "1 2 3"},
		"killed while the engine looks":    {slow: true, ask: 3, end: killed, want: "1 2 3"},
		"killed in a run":                  {ask: 3, end: killed, want: "1 2 3"},
		"closed in a step that takes long": {ask: 3, end: closed, want: "1 2 3"},
		"closed, then the job is cancelled": {ask: 3, end: closed, want: "1 2 3", after: func(b *bench, j job) {
			b.finish(j, inference.Failed{Err: context.Canceled})
		}},
		"closed, then the engine has gone": {ask: 3, end: closed, want: "1 2 3", after: func(b *bench, j job) {
			b.finish(j, inference.Failed{Err: errors.New("the engine is closed")})
		}},
		"closed, and nobody writes the picture": {ask: 2, end: closed, want: "1 2", after: func(b *bench, j job) {
			b.send(j, uitest.Picture(j.request, 0))
			b.finish(j, inference.Done{})
		}},
		"closed while it is paused": {ask: 2, end: closed, want: "1 2", until: (*bench).Pause, after: func(b *bench, j job) {
			b.finish(j, inference.Failed{Err: context.Canceled})
		}},
		"closed after it was stopped": {ask: 3, end: closed, want: "2 3", until: (*bench).Stop, after: func(b *bench, j job) {
			b.finish(j, inference.Failed{Err: context.Canceled})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "history.db")
			for range 3 { // it is no crash over the job, however often it happens
				s, err := history.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				kept, err := Read(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				b := newBench(t, s)
				var j job
				if c.slow {
					b.engine.looks = make(chan struct{})
				}
				if b.TakeUp(kept); len(kept) > 0 {
					if got := b.prompts(); got != c.want || kept[0].Parked {
						t.Fatalf("there wait %q, want %q; parked %v", got, c.want, kept[0].Parked)
					}
					if len(strings.Fields(c.want)) != c.ask {
						return
					}
					b.Pause()
				}
				for i := len(kept); i < c.ask; i++ {
					b.State.Form.Prompt = fmt.Sprint(i + 1)
					b.Generate()
				}
				if !c.slow {
					j = b.started()
					b.rest()
				}
				if c.until != nil {
					c.until(b)
				}
				if c.end == closed {
					b.KeepRest()
				}
				b.Commands.Closing = func() bool { return true }
				if c.after != nil {
					c.after(b, j)
				}
				b.Until("all is written", func() bool { return !b.Journal.Working() })
				b.Journal.Open(nil)
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if c.slow {
					b.engine.err = context.Canceled
					close(b.engine.looks)
				} else if c.after == nil {
					b.finish(j, inference.Failed{Err: context.Canceled})
				}
				if c.end == killed && !c.slow {
					break
				}
			}
			s, err := history.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			kept, err := Read(t.Context(), s)
			got := ""
			for _, k := range kept {
				got = strings.TrimSpace(got + " " + k.Request.Prompt)
			}
			if err != nil || got != c.want || len(kept) > 0 && kept[0].Parked {
				t.Errorf("there wait %q, want %q; %v", got, c.want, err)
			}
		})
	}
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
	tasks, err := Read(t.Context(), s)
	if err != nil || len(tasks) != 1 || len(tasks[0].Missing) != 1 || (state.Task{Missing: tasks[0].Missing}).Able() {
		t.Fatalf("%+v, %v", tasks, err)
	}
	b := newBench(t, nil)
	tasks[0].Missing, tasks[0].Parked = nil, true
	b.TakeUp(tasks)
	b.Refresh()
	b.Pause()
	row := b.rows[b.State.Queue.Waiting[0].ID]
	if b.State.Busy() || !row.run.Visible() || !strings.Contains(row.facts.Text, "twice") {
		t.Fatalf("busy %v, the row says %q", b.State.Busy(), row.facts.Text)
	}
	place := func() fyne.Position { return fyne.CurrentApp().Driver().AbsolutePositionForObject(row.run) }
	was := place()
	if row.point(true); !row.up.Visible() || place() != was {
		t.Errorf("under the pointer the button goes from %v to %v", was, place())
	}
	test.Tap(row.run)
	b.finish(b.started(), inference.Done{})
}

// A stop that is taken back and done again, back and forth, stops the job each time, and brings back what is left of it once.
func TestStopBackAndForth(t *testing.T) {
	stop := map[string]func(b *bench){"stop": func(b *bench) { b.Stop() }, "stop all": func(b *bench) { b.StopAll() }}
	for name, stop := range stop {
		b := newBench(t, nil)
		b.ask("one")
		j := b.started()
		stop(b)
		b.finish(j, inference.Failed{Err: context.Canceled})
		for range 2 {
			b.undo.Back()
			j = b.started()
			b.undo.Forward()
			if b.State.Run().Phase != state.Stopping || b.prompts() != "" {
				t.Fatalf("%s once more: phase %v, %q wait", name, b.State.Run().Phase, b.prompts())
			}
			<-j.ctx.Done()
			b.undo.Back() // before it has ended
			if b.prompts() != "" {
				t.Errorf("%s: the job is there twice", name)
			}
			b.undo.Forward()
			b.finish(j, inference.Failed{Err: context.Canceled})
			b.rest()
			if b.State.Busy() || b.prompts() != "" {
				t.Errorf("%s: it is there all the same: busy %v, %q wait", name, b.State.Busy(), b.prompts())
			}
		}
		b.undo.Back()
		j = b.started()
		b.send(j, uitest.Picture(j.request, 0))
		b.finish(j, inference.Done{})
		b.rest()
		b.undo.Forward()
		b.undo.Back()
		if b.State.Busy() || b.prompts() != "" {
			t.Errorf("%s: what was made meanwhile is made again: busy %v, %q wait", name, b.State.Busy(), b.prompts())
		}
	}
}

// A job that was removed and put back is stopped by removing it again where it runs by then, and comes back whole.
func TestDropBackAndForth(t *testing.T) {
	b := newBench(t, nil)
	b.ask("one")
	one := b.started()
	b.ask("two")
	b.Drop(b.State.Queue.Waiting[0].ID)
	b.undo.Back()
	b.finish(one, inference.Done{})
	two := b.started()
	if b.undo.Forward(); b.State.Run().Phase != state.Stopping {
		t.Fatalf("phase %v", b.State.Run().Phase)
	}
	<-two.ctx.Done()
	b.finish(two, inference.Failed{Err: context.Canceled})
	b.rest()
	if b.State.Busy() {
		t.Fatal("it runs all the same")
	}
	b.undo.Back()
	again := b.started()
	if again.request.Prompt != "two" || b.prompts() != "" {
		t.Errorf("%q runs, %q wait", again.request.Prompt, b.prompts())
	}
	b.finish(again, inference.Done{})
}

// What comes of a job that is refused, or fails, while another one runs is said with its prompt, and is nothing of the one that runs: that ends
// without an error, and where it is stopped the next one begins.
func TestRefusedWhileAnotherRuns(t *testing.T) {
	for name, end := range map[string]inference.Event{"done": inference.Done{Elapsed: 1}, "stopped": inference.Failed{Err: context.Canceled}} {
		b := newBench(t, nil)
		b.ask("one")
		j := b.started()
		b.ask("two")
		b.engine.small, b.engine.wrong = false, "bad"
		b.ask("a bad one")
		b.rest()
		if said := b.State.ActionErr; b.prompts() != "two" || said == nil || !strings.Contains(said.Error(), "“a bad one” failed: its word is not") {
			t.Errorf("%q wait, it says %v", b.prompts(), said)
		}
		if err := b.State.Run().Err; err != nil {
			t.Errorf("the job that runs says %v", err)
		}
		b.finish(j, end)
		next := b.started()
		if b.State.Queue.Paused || !b.State.Busy() {
			t.Errorf("%s: paused %v", name, b.State.Queue.Paused)
		}
		b.finish(next, inference.Done{Elapsed: 1})
		if b.State.Last.Err != nil {
			t.Errorf("%s: the last one says %v", name, b.State.Last.Err)
		}
	}
}

// What waits for a model that was inside an earlier version can be made with today's, one by one or all: sizes that were that model's own
// become today's, others stay. What today's cannot make waits on, and why is said.
func TestJobsOfTheEarlierModel(t *testing.T) {
	s, err := history.Open(filepath.Join(t.TempDir(), "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, one := range []struct {
		prompt, model string
		w, h          int
	}{
		{"one", "Realword Toybox", 128, 128},
		{"two", "Realword Toybox", 192, 128},
		{"three", "Realword Toybox", 128, 128},
		{"bad", "Realword Toybox", 128, 128},
	} {
		said, err := recipe.New(inference.Request{
			Prompt: one.prompt, Seeds: []uint64{7}, Settings: inference.Settings{Preset: "paper", Width: one.w, Height: one.h},
		}, one.model)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Enqueue(history.Plan{Recipe: said}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := Read(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, s)
	b.engine.small, b.engine.wrong = false, "bad"
	m := *uitest.Roomy
	m.Name, m.Size = "Realword Toybox 2", bundle.Size{Width: 256, Height: 256, Min: 64, Max: 512, Multiple: 32}
	b.State.Model = &m
	b.TakeUp(kept)
	b.Refresh()
	b.Win.Content().Resize(fyne.NewSize(400, 800))
	row := b.rows[b.State.Queue.Waiting[0].ID]
	if row.facts.Text != "for the earlier model" || row.run.Name != "Make with today's model" ||
		b.why.Text != "4 jobs were made for the earlier built-in model, which this version does not have." || b.foreign.Hidden {
		t.Fatalf("a row says %q and offers %q, the page says %q", row.facts.Text, row.run.Name, b.why.Text)
	}
	sizes := func() (list []string) {
		for _, t := range b.State.Queue.Waiting {
			needs := ""
			if t.Needs != "" {
				needs = " needs " + t.Needs
			}
			list = append(list, fmt.Sprintf("%s %dx%d%s", t.Request.Prompt, t.Request.Width, t.Request.Height, needs))
		}
		return list
	}
	test.Tap(row.run)
	b.Until("the first is another one", func() bool { return b.State.Queue.Waiting[0].Needs == "" })
	want := []string{"one 16x16", "two 192x128 needs Realword Toybox", "three 128x128 needs Realword Toybox", "bad 128x128 needs Realword Toybox"}
	if got := sizes(); !slices.Equal(got, want) {
		t.Errorf("after one: %q, want %q", got, want)
	}
	test.Tap(b.adopt)
	b.Until("the others are", func() bool { return b.State.Queue.Waiting[2].Needs == "" })
	want = []string{"one 16x16", "two 192x128", "three 16x16", "bad 128x128 needs Realword Toybox"}
	if got := sizes(); !slices.Equal(got, want) {
		t.Errorf("after all: %q, want %q", got, want)
	}
	if err := b.State.ActionErr; err == nil || err.Error() != "the job “bad” cannot be made with Realword Toybox 2: its word is not in the prompt" {
		t.Errorf("of the last it says %v", err)
	}
	if b.why.Text != "1 job was made for the earlier built-in model, which this version does not have." {
		t.Errorf("the page says %q", b.why.Text)
	}
	// It is taken back: they wait for their model again, as they were, in their places; and done again.
	if name := b.Panel.undo.Name; name != "Have “two” wait for its own model again" {
		t.Errorf("it offers %q", name)
	}
	test.Tap(&b.Panel.undo.Button)
	b.Until("all is written", func() bool { return !b.Journal.Working() })
	back := []string{"one 16x16", "two 192x128 needs Realword Toybox", "three 128x128 needs Realword Toybox", "bad 128x128 needs Realword Toybox"}
	if got := sizes(); !slices.Equal(got, back) {
		t.Errorf("taken back: %q, want %q", got, back)
	}
	if again, err := Read(t.Context(), s); err != nil || len(again) != 4 || again[1].Model != "Realword Toybox" || again[1].Request.Width != 192 {
		t.Errorf("taken back, the history has %+v, %v", again, err)
	}
	b.Adopt([]int{b.State.Queue.Waiting[1].ID, b.State.Queue.Waiting[2].ID})
	b.Until("they are again", func() bool { return b.State.Queue.Waiting[2].Needs == "" })
	if got := sizes(); !slices.Equal(got, want) {
		t.Errorf("once more: %q, want %q", got, want)
	}
	b.Until("all is written", func() bool { return !b.Journal.Working() })
	again, err := Read(t.Context(), s)
	if err != nil || len(again) != 4 || again[1].Model != "Realword Toybox 2" || again[0].Request.Width != 16 || again[3].Model != "Realword Toybox" {
		t.Errorf("the history has %+v, %v", again, err)
	}
	b.Pause() // they run now
	for _, want := range []string{"one", "two", "three"} {
		j := b.started()
		if j.request.Prompt != want {
			t.Errorf("%q runs, not %q", j.request.Prompt, want)
		}
		b.finish(j, inference.Done{})
	}
	b.Until("all is written", func() bool { return !b.Journal.Working() })
}

func TestQueueRowsAreDraggedAndMovedByKeys(t *testing.T) {
	b := newBench(t, nil)
	b.State.Form.Count = 3
	b.ask("one")
	j := b.started()
	for _, name := range []string{"two", "three", "four"} {
		b.ask(name)
	}
	b.checked()
	q := b.Panel
	b.Win.Content().Resize(fyne.NewSize(1240, 800))
	at := func(i int) *row { return q.rows[b.State.Queue.Waiting[i].ID] }
	middle := func(i int) fyne.Position {
		o := at(i).Tile
		return fyne.CurrentApp().Driver().AbsolutePositionForObject(o).AddXY(40, o.Size().Height/2)
	}
	if running := q.running; running.prompt.Text != "one" || running.facts.Text != "picture 1 of 3" || running.OnDragged != nil {
		t.Fatalf("the running job says %q, %q", running.prompt.Text, running.facts.Text)
	}
	drag := func(r *row, to fyne.Position) {
		e := &fyne.DragEvent{}
		e.AbsolutePosition = to
		r.Dragged(e)
		if q.mark.Hidden == kit.Covers(q.scroll, to) {
			t.Errorf("over the list %v, the line is hidden %v", kit.Covers(q.scroll, to), q.mark.Hidden)
		}
		r.DragEnd()
	}
	drag(at(2), middle(0).SubtractXY(0, 8))
	if b.prompts() != "four two three" {
		t.Fatalf("dragged to the top: %q", b.prompts())
	}
	drag(at(0), middle(1).AddXY(0, 8))
	if b.prompts() != "two four three" {
		t.Errorf("dragged below the next: %q", b.prompts())
	}
	drag(at(0), fyne.NewPos(500, 4))
	if b.prompts() != "two four three" || !b.Queue.Ghost.Image.Hidden {
		t.Errorf("dropped elsewhere: %q", b.prompts())
	}
	// The one that was moved last is the one that the keys move.
	b.Key("Alt+Down")
	if b.prompts() != "two three four" {
		t.Errorf("Alt+Down: %q", b.prompts())
	}
	b.Key("Alt+Up")
	b.Key("Alt+Up")
	if b.prompts() != "four two three" {
		t.Errorf("Alt+Up twice: %q", b.prompts())
	}
	at(1).Tapped(&fyne.PointEvent{})
	if !at(1).Chosen || at(0).Chosen || !at(1).Focused || !at(1).up.Visible() {
		t.Error("a job that was clicked is not chosen, or has no tools")
	}
	at(1).TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	if !at(2).Focused || b.State.Queue.Chosen != at(2).id {
		t.Error("Down does not go to the next job")
	}
	at(2).TypedKey(&fyne.KeyEvent{Name: fyne.KeyUp})
	at(1).TypedKey(&fyne.KeyEvent{Name: fyne.KeyDelete})
	if b.prompts() != "four three" || b.State.Queue.Target() != b.State.Queue.Waiting[1].ID || !at(1).Focused {
		t.Errorf("Del: %q, chosen %d", b.prompts(), b.State.Queue.Target())
	}
	b.send(j, inference.StageStarted{Stage: inference.StageDenoise})
	b.send(j, uitest.Picture(j.request, 0))
	b.send(j, inference.StageStarted{Stage: inference.StageDenoise, Picture: 1})
	if q.running.facts.Text != "picture 2 of 3" {
		t.Errorf("after the first picture: %q", q.running.facts.Text)
	}
	b.StopAll()
	<-j.ctx.Done()
	b.finish(j, inference.Failed{Err: j.ctx.Err()})
	if len(q.order) > 0 || !q.empty.Visible() || q.running.prompt.Text != "Nothing is running" || !q.running.pause.Disabled() || !q.running.stop.Disabled() {
		t.Error("an empty queue shows jobs")
	}
}

// far is a farm whose jobs the test sends, like those of its engine.
type far struct {
	engine  *engine
	ahead   []int
	dropped []int
	ran     []state.Where
	shared  int
	lost    atomic.Int32 // jobs that were to begin, and did not
}

// farRunner is the runner of one job of a far.
type farRunner struct {
	*engine
	of *far
}

func (r farRunner) Drop() { r.of.lost.Add(1) }

func (f *far) Runner(t state.Task) FarRunner {
	f.ran = append(f.ran, t.Where)
	return farRunner{f.engine, f}
}
func (f *far) Ahead(t state.Task) { f.ahead = append(f.ahead, t.ID) }
func (f *far) Drop(task int)      { f.dropped = append(f.dropped, task) }
func (f *far) Share()             { f.shared++ }

// A job goes where the user chose: those for a farm are handed over ahead, and wait while it is away, without keeping others back.
func TestJobsForAFarm(t *testing.T) {
	s, err := history.Open(filepath.Join(t.TempDir(), "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, s)
	t.Cleanup(func() { _ = b.Journal.Close() })
	f := &far{engine: &engine{started: make(chan job, 1)}}
	b.Panel.Farm = f
	b.State.Farm = state.Farm{Joined: true, Where: state.Far}
	b.State.Queue.Away = false
	b.ask("far")
	b.ask("later")
	b.ask("last")
	ids := []int{b.State.Queue.Waiting[0].ID, b.State.Queue.Waiting[1].ID}
	b.Until("those that wait are handed over", func() bool { return slices.Equal(slices.Compact(slices.Sorted(slices.Values(f.ahead))), ids) })
	if len(f.ran) != 1 {
		t.Errorf("%v ran", f.ran)
	}
	if row := b.rows[ids[0]]; !strings.HasPrefix(row.facts.Text, "on the farm") {
		t.Errorf("the row says %q", row.facts.Text)
	}
	b.Drop(ids[1])
	j := uitest.Next(b.Until, "the farm has begun", f.engine.started)
	if j.request.Prompt != "far" || f.ran[0] != state.Far {
		t.Errorf("%q runs at %v", j.request.Prompt, f.ran)
	}
	b.House.Change(func(s *state.State) {
		s.Queue.Flights[0].Run.Makers = []state.Maker{{Picture: 0, Computer: "studio", Step: 3, Steps: 25}}
	})
	if row := b.running; !strings.HasPrefix(row.facts.Text, "studio") {
		t.Errorf("the running row says %q", row.facts.Text)
	}
	b.House.Change(func(s *state.State) {
		run := &s.Queue.Flights[0].Run
		run.Makers, run.Waits, run.Remaining = nil, true, 6*time.Second
	})
	if row := b.running; !strings.HasPrefix(row.facts.Text, "waiting for a computer of the farm · ") || strings.Contains(row.facts.Text, "left") {
		t.Errorf("without a computer the running row says %q", row.facts.Text)
	}

	b.State.Queue.Away = true
	b.State.Farm.Where = state.Here
	b.finish(j, inference.Done{})
	b.ask("local")
	if local := b.started(); local.request.Prompt != "local" || b.prompts() != "later" {
		t.Errorf("%q runs, %q wait", local.request.Prompt, b.prompts())
	} else {
		b.finish(local, inference.Done{})
	}
	if row := b.rows[ids[0]]; b.State.Busy() || !strings.HasSuffix(row.facts.Text, "waiting for the farm") {
		t.Errorf("busy %v, the row says %q", b.State.Busy(), row.facts.Text)
	}
	// It survives the program as a job for the farm, and can be brought here.
	b.Settle()
	kept, err := Read(t.Context(), b.Journal.Store())
	if err != nil || len(kept) != 1 || kept[0].Where != string(state.Far) {
		t.Errorf("kept %+v, %v", kept, err)
	}
	b.Bring(ids[0], state.Here)
	if local := b.started(); local.request.Prompt != "later" || !slices.Contains(f.dropped, ids[0]) {
		t.Errorf("%q runs, %v were taken back", local.request.Prompt, f.dropped)
	} else {
		b.finish(local, inference.Done{})
	}
}

// Jobs for a farm that is not there say why they wait, and can share this computer's queue or be made here.
func TestJobsWithoutTheirFarm(t *testing.T) {
	b := newBench(t, nil)
	f := &far{engine: &engine{started: make(chan job, 1)}}
	b.Panel.Farm = f
	b.State.Queue.Away = true
	b.Refresh()
	if b.ways.Visible() || b.running.prompt.Text != "Nothing is running" {
		t.Errorf("an empty queue says %q", b.running.prompt.Text)
	}
	b.State.Farm = state.Farm{Joined: true, Where: state.Far}
	b.ask("one")
	b.ask("two")
	b.ask("three")
	b.House.Change(func(s *state.State) { s.Farm = state.Farm{} })
	if r := b.running; !b.ways.Visible() || r.prompt.Text != "Waiting for the farm" || r.facts.Text != "This computer does not share its queue." {
		t.Errorf("%q, %q", r.prompt.Text, r.facts.Text)
	}
	b.House.Change(func(s *state.State) { s.Farm.Why = "The port is taken." })
	if b.Refresh(); b.running.facts.Text != "The port is taken." {
		t.Errorf("%q", b.running.facts.Text)
	}
	if test.Tap(b.share); f.shared != 1 {
		t.Errorf("shared %d times", f.shared)
	}
	b.House.Change(func(s *state.State) { s.Farm.Elsewhere = true })
	if b.Refresh(); b.share.Visible() || b.running.facts.Text != "The farm does not answer; its jobs wait." {
		t.Errorf("another's farm: %q", b.running.facts.Text)
	}
	test.Tap(b.here)
	for _, want := range []string{"one", "two", "three"} {
		j := b.started()
		if j.request.Prompt != want || b.ways.Visible() {
			t.Errorf("%q runs, want %q", j.request.Prompt, want)
		}
		b.finish(j, inference.Done{})
	}
	if len(f.ran) != 0 {
		t.Errorf("%v ran on the farm", f.ran)
	}
}

// TestJobsShareTheirPictures: of a night's jobs with the same photographs each file is read once, and one of each job is decoded, once for all.
func TestJobsShareTheirPictures(t *testing.T) {
	s, err := history.Open(filepath.Join(t.TempDir(), "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := inference.Request{Prompt: "a dog", Subjects: []inference.Subject{{Word: uitest.Word("dog")}}}
	for _, data := range [][]byte{[]byte("no picture"), uitest.PNG(uitest.Red), uitest.PNG(uitest.Green)} {
		r.Subjects[0].References = append(r.Subjects[0].References, inference.Reference{Name: "dog.png", SHA256: files.Sum(data), Data: data})
	}
	for i := range uint64(3) {
		r.Seeds = []uint64{i}
		plan, err := journal.PlanOf(s, 0, r, "toybox")
		if err == nil {
			_, err = s.Enqueue(plan, time.Now())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	kept, err := Read(t.Context(), s)
	if err != nil || len(kept) != 3 {
		t.Fatal(len(kept), err)
	}
	for _, k := range kept {
		for i, ref := range k.Request.Subjects[0].References {
			if first := kept[0].Request.Subjects[0].References[i]; !bytes.Equal(ref.Data, r.Subjects[0].References[i].Data) || &ref.Data[0] != &first.Data[0] {
				t.Errorf("file %d: other bytes, or bytes of its own for every job", i)
			}
		}
		if k.thumb == nil || k.thumb != kept[0].thumb {
			t.Error("a job has no small picture, or one of its own")
		}
	}
	thumbs := state.QueueThumbs{}
	if thumbs.Of(t.Context(), r); len(thumbs) != 2 { // the broken one, and the first that can be read
		t.Errorf("%d of 3 files were decoded", len(thumbs))
	}
}

// turning is something that the form gets when it is settled.
type turning func()

func (t turning) Take() { t() }

// TestAJobHasWhatIsSeen: a job is made of the form as it is once all that is shown has been taken, also where a button asks for it.
func TestAJobHasWhatIsSeen(t *testing.T) {
	b := newBench(t, nil)
	b.State.Queue.Paused = true
	b.Panel.Commands.Pending = append(b.Panel.Commands.Pending, turning(func() {
		b.Change(func(s *state.State) { s.Form.Prompt = "a dog on the beach" })
	}))
	if b.ask("a dog"); b.prompts() != "a dog on the beach" {
		t.Errorf("the job is %q", b.prompts())
	}
}
