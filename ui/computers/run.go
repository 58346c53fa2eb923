package computers

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"

	"realword/farm"
	"realword/inference"
	"realword/ui/i18n"
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

// ahead is a job that was handed over while it waits.
type ahead struct {
	ready chan struct{}
	job   inference.Job // after ready; nil: it could not be
	err   error
	stop  context.CancelFunc
	done  func() // the job has ended
}

// Runner is who makes a job; see package queue's Farm. What may be made here is made here where there is no farm.
func (p *Page) Runner(t state.Task) *Runner {
	r := &Runner{p, t.ID, t.Where, p.host.Engine(), p.jobs[t.ID]}
	delete(p.jobs, t.ID)
	return r
}

// Ahead hands a waiting job over.
func (p *Page) Ahead(t state.Task) {
	conn, engine := p.link.Conn(), p.host.Engine()
	if conn == nil || engine == nil || p.jobs[t.ID] != nil {
		return
	}
	ctx, stop := context.WithCancel(p.host.Context)
	a := &ahead{ready: make(chan struct{}), stop: stop}
	a.done = func() {
		p.link.handed.end(a.job)
		p.link.jobs.Done()
	}
	p.jobs[t.ID] = a
	queue := conn.Queue(engine.Manifest())
	p.link.jobs.Add(1)
	go func() {
		defer close(a.ready)
		if a.job, a.err = queue.Start(ctx, t.Request); a.err != nil {
			p.link.jobs.Done()
		} else {
			p.link.handed.add(a.job)
		}
	}()
}

// Drop takes a job back that was handed over and is not wanted any more.
func (p *Page) Drop(task int) {
	if a := p.jobs[task]; a != nil {
		delete(p.jobs, task)
		go a.drop()
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
	conn := p.link.Conn()
	if a == nil && r.where == state.First && (conn == nil || !conn.Connected()) {
		return r.engine.Start(ctx, request)
	}
	var job inference.Job
	var err error
	switch {
	case a != nil:
		stop := context.AfterFunc(ctx, a.stop)
		select {
		case <-a.ready:
		case <-ctx.Done():
			go a.drop()
			return nil, ctx.Err()
		}
		if job, err = a.job, a.err; err != nil {
			stop()
			a.stop()
			return nil, err
		}
	case conn == nil:
		return nil, i18n.Errorf("no farm is joined: choose “Here” for the job, or join a farm under Computers")
	default:
		p.link.jobs.Add(1)
		if job, err = conn.Queue(r.engine.Manifest()).Start(ctx, request); err != nil {
			p.link.jobs.Done()
			return nil, err
		}
		p.link.handed.add(job)
	}
	w := &watched{Job: job, out: make(chan inference.Event)}
	helping := func() {}
	if conn != nil && r.where == state.First {
		helping = r.help(conn)
	}
	p.running.set(r.task, w)
	p.link.Look(true)
	go func() {
		defer p.link.jobs.Done()
		defer p.link.handed.end(job)
		defer close(w.out)
		for e := range job.Events() {
			switch e.(type) {
			case inference.Done, inference.Failed:
				helping() // before the engine may be another one
				p.running.set(r.task, nil)
			}
			w.out <- e
		}
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

// help has this computer take pictures from the farm, too, until what it answers is called.
func (r *Runner) help(conn *farm.Conn) (stop func()) {
	ctx, cancel := context.WithCancel(r.page.host.Context)
	m := r.engine.Manifest()
	o := farm.WorkerOptions{
		Name: hostname(), Version: r.page.host.Version,
		Models: []farm.Model{{ID: farm.ModelID(m), Name: m.Name, Engine: r.engine}},
		Memory: func(context.Context) farm.Memory { return farm.MemoryHere() },
	}
	var done sync.WaitGroup
	done.Go(func() { _ = conn.Work(ctx, o) }) // that it cannot help is no trouble: others make the pictures
	return func() {
		cancel()
		done.Wait()
	}
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
