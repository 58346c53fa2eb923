package computers

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"

	"realword/farm"
	"realword/inference"
	"realword/inference/memory"
	"realword/ui/state"
)

// Runner makes one job of the queue on the farm, and where it may be made here too, with this computer's help.
type Runner struct {
	page   *Page
	task   int
	where  state.Where
	engine Engine
	ahead  *ahead // nil: the job was not handed over yet
}

// ahead is a job that is handed over, mostly while it waits.
type ahead struct {
	line  *line
	ctx   context.Context // of the job
	stop  context.CancelFunc
	ready chan struct{}
	name  string        // after ready, as handed has it; "": the farm has got nothing
	job   inference.Job // after ready; nil: it could not be
	err   error
	done  func()      // the job has ended
	own   func() bool // has it no longer dropped where its farm is left; false: it was
}

// Runner is who makes a job; see package queue's Farm. What may be made here is made here where there is no farm.
func (p *Page) Runner(t state.Task) *Runner {
	r := &Runner{page: p, task: t.ID, where: t.Where, engine: p.host.Engine()}
	if a := p.jobs[t.ID]; a != nil && a.own() {
		r.ahead = a
	}
	delete(p.jobs, t.ID)
	return r
}

// Ahead hands a waiting job over.
func (p *Page) Ahead(t state.Task) {
	engine, before := p.host.Engine(), p.jobs[t.ID]
	if engine == nil || before != nil && before.ctx.Err() == nil {
		return
	}
	if l := p.link.enter(); l != nil {
		a := p.hand(l, engine, t.Request)
		a.own = context.AfterFunc(l.ctx, a.drop)
		p.jobs[t.ID] = a
	}
}

// hand hands a job over that has entered.
func (p *Page) hand(l *line, engine Engine, r inference.Request) *ahead {
	a := &ahead{line: l, ready: make(chan struct{})}
	a.ctx, a.stop = context.WithCancel(l.ctx)
	a.done = func() {
		a.stop()
		j, is := a.job.(*farm.Job)
		p.link.handed.end(a.name, is && j.Left())
		l.jobs.Done()
	}
	go func() {
		defer close(a.ready)
		q := l.Queue(engine.Manifest())
		q.Handing = func(job string) { a.name = p.link.handed.add(job, l.ID()) }
		if a.job, a.err = q.Start(a.ctx, r); a.err != nil {
			a.err = cmp.Or(context.Cause(a.ctx), a.err)
			p.link.handed.end(a.name, true) // whatever the farm has got of it
			l.jobs.Done()
		}
	}()
	return a
}

// Drop takes a job back that was handed over and is not wanted any more.
func (p *Page) Drop(task int) {
	if a := p.jobs[task]; a != nil {
		delete(p.jobs, task)
		if a.own() {
			go a.drop()
		}
	}
}

// Drop takes the job back that was handed over, where it does not begin.
func (r *Runner) Drop() {
	if r.ahead != nil {
		go r.ahead.drop()
	}
}

func (a *ahead) drop() {
	a.stop()
	if <-a.ready; a.job != nil {
		for range a.job.Events() { //nolint:revive // to its end
		}
		a.done()
	}
}

// Start begins the job, or goes on with it where it was handed over. While the farm is away it waits.
func (r *Runner) Start(ctx context.Context, request inference.Request) (inference.Job, error) {
	p, a := r.page, r.ahead
	if conn := p.link.Conn(); a == nil && r.where == state.First && (conn == nil || !conn.Connected()) {
		return r.engine.Start(ctx, request)
	}
	if a == nil {
		l := p.link.enter()
		if l == nil { // it was left since the job was to begin
			return nil, state.ErrRecalled
		}
		a = p.hand(l, r.engine, request)
	}
	context.AfterFunc(ctx, a.stop)
	select {
	case <-a.ready:
	case <-ctx.Done():
		go a.drop()
		return nil, ctx.Err()
	}
	if r.ahead != nil && a.err != nil && a.ctx.Err() == nil { // it was not taken when it waited still, and may be now
		a.stop()
		r.ahead = nil
		return r.Start(ctx, request)
	}
	if a.err != nil {
		a.stop()
		if errors.Is(a.err, context.Canceled) {
			return nil, a.err
		}
		return nil, state.NotTaken{Err: a.err}
	}
	w := &watched{Job: a.job, out: make(chan inference.Event)}
	free, gone := func() {}, func() {}
	if r.where == state.First {
		free, gone = r.help(a.line.Conn)
	}
	p.running.set(r.task, w)
	p.link.Look(true)
	go func() {
		defer a.done()
		w.pass(func() {
			free() // before the engine may be another one
			p.running.set(r.task, nil)
		})
		gone()
	}()
	return w, nil
}

// watched is a job on the farm whose pictures are looked for.
type watched struct {
	inference.Job
	out chan inference.Event
}

// watchedJobs are the jobs on the farm, by their tasks. They may be used from any goroutine.
type watchedJobs struct {
	mu   sync.Mutex
	jobs map[int]*watched
}

func (l *watchedJobs) set(task int, w *watched) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.jobs == nil {
		l.jobs = map[int]*watched{}
	}
	if l.jobs[task] = w; w == nil {
		delete(l.jobs, task)
	}
}

func (l *watchedJobs) of(task int) *watched {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.jobs[task]
}

func (l *watchedJobs) any() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.jobs) > 0
}

// Events implements inference.Job.
func (w *watched) Events() <-chan inference.Event { return w.out }

// pass hands the events on, and calls end before the last of them. It returns once the farm has nothing more to do with the job, for which
// nobody who reads the events waits.
func (w *watched) pass(end func()) {
	over := sync.OnceFunc(func() { close(w.out) })
	defer over()
	for e := range w.Job.Events() {
		switch e.(type) {
		case inference.Done, inference.Failed:
			end()
			w.out <- e
			over()
		default:
			w.out <- e
		}
	}
}

// help has this computer take pictures from the farm, too, until free is called, which returns once the engine here has nothing to do.
// gone waits for the farm, which gets what was in work.
func (r *Runner) help(conn *farm.Conn) (free, gone func()) {
	ctx, cancel := context.WithCancel(r.page.host.Context)
	m, h := r.engine.Manifest(), &helper{Engine: r.engine}
	o := farm.WorkerOptions{
		Name: hostname(), Version: r.page.host.Version,
		Models: []farm.Model{{ID: farm.ModelID(m), Name: m.Name, Engine: h}},
		Memory: func(context.Context) farm.Memory { return farm.MemoryHere() },
	}
	var done sync.WaitGroup
	done.Go(func() { _ = conn.Work(ctx, o) }) // that it cannot help is no trouble: others make the pictures
	return func() { cancel(); h.end() }, done.Wait
}

// helper is the engine of this computer while it helps.
type helper struct {
	Engine
	mu   sync.Mutex
	over bool
	busy sync.WaitGroup // grows under mu, and not once it is over
}

// Start implements farm.Engine.
func (h *helper) Start(ctx context.Context, r inference.Request) (inference.Job, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return nil, context.Canceled
	}
	job, err := h.Engine.Start(ctx, r)
	if err != nil {
		return nil, err
	}
	w := &watched{Job: job, out: make(chan inference.Event)}
	h.busy.Go(func() { w.pass(func() {}) })
	return w, nil
}

// Memory implements farm.Planner.
func (h *helper) Memory(r inference.Request) (plan memory.Plan, ok bool) {
	if p, is := h.Engine.(farm.Planner); is {
		return p.Memory(r)
	}
	return plan, false
}

// end waits for the job in work, and lets no other begin.
func (h *helper) end() {
	h.mu.Lock()
	h.over = true
	h.mu.Unlock()
	h.busy.Wait()
}

// makers are the computers with pictures of a job: those that are made, then those in work.
func makers(w *watched, workers []farm.WorkerInfo) (list []state.Maker) {
	if w == nil {
		return nil
	}
	j, ok := w.Job.(*farm.Job)
	if !ok {
		return nil
	}
	made := j.Makers()
	for n, name := range made {
		list = append(list, state.Maker{Picture: n, Computer: name, Made: true})
	}
	for _, w := range workers {
		id, picture, _ := strings.Cut(w.Doing, ".")
		n, err := strconv.Atoi(picture)
		if _, is := made[n]; err == nil && id == j.ID && !is {
			list = append(list, state.Maker{Picture: n, Computer: w.Name, Step: w.Step, Steps: w.Steps})
		}
	}
	slices.SortFunc(list, func(a, b state.Maker) int {
		return cmp.Or(cmp.Compare(a.Picture, b.Picture), strings.Compare(a.Computer, b.Computer))
	})
	return list
}

// helped tells whether a computer makes a job, or takes it in a moment; see Job.Helped.
func helped(w *watched, workers []farm.WorkerInfo) bool {
	j, ok := w.Job.(*farm.Job)
	return !ok || j.Helped(workers)
}
