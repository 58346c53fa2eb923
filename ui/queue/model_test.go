package queue

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"realword/history"
	"realword/inference"
	"realword/inference/bundle"
	"realword/ui/models/modelstest"
	"realword/ui/state"
	"realword/ui/uitest"
)

// opens goes over to another model, as the page of the models does once no job runs.
func (b *bench) opens(m *bundle.Manifest) {
	b.Change(func(s *state.State) {
		s.Model, s.Queue = m, s.Queue.For(*m)
		b.Advance(false)
	})
}

// adopts makes the first job that waits one of the open model.
func (b *bench) adopts() {
	b.t.Helper()
	b.Adopt([]int{b.State.Queue.Waiting[0].ID})
	b.Until("it is one of the open model", func() bool { return b.State.Queue.Waiting[0].Needs == "" })
}

// waiting are the waiting jobs with what they need.
func (b *bench) waiting() (list []string) {
	for _, t := range b.State.Queue.Waiting {
		list = append(list, fmt.Sprintf("%s needs %q", t.Request.Prompt, t.Needs))
	}
	slices.Sort(list)
	return list
}

// However a job comes back after another model was opened, it waits for its own, and begins once that is open again.
func TestWhatComesBackWaitsForItsModel(t *testing.T) {
	for what, out := range map[string]func(b *bench, one job){
		"taken out": func(b *bench, one job) {
			b.Drop(b.State.Queue.Waiting[0].ID)
			b.finish(one, inference.Done{})
		},
		"stopped": func(b *bench, one job) {
			b.Drop(b.State.Queue.Waiting[0].ID) // the older deed
			b.Stop()
			b.finish(one, inference.Failed{Err: context.Canceled})
		},
		"all of them": func(b *bench, one job) {
			b.StopAll()
			b.finish(one, inference.Failed{Err: context.Canceled})
		},
	} {
		t.Run(what, func(t *testing.T) {
			b := newBench(t, nil)
			b.opens(uitest.Toybox)
			b.ask("one")
			one := b.started()
			b.ask("two")
			out(b, one)
			b.rest()
			b.opens(modelstest.Big)
			for range 2 {
				b.undo.Back()
				b.rest()
			}
			want := []string{`one needs "toybox"`, `two needs "toybox"`}
			if what == "taken out" {
				want = want[1:]
			}
			if got := b.waiting(); !slices.Equal(got, want) || b.State.Busy() {
				t.Errorf("with another model %q wait, want %q; one runs %v", got, want, b.State.Busy())
			}
			b.opens(uitest.Toybox)
			for range want {
				j := b.started()
				b.finish(j, inference.Done{})
			}
			b.rest()
		})
	}
}

// The other way round: its own model was opened meanwhile, so that it waits for none.
func TestWhatComesBackToItsModelBegins(t *testing.T) {
	b := newBench(t, nil)
	b.opens(uitest.Toybox)
	b.Pause()
	b.ask("one")
	b.opens(modelstest.Big)
	b.Pause() // goes on
	b.Drop(b.State.Queue.Waiting[0].ID)
	b.opens(uitest.Toybox)
	b.undo.Back()
	b.finish(b.started(), inference.Done{})
}

// What was made a job of the open model, and waits for its own again, waits for none where that was opened meanwhile.
func TestWhatIsUnadoptedInItsModelBegins(t *testing.T) {
	b := newBench(t, nil)
	b.opens(uitest.Toybox)
	b.Pause()
	b.ask("one")
	b.opens(modelstest.Big)
	b.adopts()
	b.opens(uitest.Toybox)
	if got, want := b.waiting(), []string{`one needs "RealCustom++"`}; !slices.Equal(got, want) {
		t.Fatalf("%q wait, want %q", got, want)
	}
	b.undo.Back()
	b.rest()
	if got, want := b.waiting(), []string{`one needs ""`}; !slices.Equal(got, want) {
		t.Errorf("%q wait, want %q", got, want)
	}
}

// A job of which nobody knew the model is one of that which has begun it.
func TestWhatHasBegunIsOfTheModelThatBeganIt(t *testing.T) {
	b := newBench(t, nil)
	b.opens(uitest.Toybox)
	b.Put(state.Task{Request: inference.Request{Prompt: "one", Seeds: []uint64{7, 8}}}, false)
	one := b.started()
	b.Stop()
	b.finish(one, inference.Failed{Err: context.Canceled})
	b.rest()
	b.opens(modelstest.Big)
	b.undo.Back()
	b.rest()
	if got, want := b.waiting(), []string{`one needs "toybox"`}; !slices.Equal(got, want) {
		t.Errorf("%q wait, want %q", got, want)
	}
}

// A job that no engine has looked at yet is written down with what its own model's preset says.
func TestWhatComesBackIsWrittenDownAsItsOwn(t *testing.T) {
	s, err := history.Open(filepath.Join(t.TempDir(), "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b := newBench(t, s)
	b.opens(uitest.Toybox)
	b.engine.looks = make(chan struct{})
	b.Pause()
	b.State.Form.Prompt, b.State.Form.Sampler = "one", ""
	b.State.Form.Steps, b.State.Form.Stop, b.State.Form.CFG = 0, 0, 0
	b.State.Words = state.PlainWords("one")
	b.Put(state.Task{Request: b.State.Form.Request(), Model: "toybox"}, false)
	own := inference.Defaults(*uitest.Toybox, b.State.Form.Request())
	b.Drop(b.State.Queue.Waiting[0].ID)
	b.opens(modelstest.Big)
	b.undo.Back()
	close(b.engine.looks)
	b.Settle()
	kept, err := Read(t.Context(), s)
	if err != nil || len(kept) != 1 || kept[0].Request.Steps != own.Steps || kept[0].Request.CFG != own.CFG || kept[0].Model != "toybox" {
		t.Errorf("the history has %+v, %v; want %d steps", kept, err, own.Steps)
	}
}

// A job that is given back to its own model, which is open by now, begins.
func TestAJobGivenBackToTheOpenModelBegins(t *testing.T) {
	b := newBench(t, nil)
	b.opens(uitest.Toybox)
	b.Pause()
	b.ask("one")
	b.opens(modelstest.Big)
	b.Pause()
	b.ask("x")
	x := b.started()
	b.adopts()
	back := b.last.back
	b.State.Queue.Paused = true // stands for Shelf.Hasty
	b.Stop()
	b.finish(x, inference.Failed{Err: nil})
	b.rest()
	b.State.Queue.Paused = false
	b.opens(uitest.Toybox)
	b.rest()
	back()
	b.rest()
	if !b.State.Busy() {
		t.Fatal("its own model is open, the queue is not paused, and it does not begin", b.prompts())
	}
	b.finish(b.started(), inference.Done{})
}

// Taken back and done again while its own model is open, a job is there once.
func TestAJobIsAdoptedOnce(t *testing.T) {
	b := newBench(t, nil)
	b.opens(uitest.Toybox)
	b.Pause()
	b.ask("one")
	b.opens(modelstest.Big)
	b.adopts()
	b.opens(uitest.Toybox)
	for _, do := range []func(){func() { b.undo.Back() }, func() { b.undo.Forward() }, func() { b.undo.Back() }} {
		do()
		b.rest()
	}
	if n := len(b.State.Queue.Waiting); n != 1 {
		t.Errorf("%d jobs wait, one was asked for: %v", n, b.prompts())
	}
}

// What is asked for without the name of a model, as the picture of the words alone is, waits for the one that was open then.
func TestAJobIsOfTheModelThatWasOpen(t *testing.T) {
	b := newBench(t, nil)
	b.opens(uitest.Toybox)
	b.ask("long")
	long := b.started()
	b.Put(state.Task{Request: inference.Request{Prompt: "alone", Seeds: []uint64{7}}}, true)
	b.rest()
	b.State.Queue.Paused = true // stands for Shelf.Hasty
	b.Stop()
	b.finish(long, inference.Failed{Err: nil})
	b.rest()
	b.State.Queue.Paused = false
	b.opens(modelstest.Big)
	if b.State.Busy() {
		t.Errorf("%q, asked for with the toybox, is being made with %s", b.State.Queue.Followed().Task.Request.Prompt, b.State.Queue.Followed().Task.Model)
	}
}
