package queue

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2/container"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/ui/kit"
	"realword/ui/roomtest"
	"realword/ui/state"
	"realword/ui/uitest"
)

// engine hands out jobs whose events the test sends.
type engine struct {
	started chan job
	err     error         // of Start
	small   bool          // every request is 16 × 16
	wrong   string        // of a prompt that it refuses; "": none
	looks   chan struct{} // while it is open, no request is resolved; nil: there is nothing to wait for
}

type job struct {
	ctx     context.Context
	request inference.Request
	events  chan inference.Event
	paused  chan bool
}

func (j job) Events() <-chan inference.Event { return j.events }
func (j job) Cancel()                        {}
func (j job) Pause(on bool)                  { j.paused <- on }

// Resolve fills in a width, by which the test knows a job that was checked.
func (e *engine) Resolve(r inference.Request) (inference.Request, error) {
	if e.looks != nil {
		<-e.looks
	}
	if r.Width == 0 || e.small {
		r.Width, r.Height = 16, 16
	}
	if e.wrong != "" && strings.Contains(r.Prompt, e.wrong) {
		return r, errors.New("its word is not in the prompt")
	}
	return r, nil
}

func (e *engine) Start(ctx context.Context, r inference.Request) (inference.Job, error) {
	if e.err != nil {
		return nil, e.err
	}
	j := job{ctx, r, make(chan inference.Event), make(chan bool, 100)}
	e.started <- j
	return j, nil
}

// bench is the room in a house of its own.
type bench struct {
	*Panel
	*roomtest.House
	t      *testing.T
	engine *engine
	told   []inference.Event
	undo   state.Undo
}

// newBench is the room with a history, nil for none.
func newBench(t *testing.T, s *history.Store) *bench {
	t.Helper()
	b := &bench{House: roomtest.New(t), t: t, engine: &engine{started: make(chan job, 1), small: true}}
	j := journal.New(func(err error) {
		if err != nil {
			t.Error(err)
		}
	}, func() {}, func() {})
	if s != nil {
		j.Open(s)
	}
	b.State.History.Open = s != nil
	b.State.Form.Seed = 7
	ghost := kit.NewGhost()
	b.Panel = New(Host{
		State: b.Now, Change: b.House.Change, Journal: j, Layers: &b.Layers, Commands: b.Commands, Ghost: ghost, Context: t.Context(), Post: b.Post,
		Background: b.Background, Engine: func() Engine { return b.engine }, Before: func(do func()) { do() },
		OnEvent: func(e inference.Event, _ state.Flight) { b.told = append(b.told, e) }, OnDone: b.undo.Did, OnQuieter: func() {},
	})
	b.House.Move(container.NewStack(b.Root, ghost.Layer), b.Actions, func() { b.Panel.Refresh(); b.RefreshRunning() }, b.Journal.Working)
	return b
}

// Refresh makes the panel equal to the state.
func (b *bench) Refresh() { b.House.Refresh() }

// prompts are the waiting jobs by their prompts.
func (b *bench) prompts() string {
	var list []string
	for _, t := range b.State.Queue.Waiting {
		list = append(list, t.Request.Prompt)
	}
	return strings.Join(list, " ")
}

// ask asks for a job and waits until it is checked.
func (b *bench) ask(prompt string) {
	b.t.Helper()
	b.State.Form.Prompt, b.State.Words = prompt, state.PlainWords(prompt)
	b.Generate()
	b.checked()
}

// checked waits until every waiting job is checked.
func (b *bench) checked() {
	b.t.Helper()
	b.Until("the jobs are checked", func() bool {
		return !slices.ContainsFunc(b.State.Queue.Waiting, func(t state.Task) bool { return t.Request.Width == 0 })
	})
}

// rest lets happen what happens while a job runs.
func (b *bench) rest() {
	b.t.Helper()
	b.checked()
	b.Until("the journal is written", func() bool { return !b.Journal.Working() })
	last := false
	b.Post(func() { b.Post(func() { last = true }) })
	b.Until("all is posted", func() bool { return last })
}

// started is the next job that has begun, and is shown as the engine has resolved it.
func (b *bench) started() job {
	b.t.Helper()
	j := uitest.Next(b.Until, "a job has begun", b.engine.started)
	b.Until("what runs is known", func() bool {
		return slices.ContainsFunc(b.State.Queue.Flights, func(f state.Flight) bool {
			return f.Task.Checked && f.Task.Request.Prompt == j.request.Prompt
		})
	})
	return j
}

// send lets an event of a running job arrive.
func (b *bench) send(j job, e inference.Event) {
	b.t.Helper()
	n := len(b.told)
	j.events <- e
	b.Until("the event is here", func() bool { return len(b.told) > n })
}

// finish ends a job.
func (b *bench) finish(j job, e inference.Event) {
	b.t.Helper()
	b.send(j, e)
	close(j.events)
}
