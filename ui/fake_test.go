package ui

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"slices"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/picture"
	"realword/inference/prompt"
	"realword/ui/roomtest"
	"realword/ui/state"
	"realword/ui/uitest"
)

// fakeEngine hands out jobs whose events the test sends.
type fakeEngine struct {
	startErr error
	started  chan fakeJob

	mu   sync.Mutex
	read []inference.Reference // see Read
}

type fakeJob struct {
	ctx     context.Context
	request inference.Request
	events  chan inference.Event
}

func (j fakeJob) Events() <-chan inference.Event { return j.events }
func (j fakeJob) Cancel()                        {}

func (e *fakeEngine) Close() error { return nil }

// Notes is about a prompt that says so, and masks of pictures that are no squares.
func (e *fakeEngine) Notes(r inference.Request) (notes []error) {
	for _, text := range []string{r.Prompt, r.Negative} {
		notes = append(notes, prompt.Reading{}.Notations(text)...)
	}
	for _, s := range r.Subjects {
		if !s.Region.IsZero() && r.Width != r.Height {
			notes = append(notes, fmt.Errorf("%s: it is stretched", s.Word.Text))
		}
	}
	return notes
}

func (e *fakeEngine) Manifest() bundle.Manifest { return *uitest.Toybox }

// Read remembers what it was asked for.
func (e *fakeEngine) Read(_ context.Context, ref inference.Reference) (*image.NRGBA, picture.Info, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.read = append(e.read, ref)
	return picture.Decode(ref.Data, picture.Limits{})
}

// Encode reads plain words, eight of them.
func (e *fakeEngine) Encode(text string, how prompt.Reading) *prompt.Prompt {
	p := &prompt.Prompt{Text: text}
	for i, w := range state.PlainWords(text) {
		p.Tokens++
		p.Words = append(p.Words, prompt.Word{Text: w.Text, Occurrence: w.Occurrence, Start: w.Start, End: w.End, Cut: i >= 8})
	}
	p.Chunks = []int{p.Tokens}
	return p
}

// Resolve fills in what a history needs to draw masks again.
func (e *fakeEngine) Resolve(r inference.Request) (inference.Request, error) {
	r.Subjects = slices.Clone(r.Subjects)
	for i := range r.Subjects {
		r.Subjects[i].Scope = cmp.Or(r.Subjects[i].Scope, 0.2)
	}
	r.Width, r.Height = 16, 16
	return r, nil
}

func (e *fakeEngine) Start(ctx context.Context, r inference.Request) (inference.Job, error) {
	if e.startErr != nil {
		return nil, e.startErr
	}
	j := fakeJob{ctx, r, make(chan inference.Event)}
	e.started <- j
	return j, nil
}

// bench is a window in a test: what it posts waits until the test lets it happen.
type bench struct {
	*Window
	t      testing.TB
	engine *fakeEngine
	posted chan func()

	progress inference.Progress // the last one sent
}

func newBench(t testing.TB, change func(*Options)) *bench {
	t.Helper()
	return newBenchOn(t, test.NewTempApp(t), change)
}

// newBenchOn is newBench where the app has preferences already.
func newBenchOn(t testing.TB, a fyne.App, change func(*Options)) *bench {
	t.Helper()
	b := &bench{t: t, engine: &fakeEngine{started: make(chan fakeJob, 1)}, posted: make(chan func(), 1000)}
	o := Options{
		Pictures:  t.TempDir(),
		Open:      func(context.Context, string) (Engine, error) { return b.engine, nil },
		OpenFiles: func() ([]string, error) { return nil, nil },
		SaveFile:  func(string) (string, error) { return "", nil },
	}
	if change != nil {
		change(&o)
	}
	roomtest.Forget(t)
	b.Window = newWindow(a, o, func(f func()) { b.posted <- f })
	b.state.Form.Seed = 7
	b.refresh()
	b.win.Resize(fyne.NewSize(1100, 700))
	t.Cleanup(func() {
		b.quit()
		b.settle()
	})
	b.watchRooms()
	return b
}

// until lets posted work happen until done holds.
func (b *bench) until(what string, done func() bool) {
	b.t.Helper()
	uitest.Until(b.t, b.posted, what, done)
}

// settle lets everything happen that is under way; a running job must have ended.
func (b *bench) settle() {
	b.t.Helper()
	for {
		b.until("the window is idle", func() bool { return b.tasks == 0 || b.closed.Load() })
		for b.stage.Working() || b.inspect.Working() || b.journal.Working() || b.gallery.Working() {
			time.Sleep(time.Millisecond)
		}
		if len(b.posted) == 0 {
			return
		}
		(<-b.posted)()
	}
}

// ready is a window with an open model.
func ready(t testing.TB, change func(*Options)) *bench {
	b := newBench(t, change)
	b.until("the model is open", func() bool { return b.state.Model != nil || b.state.ModelErr != nil })
	b.settle()
	return b
}
