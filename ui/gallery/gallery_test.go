package gallery

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"realword/history"
	"realword/history/journal"
	"realword/inference"
	"realword/ui/command"
	"realword/ui/roomtest"
	"realword/ui/state"
	"realword/ui/uitest"
)

func TestMain(m *testing.M) { uitest.Main(m) }

// bench is the room in a house of its own; what it asks the window for is noted.
type bench struct {
	*Page
	*roomtest.House
	tree  *Tree
	t     *testing.T
	host  Host
	dir   string // with the history and the pictures folder
	asked []string
	told  error // why the last change was not made
	maker *Maker
}

// newBench is the room with an empty history.
func newBench(t *testing.T, changes ...func(*Host)) *bench {
	t.Helper()
	b := &bench{House: roomtest.New(t), t: t, dir: t.TempDir()}
	s, err := history.Options{Pictures: b.pictures()}.Open(filepath.Join(b.dir, "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	j := journal.New(func(err error) { b.Post(func() { b.told = err }) }, func() {}, func() {})
	j.Open(s)
	j.Budget.Store(2e9)
	b.House.State.History.Open = true
	b.host = Host{
		Journal: j, Layers: &b.Layers, Commands: b.Commands, Context: t.Context(), Post: b.Post, Background: b.Background, State: b.Now,
		Maker: func() *Maker { return b.maker },
	}
	for _, change := range changes {
		change(&b.host)
	}
	note := func(format string, args ...any) { b.asked = append(b.asked, fmt.Sprintf(format, args...)) }
	b.Page = New(b.host)
	b.OnNew = func() { note("new"); j.SetSession(0) }
	b.OnSession = func(id uint64) { note("session %d", id); j.SetSession(id) }
	b.OnRenamed = func(id uint64, name string) { note("session %d is %s", id, name) }
	b.OnShow = func(picture uint64) { note("show %d", picture) }
	b.OnCompare = func(left, right uint64, done func(error)) { note("compare %d, %d", left, right); done(nil) }
	b.OnReference = func(s state.Source) {
		data, err := s.Read()
		note("reference %s of %d, %d bytes, %v", s.Name, s.From, len(data), err)
	}
	b.OnRemade = func(picture uint64) { note("remade %d", picture) }
	b.OnBinned = func() { note("binned") }
	b.OnReveal = func(folder string) { note("reveal %s", folder) }
	b.OnBudget = func(bytes int64) { note("budget %d", bytes) }
	b.tree = b.Tree
	b.tree.OnShow, b.tree.OnResize = b.OnShow, func() {}
	b.Move(container.NewBorder(nil, b.tree.Root, nil, nil, container.NewStack(b.Root)),
		func() []command.Action { return append(b.Actions(), b.tree.Actions()...) }, b.tree.Refresh,
		func() bool { return j.Working() || b.Working() })
	t.Cleanup(func() {
		b.Settle()
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bench) pictures() string { return filepath.Join(b.dir, "pictures") }

// round keeps another round of one picture.
func (b *bench) round(session, seed uint64, parents ...uint64) (picture uint64) {
	b.t.Helper()
	return uitest.Kept(b.t, b.host.Journal.Store(), b.pictures(), session, seed, parents...)
}

// open keeps jobs with these seeds in one session and shows the page, filled. It answers their pictures.
func (b *bench) open(seeds ...uint64) (pictures []uint64) {
	b.t.Helper()
	for _, seed := range seeds {
		pictures = append(pictures, b.round(b.host.Journal.Session(), seed))
		if len(pictures) == 1 {
			b.host.Journal.SetSession(1)
		}
	}
	b.Toggle()
	b.Settle()
	if !b.Shown() || b.Root.Hidden {
		b.t.Fatal("the page is not shown")
	}
	return pictures
}

// picked chooses a picture and waits until it is read.
func (b *bench) picked(id uint64) {
	b.choose(id)
	b.Settle()
}

func (b *bench) key(name fyne.KeyName) {
	b.grid.TypedKey(&fyne.KeyEvent{Name: name})
	b.Settle()
}

// picture is a picture as the history has it now.
func (b *bench) picture(id uint64) history.Picture {
	b.t.Helper()
	p, err := b.host.Journal.Store().Picture(id)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

// job is one that gives its events at once.
type job chan inference.Event

func (j job) Events() <-chan inference.Event { return j }
func (j job) Cancel()                        {}

// making answers every request with the picture that uitest makes of it, and remembers the request.
func making(asked *inference.Request) *Maker {
	return &Maker{
		Model:   *uitest.Toybox,
		Resolve: func(r inference.Request) (inference.Request, error) { return r, nil },
		Start: func(_ context.Context, r inference.Request) (inference.Job, error) {
			*asked = r
			j := make(job, 2)
			j <- uitest.Picture(r, 0)
			j <- inference.Done{}
			close(j)
			return j, nil
		},
	}
}
