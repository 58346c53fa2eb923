package computers

import (
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"realword/assets"
	"realword/farm"
	"realword/inference"
	"realword/inference/bundle"
	"realword/inference/memory"
	"realword/inference/wait"
	"realword/ui/kit"
	"realword/ui/roomtest"
	"realword/ui/state"
	"realword/ui/uitest"
)

// engine makes pictures of one colour, in as many steps as are asked for.
type engine struct {
	started atomic.Int32
	running atomic.Int32
	step    time.Duration
	gate    func(context.Context) // what a picture waits for before its first step; nil: nothing
}

type job struct{ events chan inference.Event }

func (j job) Events() <-chan inference.Event { return j.events }
func (j job) Cancel()                        {}

func (*engine) Manifest() bundle.Manifest { return *uitest.Toybox }

func (e *engine) Start(ctx context.Context, r inference.Request) (inference.Job, error) {
	e.started.Add(1)
	e.running.Add(1)
	j := job{make(chan inference.Event, 100)}
	go func() {
		defer close(j.events)
		defer e.running.Add(-1)
		if e.gate != nil {
			e.gate(ctx)
		}
		for n, seed := range r.Seeds {
			j.events <- inference.StageStarted{Stage: inference.StageDenoise, Picture: n, Provider: "Fake"}
			for k := range r.Steps {
				select {
				case <-ctx.Done():
					j.events <- inference.Failed{Err: ctx.Err()}
					return
				case <-time.After(e.step):
				}
				latent := []float32{float32(k)}
				j.events <- inference.Progress{Pass: k + 1, Passes: r.Steps}
				j.events <- inference.StepDone{
					Picture: n, Step: k, Steps: r.Steps, Clean: latent, Preview: image.NewRGBA(image.Rect(0, 0, 2, 2)),
					State: inference.State{Step: k + 1, Steps: r.Steps, Width: r.Width, Height: r.Height, Seed: seed, Latent: latent},
				}
			}
			img := image.NewNRGBA(image.Rect(0, 0, r.Width, r.Height))
			img.Pix[0] = byte(seed)
			j.events <- inference.PictureReady{Picture: n, Seed: seed, Image: img}
		}
		j.events <- inference.Done{Pictures: len(r.Seeds)}
	}()
	return j, nil
}

// bench is the room in a house of its own.
type bench struct {
	*Page
	*roomtest.House
	t      *testing.T
	here   *engine
	copied string
	farms  int // how often the farm was there
	card   string

	sharing []bool        // what the window is to remember
	stay    []bool        // likewise
	wheres  []state.Where // likewise
}

func newBench(t *testing.T, dir string) *bench {
	t.Helper()
	return newBenchOf(t, dir, func(*Host) {})
}

func newBenchOf(t *testing.T, dir string, change func(*Host)) *bench {
	t.Helper()
	b := &bench{House: roomtest.New(t), t: t, here: &engine{step: time.Millisecond}}
	ctx, cancel := context.WithCancel(context.Background())
	h := Host{
		State: b.Now, Change: b.House.Change, Context: ctx, Post: b.Post, Background: b.Background, Layers: &b.Layers, Commands: b.Commands,
		Dir: dir, Listen: "127.0.0.1:0", Engine: func() Engine { return b.here }, Copy: func(text string) { b.copied = text },
		OnStay:  func(stay bool) { b.stay = append(b.stay, stay) },
		OnWhere: func(to state.Where) { b.wheres = append(b.wheres, to) },
		OnFarm:  func() { b.farms++ }, OnCard: func(file string) { b.card = file }, OnSharing: func(on bool) { b.sharing = append(b.sharing, on) },
	}
	change(&h)
	b.Page = New(h)
	t.Cleanup(func() { cancel(); b.Close() })
	b.House.Render = b.Page.Refresh
	b.Win.SetContent(container.NewStack(b.Root, b.Choice))
	b.Page.Show()
	return b
}

// worker lets a computer in by the line on the page and has it work.
func (b *bench) worker(name string, e *engine) (stop func()) {
	b.t.Helper()
	b.name.SetText(name)
	b.line.SetText("")
	b.pair()
	b.Until("the line is there", func() bool { return b.line.Text != "" && b.lineRow.Visible() })
	p, err := farm.ParsePairing(strings.TrimPrefix(b.line.Text, "realword worker "))
	if err != nil {
		b.t.Fatal(err)
	}
	a, err := p.Access()
	if err != nil {
		b.t.Fatal(err)
	}
	conn, err := farm.Dial(b.t.Context(), a)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		m := e.Manifest()
		_ = conn.Work(ctx, farm.WorkerOptions{
			Name: name, Device: "Fake", Models: []farm.Model{{ID: farm.ModelID(m), Name: m.Name, Engine: e}}, Keep: time.Nanosecond,
		})
	}()
	stop = func() { cancel(); <-done; conn.Close() }
	b.t.Cleanup(stop)
	return stop
}

func (b *bench) shareIt() {
	b.t.Helper()
	before := len(b.sharing)
	b.toggleSharing()
	b.Until("the farm is joined", func() bool { return b.State.Farm.Joined && !b.State.Queue.Away && len(b.sharing) > before })
}

func (b *bench) row(name string) computer {
	for _, c := range computersOf(b.link.Now()) {
		if c.name == name {
			return c
		}
	}
	return computer{}
}

func request(pictures int) inference.Request {
	r := inference.Request{Prompt: "a dog"}
	r.Width, r.Height, r.Steps = 4, 4, 3
	for n := range pictures {
		r.Seeds = append(r.Seeds, uint64(n+1))
	}
	return r
}

// run makes a job and returns its pictures and who computed.
func (b *bench) run(t state.Task) (pictures []inference.PictureReady, at map[string]bool) {
	b.t.Helper()
	events := make(chan inference.Event, 1000)
	runner := b.Runner(t)
	go func() {
		defer close(events)
		j, err := runner.Start(b.t.Context(), t.Request)
		if err != nil {
			b.t.Error(err)
			return
		}
		for e := range j.Events() {
			events <- e
		}
	}()
	at, ended := map[string]bool{}, false
	b.Until("the job is made", func() bool {
		for {
			select {
			case e, ok := <-events:
				if !ok {
					return ended
				}
				switch e := e.(type) {
				case inference.StageStarted:
					at[e.Provider] = true
				case inference.PictureReady:
					pictures = append(pictures, e)
				case inference.Done:
					ended = true
				case inference.Failed:
					b.t.Error(e.Err)
					ended = true
				}
			default:
				return false
			}
		}
	})
	return pictures, at
}

// TestFromSharingToAPicture: nothing listens before; then a line lets a computer in, it appears with what it has, makes a job, and is let
// out again.
func TestFromSharingToAPicture(t *testing.T) {
	b := newBench(t, t.TempDir())
	if b.link.Now().Sharing != "" || !b.Choice.Hidden || b.State.Farm.Joined || !b.State.Queue.Away {
		t.Errorf("before: %+v, %+v", b.link.Now(), b.State.Farm)
	}
	b.shareIt()
	if b.Choice.Hidden || b.pairing.Hidden || !strings.HasPrefix(b.at.Text, "Listening at 127.0.0.1:") || b.farms != 1 {
		t.Errorf("sharing: choice hidden %v, %q, told %d times", b.Choice.Hidden, b.at.Text, b.farms)
	}
	b.Page.where.SetSelectedIndex(1)
	if b.State.Farm.Where != state.Far || !slices.Equal(b.wheres, []state.Where{state.Far}) {
		t.Errorf("chosen: %q, remembered %q", b.State.Farm.Where, b.wheres)
	}
	b.worker("studio", &engine{step: 5 * time.Millisecond})
	b.Page.Hide()
	b.Page.Show()
	if b.Settle(); !b.lineRow.Visible() || !strings.Contains(words(b.lineRow), "until the window closes") {
		t.Errorf("back on the page it says %q", words(b.lineRow))
	}
	b.Until("the computer is there", func() bool { return b.row("studio").about != "" && b.State.Farm.Able == 1 })
	if c := b.row("studio"); !strings.Contains(c.about, "Fake · "+uitest.Toybox.Name) || !c.paired {
		t.Errorf("the row says %+v", c)
	}
	pictures, at := b.run(state.Task{ID: 1, Request: request(5), Where: state.Far})
	if len(pictures) != 5 || !at["Fake · studio"] || b.here.started.Load() != 0 {
		t.Errorf("%d pictures at %v, %d here", len(pictures), at, b.here.started.Load())
	}
	for n, p := range pictures {
		if p.Picture != n || p.Seed != uint64(n+1) || p.Image.Pix[0] != byte(n+1) || p.Recipe.Prompt != "a dog" {
			t.Errorf("picture %d: %+v", n, p.Seed)
		}
	}
	b.Page.do(func() error { return b.link.Revoke("studio") }, nil)
	b.Until("the computer is out", func() bool { return b.row("studio").name == "" })
}

// TestWhereverItIsDoneFirst: this computer makes pictures, too; and alone where there is no farm.
func TestWhereverItIsDoneFirst(t *testing.T) {
	b := newBench(t, t.TempDir())
	if pictures, _ := b.run(state.Task{ID: 1, Request: request(2), Where: state.First}); len(pictures) != 2 || b.here.started.Load() != 1 {
		t.Errorf("without a farm: %d pictures, begun %d times here", len(pictures), b.here.started.Load())
	}
	b.shareIt()
	// Each holds its first picture until the other one has one, too: who is quicker does not matter.
	began := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
	var once [2]sync.Once
	gate := func(mine int) func(context.Context) {
		return func(ctx context.Context) {
			once[mine].Do(func() { close(began[mine]) })
			select {
			case <-began[1-mine]:
			case <-ctx.Done():
			}
		}
	}
	b.here.gate = gate(0)
	far := &engine{step: 20 * time.Millisecond, gate: gate(1)}
	b.worker("studio", far)
	b.Until("the computer is there", func() bool { return b.State.Farm.Able == 1 })
	pictures, at := b.run(state.Task{ID: 2, Request: request(10), Where: state.First})
	if len(pictures) != 10 || b.here.started.Load() < 2 || far.started.Load() == 0 || len(at) < 2 {
		t.Errorf("%d pictures at %v; %d begun here, %d there", len(pictures), at, b.here.started.Load()-1, far.started.Load())
	}
}

// TestJobsWaitForTheFarm: a job that was handed over ahead is made while another runs; the farm goes in the middle of one, and comes back.
func TestJobsWaitForTheFarm(t *testing.T) {
	b := newBench(t, t.TempDir())
	b.shareIt()
	stop := b.worker("studio", &engine{step: 10 * time.Millisecond})
	waiting := state.Task{ID: 2, Request: request(2), Where: state.Far}
	b.Ahead(waiting)
	b.Ahead(waiting)
	b.Until("it is made ahead", func() bool { return b.link.Now().Status.Workers != nil && b.link.Now().Status.Workers[0].Made == 2 })
	if pictures, _ := b.run(waiting); len(pictures) != 2 || len(b.jobs) != 0 {
		t.Errorf("%d pictures of the job that was handed over", len(pictures))
	}
	dropped := state.Task{ID: 3, Request: request(50), Where: state.Far}
	b.Ahead(dropped)
	b.Drop(3)
	b.Until("nothing waits any more", func() bool { s := b.link.Now().Status; return s.Waiting == 0 && s.Running == 0 })

	dropped.Request.Steps = 100_000
	b.Ahead(dropped)
	<-b.jobs[3].ready
	b.Runner(dropped).Drop() // its turn has come, and it cannot begin
	b.Until("none of it waits any more", func() bool {
		s, err := b.link.Conn().Status(t.Context())
		return err == nil && s.Waiting+s.Running == 0
	})

	stop()
	b.link.Unshare()
	b.Until("the farm is away", func() bool { return b.State.Queue.Away })
	if b.State.Farm.Joined {
		t.Error("a farm that is not shared any more can be chosen")
	}
	b.shareIt()
	b.worker("studio", &engine{step: time.Millisecond})
	if pictures, _ := b.run(state.Task{ID: 4, Request: request(2), Where: state.Far}); len(pictures) != 2 {
		t.Errorf("%d pictures after it came back", len(pictures))
	}
}

// TestStoppingWaitsForNoFarm: a job that is made wherever it is done first is stopped while the farm is away. The engine here is free at
// once, and has the next job; what the farm would be told takes its time behind.
func TestStoppingWaitsForNoFarm(t *testing.T) {
	b := newBench(t, t.TempDir())
	b.shareIt()
	r := request(2)
	r.Steps = 100_000
	task := state.Task{ID: 1, Request: r, Where: state.First}
	ctx, stop := context.WithCancel(t.Context())
	j, err := b.Runner(task).Start(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan inference.Event, 1)
	go func() {
		for e := range j.Events() {
			if _, is := e.(inference.Failed); is {
				ended <- e
			}
		}
		close(ended)
	}()
	b.Until("it is made here", func() bool { return b.here.running.Load() == 1 })
	b.dies()
	b.Until("the farm is away", func() bool { return b.State.Queue.Away })
	there, cancel := context.WithTimeout(t.Context(), time.Minute) // what a computer has to hand over a picture to a farm that is there
	defer cancel()
	stop()
	if _, failed := wait.For(t, "its end", ended).(inference.Failed); !failed || b.here.running.Load() != 0 || there.Err() != nil {
		t.Errorf("failed %v, %d jobs run here, as late as with a farm: %v", failed, b.here.running.Load(), there.Err())
	}
	if e := wait.For(t, "the end of its events", ended); e != nil {
		t.Errorf("%T after the end", e)
	}
	if pictures, _ := b.run(state.Task{ID: 2, Request: request(1), Where: state.First}); len(pictures) != 1 {
		t.Errorf("%d pictures of the next job", len(pictures))
	}
}

// TestTheLastEventIsNotHeldBack by what the farm has still to do with the job.
func TestTheLastEventIsNotHeldBack(t *testing.T) {
	from := job{make(chan inference.Event)}
	w, passed, ends := &watched{Job: from, out: make(chan inference.Event)}, make(chan bool), 0
	go func() {
		w.pass(func() { ends++ })
		close(passed)
	}()
	from.events <- inference.Progress{}
	if _, is := wait.For(t, "an event", w.Events()).(inference.Progress); !is || ends != 0 {
		t.Error("it ends before its end")
	}
	from.events <- inference.Failed{}
	if _, is := wait.For(t, "the last event", w.Events()).(inference.Failed); !is || ends != 1 {
		t.Errorf("it has ended %d times", ends)
	}
	if e := wait.For(t, "the end", w.Events()); e != nil {
		t.Errorf("%T after the end", e)
	}
	select {
	case <-passed:
		t.Error("the farm has nothing to do any more")
	default:
	}
	close(from.events)
	wait.For(t, "the farm", passed)
}

// TestAJobWithoutAComputerWaits: once its only computer is gone, with a picture in work, no name stands at it any more, and it says that it
// waits; a computer that comes makes the rest.
func TestAJobWithoutAComputerWaits(t *testing.T) {
	b := newBench(t, t.TempDir())
	b.shareIt()
	gone := &engine{step: time.Hour}
	stop := b.worker("studio", gone)
	b.Until("the computer is there", func() bool { return b.State.Farm.Able == 1 })
	r := request(2)
	task := state.Task{Request: r, Where: state.Far}
	b.House.Change(func(s *state.State) { *s = s.Begin(task, len(r.Seeds), 0) })
	task = b.State.Queue.Flights[0].Task
	run := func() state.Round { return b.State.Queue.Flights[0].Run }
	j, err := b.Runner(task).Start(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	made := make(chan inference.Event, 100)
	go func() {
		for e := range j.Events() {
			if _, is := e.(inference.Done); is {
				made <- e
			}
		}
	}()
	b.Until("it is in work", func() bool { return run().Computers() == "studio" && !run().Waits })
	stop()
	b.Until("it waits", func() bool { return run().Waits && run().Computers() == "" })
	if got := run().Status(); got != "picture 1 of 2 · waiting for a computer of the farm" {
		t.Errorf("it says %q", got)
	}
	b.worker("other", &engine{step: time.Millisecond})
	b.Until("it is made", func() bool { return len(made) > 0 })
}

// dies ends the server of the window's farm without a word to the window.
func (b *bench) dies() {
	b.link.mu.Lock()
	server := b.link.server
	b.link.server = nil
	b.link.mu.Unlock()
	server.Close()
}

// TestLeavingTakesJobsBack, one that runs and one that was handed over ahead: the farm makes nothing any more for who has left, and the
// window hears that they wait again. Who stops sharing leaves, too; the next farm gets what waits.
func TestLeavingTakesJobsBack(t *testing.T) {
	for name, leave := range map[string]func(*Link){
		"leave": func(l *Link) { _ = l.Leave() }, "stop sharing": (*Link).Unshare,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, t.TempDir())
			b.shareIt()
			far := &engine{step: time.Hour}
			b.worker("studio", far)
			task, later := state.Task{ID: 1, Request: request(2), Where: state.Far}, state.Task{ID: 2, Request: request(2), Where: state.Far}
			j, err := b.Runner(task).Start(t.Context(), task.Request)
			if err != nil {
				t.Fatal(err)
			}
			b.Ahead(later)
			<-b.jobs[2].ready
			b.Until("the first one runs", func() bool { return far.started.Load() > 0 })
			_, access, err := farm.Farm(b.link.dir, "")
			if err != nil {
				t.Fatal(err)
			}
			other, err := farm.Dial(t.Context(), access) // who looks at the farm
			if err != nil {
				t.Fatal(err)
			}
			defer other.Close()
			empty := func(farm *farm.Conn) {
				t.Helper()
				if s, err := farm.Status(t.Context()); err != nil || s.Waiting > 0 {
					t.Errorf("%d pictures still wait on the farm, %v", s.Waiting, err)
				}
			}
			ended := make(chan error, 1)
			go func() {
				for e := range j.Events() {
					if e, failed := e.(inference.Failed); failed {
						ended <- e.Err
					}
				}
			}()
			leave(b.link)
			b.Until("the job has ended", func() bool { return len(ended) > 0 })
			if err := <-ended; !errors.Is(err, state.ErrRecalled) {
				t.Errorf("it ended with %v", err)
			}
			b.Until("the farm is away", func() bool { return b.State.Queue.Away })
			if _, err := b.Runner(task).Start(t.Context(), task.Request); !errors.Is(err, state.ErrRecalled) {
				t.Errorf("a job of which the window thought that it might begin: %v", err)
			}
			if name == "leave" {
				empty(other)
				return
			}
			b.shareIt()
			empty(b.link.Conn())
			b.worker("studio", &engine{step: time.Millisecond})
			b.Ahead(later)
			for _, task := range []state.Task{later, task} {
				if pictures, _ := b.run(task); len(pictures) != 2 {
					t.Errorf("%d pictures of job %d on the next farm", len(pictures), task.ID)
				}
			}
		})
	}
}

// TestJoiningAFarm: by the line for who asks for pictures, with the command before it or not; the line of a helper is refused, and so is
// nonsense.
func TestJoiningAFarm(t *testing.T) {
	owner := paired(t)

	dir := t.TempDir()
	b := newBench(t, dir)
	for line, want := range map[string]string{"nonsense": "this is no pairing", "": "this is no pairing"} {
		b.paste.SetText(line)
		b.join()
		b.Until("it is refused", func() bool { return b.said != nil })
		if !strings.Contains(b.said.Error(), want) {
			t.Errorf("%q: %v", line, b.said)
		}
		b.said = nil
	}
	b.paste.SetText("realword farm join " + owner.line.Text)
	b.join()
	b.Until("the farm is joined", func() bool { return b.State.Farm.Joined && b.joined.Visible() && !b.joining.Visible() })
	if _, err := farm.Own(dir); err != nil {
		t.Error(err)
	}
	// The owner's server goes: the window says so, and jobs wait.
	owner.link.Unshare()
	b.Until("the farm is away", func() bool { return b.State.Farm.Away && b.State.Queue.Away && b.trouble.Visible() })
	if err := b.link.Leave(); err != nil {
		t.Fatal(err)
	}
	b.Until("the farm is left", func() bool { return !b.State.Farm.Joined && !b.joined.Visible() })
}

// TestAModelOfTheFarm: a model that only a worker has is offered; its card is fetched, checked and kept.
func TestAModelOfTheFarm(t *testing.T) {
	b := newBench(t, t.TempDir())
	b.shareIt()
	model, err := bundle.Extract(assets.Model(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	card, err := model.Card()
	if err != nil {
		t.Fatal(err)
	}
	work := func(id string, card []byte) {
		_, access, err := farm.Farm(b.link.dir, "")
		if err != nil {
			t.Fatal(err)
		}
		conn, err := farm.Dial(t.Context(), access)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Close)
		go func() {
			_ = conn.Work(t.Context(), farm.WorkerOptions{Name: id, Models: []farm.Model{{ID: id, Name: "Far " + id, Engine: &engine{}, Card: card}}})
		}()
	}
	work("good", card)
	work("broken", []byte("no card"))
	b.Until("the models are offered", func() bool { return len(offeredOf(b.link.Now(), "other")) == 2 })
	if list := offeredOf(b.link.Now(), "good"); len(list) != 1 || list[0].name != "Far broken" {
		t.Errorf("beside the open one: %v", list)
	}
	b.use("broken")
	b.Until("it is refused", func() bool { return b.said != nil })
	b.use("good")
	b.Until("it is used", func() bool { return b.card != "" && b.said == nil })
	if got, err := bundle.OpenCard(b.card); err != nil || farm.ModelID(got.Manifest()) != farm.ModelID(model.Manifest()) {
		t.Errorf("the card is of another model: %v", err)
	}
}

func TestMakersAreTold(t *testing.T) {
	short := &memory.Error{Plan: memory.Plan{Peak: 9e9, Available: 1e9}}
	list := computersOf(Farm{
		Keys: []farm.Key{{Name: farm.ThisComputer, Role: farm.Client}, {Name: "gone", Role: farm.Helper}, {Name: "laptop", Role: farm.Client}},
		Status: farm.Status{Workers: []farm.WorkerInfo{
			{ID: "a", Name: "one", Models: map[string]string{"m": "Toybox"}, Seconds: 0.5, Made: 3, Doing: "J.1", Step: 2, Steps: 25, Prompt: "a dog"},
			{
				ID: "b", Name: "two", Device: "CUDA", Models: map[string]string{"m": "Toybox"}, Problem: "the memory is full",
				Memory: farm.Memory{Total: 64e9, Free: 50.5e9, Card: 24e9, CardFree: 8.2e9},
			},
			{ID: "c", Name: "three", Problem: short.Error(), Plan: &short.Plan, Memory: farm.Memory{Total: 4e9, Free: 1e9}},
		}},
	})
	want := []computer{
		{name: "one", about: "Toybox · 0.50 s per pass · 3 pictures made", doing: "step 2 of 25: a dog"},
		{
			name: "two", about: "CUDA · Toybox · 50.5 GB of 64.0 GB memory free · 8.2 GB of 24.0 GB free on the graphics card",
			doing: "The memory is full.", bad: true,
		},
		{
			name: "three", about: " · 1.0 GB of 4.0 GB memory free",
			doing: "This picture needs about 9.0 GB of memory, and 1.0 GB is available: close other programs, or choose a smaller model.", bad: true,
		},
		{name: "gone", about: "was let in and is not there", paired: true},
		{name: "laptop", about: "asks for pictures", paired: true},
	}
	if !slices.Equal(list, want) {
		t.Errorf("%+v\nwant %+v", list, want)
	}
}

// TestSharingIsTakenUpAgain: a window that ended while it shared does so at its next start; one that did not listens nowhere.
func TestSharingIsTakenUpAgain(t *testing.T) {
	dir := t.TempDir()
	first := newBench(t, dir)
	first.shareIt()
	if !slices.Equal(first.sharing, []bool{true}) {
		t.Errorf("remembered %v", first.sharing)
	}
	first.link.Unshare() // as at the end of the window

	quiet := newBench(t, dir)
	quiet.Settle()
	if quiet.link.Now().Sharing != "" {
		t.Error("it shares though it did not before")
	}
	again := newBenchOf(t, dir, func(h *Host) { h.Sharing = true })
	again.Until("the farm is there again", func() bool { return again.State.Farm.Joined && again.Choice.Visible() && again.farms > 0 })
	again.Settle()
	if again.rows.Objects == nil || strings.Contains(words(again.rows), "Start sharing") {
		t.Errorf("the page says %q while it shares", words(again.rows))
	}

	// The error of a name stands at the name.
	again.name.SetText("")
	again.pair()
	again.Until("it is refused", func() bool { return again.amiss.Visible() })
	if again.trouble.Visible() || again.amiss.Text == "" {
		t.Errorf("%q, under Join %q", again.amiss.Text, again.trouble.Text)
	}

	// Where the port is taken, a sentence says so, here and in the queue.
	listen := farmAddress(again)
	taken := newBenchOf(t, t.TempDir(), func(h *Host) { h.Sharing, h.Listen = true, listen })
	taken.Until("it says why it does not share", func() bool { return strings.Contains(taken.State.Farm.Why, "another program uses that port") })
	if taken.Choice.Visible() || !taken.silent.Visible() || taken.trouble.Visible() || len(taken.sharing) != 0 {
		t.Errorf("%q, %v", taken.silent.Text, taken.sharing)
	}
}

func farmAddress(b *bench) string {
	list := strings.Split(b.link.Now().Sharing, ", ")
	return list[len(list)-1]
}

// words are all texts of what is shown.
func words(c *fyne.Container) (text string) {
	for _, o := range c.Objects {
		switch o := o.(type) {
		case *fyne.Container:
			text += words(o)
		case *kit.Themed:
			text += words(container.NewStack(o.Content))
		case *widget.Label:
			text += o.Text + " "
		}
	}
	return text
}

// paired is a studio that shares its farm and shows the line for a laptop that asks for pictures.
func paired(t *testing.T) *bench {
	t.Helper()
	owner := newBench(t, t.TempDir())
	owner.shareIt()
	owner.name.SetText("laptop")
	owner.role.SetSelectedIndex(1)
	owner.pair()
	owner.Until("the line is there", func() bool { return owner.line.Text != "" })
	return owner
}

// joined is a computer that has joined the farm of a studio.
func joined(t *testing.T, change func(*Host)) (b *bench, dir string) {
	t.Helper()
	owner := paired(t)
	dir = t.TempDir()
	b = newBenchOf(t, dir, change)
	if b.host.Sharing { // which join takes back; a try that ends behind it would say that this computer belongs to another farm
		b.Until("it has tried to share", func() bool { return b.unshared != nil })
	}
	b.paste.SetText(owner.line.Text)
	b.join()
	b.Until("the farm is joined", func() bool { return b.State.Farm.Joined && b.joined.Visible() })
	return b, dir
}

// TestADamagedFarmIsSaid: a computer that cannot read which farm it belongs to says so, and not that it has none.
func TestADamagedFarmIsSaid(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "existing.json"), []byte(`{"server": "nats://10.0`), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, dir)
	b.Until("it is said", func() bool {
		b.Refresh()
		return b.trouble.Visible() && strings.Contains(b.trouble.Text, "existing.json is damaged")
	})
	if err := b.link.Leave(); err != nil {
		t.Fatal(err)
	}
	b.Until("it is over", func() bool { b.Refresh(); return !b.trouble.Visible() })
}

// TestSharingLeavesNoFarm: a computer that has joined a farm shares its own queue only after it has left that one, at the next start either.
func TestSharingLeavesNoFarm(t *testing.T) {
	other := newBench(t, t.TempDir())
	other.shareIt()
	b, dir := joined(t, func(h *Host) { h.Sharing, h.Listen = true, farmAddress(other) }) // it was to share, and the port was taken
	const why = "This computer belongs to another farm: leave it first."
	if !b.share.Disabled() || !b.silent.Visible() || b.silent.Text != why {
		t.Errorf("it can be shared: %v; it says %q", !b.share.Disabled(), b.silent.Text)
	}
	if err := b.link.Share(t.Context()); err == nil || !strings.Contains(err.Error(), "leave it first") {
		t.Errorf("it is shared: %v", err)
	}
	b.Until("it is not to share at the next start", func() bool { return len(b.sharing) > 0 && !b.sharing[len(b.sharing)-1] })
	next := newBenchOf(t, dir, func(h *Host) { h.Sharing = true }) // remembered by a Realword of before
	next.Until("it has a farm", func() bool { return next.State.Farm.Joined })
	next.Settle()
	if j, _, err := farm.Farm(dir, "x"); err != nil || j.Own {
		t.Errorf("the farm that was joined is forgotten: own %v, %v", j.Own, err)
	}
	if err := b.link.Leave(); err != nil {
		t.Fatal(err)
	}
	b.Until("it can be shared", func() bool { b.Refresh(); return !b.share.Disabled() && b.silent.Text != why })
}

// TestRowsStay: a computer makes a picture, and its row says the step, once a second. The rows stay the same ones, with the focus.
func TestRowsStay(t *testing.T) {
	b := newBench(t, t.TempDir())
	f := Farm{Reached: true, Sharing: "x", Keys: []farm.Key{{Name: "attic", Role: farm.Helper}}}
	b.refreshList(f)
	attic := b.known["1attic"]
	for step := range 3 {
		f.Status.Workers = []farm.WorkerInfo{{Name: "studio", Doing: "j.0", Step: step, Steps: 25, Prompt: "a dog"}}
		studio := b.known["1studio"]
		b.refreshList(f)
		if step > 0 && b.known["1studio"] != studio || b.known["1attic"] != attic || b.rows.Objects[len(b.rows.Objects)-1] != attic.body {
			t.Errorf("step %d: a row is another one", step)
		}
		if got := b.known["1studio"].doing.Text; !strings.Contains(got, fmt.Sprintf("step %d of 25", step)) {
			t.Errorf("it says %q", got)
		}
	}
	f.Keys = nil
	if b.refreshList(f); b.known["1attic"] != nil || len(b.rows.Objects) != 1 {
		t.Errorf("%d rows of one computer", len(b.rows.Objects))
	}
}

// macOS answers as if nobody were there while it asks the user: who joins a farm then need not try a second time.
func TestAFarmIsDialledWhileMacOSAsks(t *testing.T) {
	asks := errors.New("no route to host")
	asking := func(err error) bool { return errors.Is(err, asks) }
	for name, c := range map[string]struct {
		answers []error
		tries   int
		want    error
	}{
		"let in": {[]error{asks, asks, nil}, 3, nil}, "another trouble": {[]error{asks, farm.ErrRefused}, 2, farm.ErrRefused},
		"at once": {[]error{nil}, 1, nil}, "kept out": {slices.Repeat([]error{asks}, 100), 10, asks},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 9500*time.Millisecond)
			defer cancel()
			tries := 0
			_, err := patiently(ctx, asking, func() (*farm.Conn, error) { tries++; return nil, c.answers[tries-1] })
			if tries != c.tries || !errors.Is(err, c.want) {
				t.Errorf("%s: %d tries, then %v", name, tries, err)
			}
		})
	}
}
