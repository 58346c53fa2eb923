package queue

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"

	"realword/history"
	"realword/inference"
	"realword/ui/state"
	"realword/ui/uitest"
)

// farmBench is the room with a farm, and a history.
func farmBench(t *testing.T) (*bench, *far) {
	t.Helper()
	s, err := history.Open(filepath.Join(t.TempDir(), "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, s)
	t.Cleanup(func() { _ = b.Journal.Close() })
	f := &far{engine: &engine{started: make(chan job, 4)}}
	b.Panel.Farm = f
	b.State.Farm = state.Farm{Joined: true}
	b.State.Queue.Away = false
	return b, f
}

// at asks for a job at a place, and answers it once it has begun there.
func (b *bench) at(f *far, where state.Where, prompt string) job {
	b.t.Helper()
	b.State.Farm.Where = where
	b.ask(prompt)
	if where == state.Far {
		return uitest.Next(b.Until, "a job has begun on the farm", f.engine.started)
	}
	return b.started()
}

// runs are the jobs that run, with what is made and the steps of the picture in work, the one that the stage follows first.
func (b *bench) runs() string {
	var list []string
	for _, f := range b.State.Queue.Flights {
		list = append(list, fmt.Sprintf("%s %d+%d", f.Task.Request.Prompt, f.Run.Made, len(f.Run.Film)))
	}
	return strings.Join(list, ", ")
}

func (b *bench) want(what, want string) {
	b.t.Helper()
	if got := b.runs(); got != want {
		b.t.Errorf("%s: %q run, want %q", what, got, want)
	}
}

// TestJobsSideBySide: a job here and one on the farm run at once; each has its own steps and pictures, and the stage follows the one that was
// asked for last, or chosen.
func TestJobsSideBySide(t *testing.T) {
	b, f := farmBench(t)
	away := b.at(f, state.Far, "far")
	b.send(away, inference.StageStarted{Stage: inference.StageDenoise})
	b.send(away, uitest.Step(0, 4, 2, 1))
	b.want("one", "far 0+1")
	here := b.at(f, state.Here, "here")
	b.want("a job here does not wait for the farm's", "here 0+0, far 0+1")
	b.send(here, inference.StageStarted{Stage: inference.StageDenoise})
	for i := range 3 {
		b.send(here, uitest.Step(i, 4, 2, 1))
	}
	b.send(away, uitest.Step(1, 4, 2, 1))
	b.want("each has its steps", "here 0+3, far 0+2")
	if film, _ := b.State.Film(); len(film) != 3 || b.State.View.Shot >= 0 {
		t.Errorf("the stage shows %d steps of picture %d", len(film), b.State.View.Shot)
	}
	b.State.Farm.Where = state.Far
	b.ask("farther") // the farm has one computer
	b.State.Farm.Where = state.Here
	b.ask("nearer")
	b.want("no more begin", "here 0+3, far 0+2")
	if n, _ := b.Jobs(); n != 4 || b.prompts() != "farther nearer" {
		t.Errorf("%d jobs, %q wait", n, b.prompts())
	}
	if row := b.others[0]; len(b.beside.Objects) != 1 || row.prompt.Text != "far" || !b.beside.Visible() || b.running.prompt.Text != "here" {
		t.Errorf("the rows say %q beside %q", row.prompt.Text, b.running.prompt.Text)
	}
	// A picture of the other job is in the strip, and the stage goes on to show this one's.
	b.send(away, uitest.Picture(away.request, 0))
	if len(b.State.Shots) != 1 || b.State.View.Shot >= 0 {
		t.Errorf("%d pictures, %d is in view", len(b.State.Shots), b.State.View.Shot)
	}
	b.want("made", "here 0+3, far 1+2")
	test.Tap(b.others[0].Tile)
	b.want("chosen", "far 1+2, here 0+3")
	if b.running.prompt.Text != "far" || b.others[0].prompt.Text != "here" {
		t.Errorf("the rows say %q beside %q", b.others[0].prompt.Text, b.running.prompt.Text)
	}
	b.finish(away, inference.Done{Pictures: 1})
	farther := uitest.Next(b.Until, "the next one begins on the farm", f.engine.started)
	if farther.request.Prompt != "farther" {
		t.Errorf("%q begins", farther.request.Prompt)
	}
	b.want("the stage follows what was beside", "here 0+3, farther 0+0")
	b.send(here, uitest.Picture(here.request, 0))
	if shot := b.State.Shot(); shot == nil || len(shot.Film) != 3 {
		t.Errorf("the finished picture is not in view: %+v", b.State.View)
	}
	b.finish(here, inference.Done{Pictures: 1})
	nearer := b.started()
	b.want("its place is the farm's", "farther 0+0, nearer 0+0")
	b.finish(nearer, inference.Done{})
	b.finish(farther, inference.Done{})
	if b.want("the end", ""); b.State.Busy() || len(b.flights) > 0 || b.beside.Visible() {
		t.Errorf("something runs yet: %+v", b.State.Run().Phase)
	}
}

// TestWhatBeginsIsOnTheFarmFirst: jobs that wait are handed over only once the one that begins is.
func TestWhatBeginsIsOnTheFarmFirst(t *testing.T) {
	b, f := farmBench(t)
	b.State.Farm.Where = state.Far
	f.engine.started = make(chan job) // handing over takes its time
	b.ask("one")
	b.ask("two")
	b.Until("two is checked", func() bool { return b.State.Queue.Waiting[0].Checked })
	if len(f.ahead) != 0 {
		t.Fatalf("%v overtake the job that begins", f.ahead)
	}
	one := uitest.Next(b.Until, "one", f.engine.started)
	b.Until("two is handed over", func() bool { return len(f.ahead) == 1 })
	b.finish(one, inference.Done{})
	b.finish(uitest.Next(b.Until, "two", f.engine.started), inference.Done{})
}

// TestWhatCannotBeginIsTakenBack from the farm, which may make it since it waited: its LoRA is gone, say, when its turn comes.
func TestWhatCannotBeginIsTakenBack(t *testing.T) {
	b, f := farmBench(t)
	one := b.at(f, state.Far, "one")
	b.ask("two")
	b.Until("two is handed over", func() bool { return len(f.ahead) > 0 })
	b.engine.wrong = "two"
	b.finish(one, inference.Done{})
	b.Until("it is said", func() bool { return !b.State.Busy() && b.State.Last.Err != nil })
	if f.lost.Load() != 1 || len(f.ran) != 2 {
		t.Errorf("%d of %d jobs were to begin and did not", f.lost.Load(), len(f.ran))
	}
}

// TestSeveralComputersMakeSeveralJobs at once.
func TestSeveralComputersMakeSeveralJobs(t *testing.T) {
	b, f := farmBench(t)
	b.State.Farm.Where, b.State.Queue.Slots = state.Far, 2
	for _, p := range []string{"one", "two", "three"} {
		b.ask(p)
	}
	one, two := uitest.Next(b.Until, "one", f.engine.started), uitest.Next(b.Until, "two", f.engine.started)
	if b.prompts() != "three" {
		t.Errorf("%q wait", b.prompts())
	}
	b.House.Change(func(s *state.State) { s.Queue.Slots = 3 })
	b.Advance(false)
	three := uitest.Next(b.Until, "three", f.engine.started)
	b.want("asked for", "two 0+0, three 0+0, one 0+0")
	for _, j := range []job{three, one, two} {
		b.finish(j, inference.Done{})
	}
}

// TestWhatIsTakenBackWaits: the farm was left, and what it has not made of a job begins again once there is a farm; what the user has
// stopped meanwhile does not.
func TestWhatIsTakenBackWaits(t *testing.T) {
	b, f := farmBench(t)
	b.State.Queue.Slots, b.State.Form.Count = 2, 3
	stopped := b.at(f, state.Far, "stopped")
	b.StopJob(b.State.Queue.Followed().Task.ID)
	away := b.at(f, state.Far, "far")
	b.send(away, uitest.Picture(away.request, 1)) // the first one cannot be made there
	b.House.Change(func(s *state.State) { s.Queue.Away = true })
	b.finish(stopped, inference.Failed{Err: state.ErrRecalled})
	b.finish(away, inference.Failed{Err: state.ErrRecalled})
	if b.want("taken back", ""); b.prompts() != "far" || b.State.Queue.Paused || b.State.ActionErr != nil || b.State.Last.Err != nil {
		t.Fatalf("%q wait, paused %v, %v, %v", b.prompts(), b.State.Queue.Paused, b.State.ActionErr, b.State.Last.Err)
	}
	b.rest()
	kept, err := Read(t.Context(), b.Journal.Store())
	if err != nil || len(kept) != 1 || len(kept[0].Request.Seeds) != 2 || kept[0].Where != string(state.Far) {
		t.Errorf("the history has %d jobs, %v", len(kept), err)
	}
	b.House.Change(func(s *state.State) { s.Queue.Away = false })
	b.Advance(false)
	again := uitest.Next(b.Until, "it begins again", f.engine.started)
	if seeds := away.request.Seeds; !slices.Equal(again.request.Seeds, []uint64{seeds[0], seeds[2]}) {
		t.Errorf("seeds %v are made of %v", again.request.Seeds, away.request.Seeds)
	}
	f.engine.err = state.ErrRecalled // before it is handed over
	b.finish(again, inference.Done{})
	b.House.Change(func(s *state.State) { s.Queue.Away = true })
	b.ask("later")
	b.House.Change(func(s *state.State) { s.Queue.Away = false })
	b.Advance(false)
	b.House.Change(func(s *state.State) { s.Queue.Away = true })
	b.Until("it waits again", func() bool { return !b.State.Busy() && b.prompts() == "later" })
}

// TestWhatAFarmDoesNotTakeWaits: a farm whose store is full does not take a job. It waits again where it was, in the history too, the queue
// with it, and why is said; once there is room it is made.
func TestWhatAFarmDoesNotTakeWaits(t *testing.T) {
	b, f := farmBench(t)
	kept := func(want int) {
		t.Helper()
		b.rest()
		if list, err := Read(t.Context(), b.Journal.Store()); err != nil || len(list) != want {
			t.Errorf("the history has %d jobs, want %d, %v", len(list), want, err)
		}
	}
	f.engine.err = state.NotTaken{Err: errors.New("the farm's store is full")}
	b.State.Farm.Where = state.Far
	b.ask("much")
	b.Until("it waits again", func() bool { return !b.State.Busy() && b.prompts() == "much" })
	if said := b.State.Last.Err; !b.State.Queue.Paused || said == nil || said.Error() != "the job “much” waits again, and so does the queue: the farm's store is full" {
		t.Errorf("paused %v, it says %v", b.State.Queue.Paused, said)
	}
	kept(1)
	b.State.Farm.Where = state.Here
	b.ask("here")
	b.Pause()
	here := b.started()
	b.Until("it waits once more", func() bool { return len(b.State.Queue.Flights) == 1 && b.prompts() == "much" })
	if said := b.State.ActionErr; !b.State.Queue.Paused || said == nil || strings.Contains(said.Error(), "failed") {
		t.Errorf("beside another job: paused %v, it says %v", b.State.Queue.Paused, said)
	}
	kept(1)
	f.engine.err = nil
	b.Pause()
	b.finish(uitest.Next(b.Until, "it begins", f.engine.started), inference.Done{})
	b.finish(here, inference.Done{})
	kept(0)
}

// TestOneOfTwoStops, fails, rests or is kept for the next start without the other.
func TestOneOfTwoStops(t *testing.T) {
	b, f := farmBench(t)
	away, here := b.at(f, state.Far, "far"), b.at(f, state.Here, "here")
	if test.Tap(b.others[0].stop); away.ctx.Err() == nil || here.ctx.Err() != nil {
		t.Fatal("another job was stopped")
	}
	b.finish(away, inference.Failed{Err: context.Canceled})
	b.want("stopped", "here 0+0")
	if b.State.Queue.Paused || b.State.ActionErr != nil {
		t.Errorf("paused %v, %v", b.State.Queue.Paused, b.State.ActionErr)
	}
	b.Undo()
	away = uitest.Next(b.Until, "it is back", f.engine.started)
	b.want("taken back", "here 0+0, far 0+0")

	for range 2 { // both rest, and go on
		b.Pause()
		for _, j := range []job{here, away} {
			b.Until("it is told", func() bool { return len(j.paused) > 0 })
		}
		paused := false
		for _, j := range []job{here, away} {
			for len(j.paused) > 0 {
				paused = <-j.paused
			}
			if paused != b.State.Queue.Paused {
				t.Errorf("%q rests: %v", j.request.Prompt, paused)
			}
		}
		for _, r := range []*running{b.running, b.others[0]} {
			if says := strings.HasPrefix(r.facts.Text, "paused"); says != paused {
				t.Errorf("the row says %q", r.facts.Text)
			}
		}
	}

	b.ask("next")
	b.finish(away, inference.Failed{Err: errors.New("the farm burns")})
	b.want("failed", "here 0+0")
	if e := b.State.ActionErr; e == nil || !strings.Contains(e.Error(), "the job “far” failed: the farm burns") || !b.State.Queue.Paused {
		t.Errorf("it says %v, paused %v", e, b.State.Queue.Paused)
	}
	if strings.HasPrefix(b.running.facts.Text, "paused") {
		t.Errorf("the other one does not rest: %q", b.running.facts.Text)
	}
	b.Pause()
	away = b.at(f, state.Far, "far again")
	b.want("again", "far again 0+0, here 0+0")
	b.StopAll()
	b.finish(here, inference.Failed{Err: context.Canceled})
	b.finish(away, inference.Failed{Err: context.Canceled})
	if b.want("all", ""); b.prompts() != "" {
		t.Errorf("%q wait", b.prompts())
	}
	b.Undo()
	again, far := b.started(), uitest.Next(b.Until, "on the farm", f.engine.started)
	if again.request.Prompt != "here" || far.request.Prompt != "far again" || b.prompts() != "next" {
		t.Errorf("%q, %q and %q are back", again.request.Prompt, far.request.Prompt, b.prompts())
	}
	b.want("back", "here 0+0, far again 0+0")
	b.KeepRest()
	b.rest()
	kept, err := Read(t.Context(), b.Journal.Store())
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, k := range kept {
		list = append(list, k.Request.Prompt+" "+k.Where)
	}
	if got := strings.Join(list, ", "); got != "here , far again farm, next " {
		t.Errorf("for the next start there are %q", got)
	}
	b.finish(again, inference.Done{})
	b.finish(b.started(), inference.Done{})
	b.finish(far, inference.Done{})
}
