// Package journal maps runs to the history and back: what is kept of a round while it runs, the rounds that wait, and how an earlier
// picture was made.
//
// Contract: window and command line record through this package, so both keep the same of a round. It imports inference and history
// and no toolkit of windows; what a draft is, only the caller knows. A Recorder writes at once on its caller's goroutine; a Journal
// puts everything that changes the history into one order, on a goroutine of its own, and owns the session that things go to: where that
// was deleted for good, what comes next begins another.
// Pictures matter more than the journal: what goes wrong here is told and stops no run. Changes of jobs that wait, and drafts, are not
// given up: while one cannot be made, that is what is told of all others too, and it is tried again until it can.
package journal

import (
	"cmp"
	"errors"
	"image"
	"sync"
	"sync/atomic"
	"time"

	"realword/history"
	"realword/inference"
	"realword/inference/message"
)

// Journal makes the changes of a history in the order in which they are asked for, on a goroutine of its own. It may be used from
// any goroutine. Without a store it does nothing.
type Journal struct {
	Budget atomic.Int64 // of step data, in bytes; 0: no limit
	Thumb  atomic.Int64 // longer side of thumbnails, in pixels

	// Stopped is told of a picture of a recorded round that was stopped behind a step; set before the first round. still tells whether
	// things go to the session still that they went to when the round began; it may be called from any goroutine, now and later.
	Stopped func(picture uint64, still func() bool)

	told  func(error) // of every change: nil, or why it, or one before that must not be lost, was not made
	idle  func()      // nothing waits any more
	begun func()      // a session was

	mu      sync.Mutex
	store   *history.Store
	waiting []func(*history.Store) error
	busy    bool
	done    *sync.Cond                    // busy has become false
	made    map[*image.NRGBA]finishedShot // finished pictures whose files are still being written
	session *session                      // that rounds and drafts go to from now on
	drafts  map[*session]*draft           // that are not kept yet, the newest of each session
	running map[uint64]bool               // rounds whose events still come
	flights map[int]*recording            // of tasks, until all of their events, and all of their pictures' files, have come
	over    int                           // rounds whose events have all been recorded

	unkept map[int]bool // tasks that could not be written down yet
	again  *time.Timer  // to the next try of what could not be done; nil: none is due

	pause  time.Duration // before what could not be done is tried again
	jobs   map[int]*job  // of the caller's tasks; belongs to the changes, as the next two do
	order  []int         // of the tasks, as they are to wait
	undone []*undone
}

// session is one that things were asked to go to. A change may begin it later.
type session struct{ id atomic.Uint64 } // 0 until it is begun

// deleted tells whether it was deleted for good.
func (to *session) deleted(s *history.Store) bool {
	id := to.id.Load()
	_, err := s.Session(id)
	return id != 0 && errors.Is(err, history.ErrNoSession)
}

// draft is settings of a session, with the pictures that they need.
type draft struct {
	data       []byte
	references []inference.Reference
	late       bool // it, or one before it, could not be kept
	// written is how many of its pictures the history has with its words, and one more; 0 before it has them. It belongs to the changes.
	written int
}

// finishedShot is a picture that the engine has made.
type finishedShot struct {
	round *recording
	ready inference.PictureReady
}

// recording is a job whose events come. Its round ends in the history once its finished pictures are in files or kept: until then the job
// stays in the queue, so that a program that dies makes again what is nowhere. Where it has no round, as it began before there was a store,
// or in one that is lost, the job waits without the pictures that are in files. It belongs to the changes.
type recording struct {
	*Recorder
	unfiled int             // finished pictures that are neither yet
	end     inference.Event // the last one, while there are such; nil: it has not come, or is recorded
	lost    error           // why a step is not kept; nil: all are
	task    int
	over    bool // all events have come
	dropped bool // what it has not made is not wanted any more

	made map[int]bool // pictures that are made, and whether they are in files or kept; belongs to mu, as the next
	out  bool         // all events have come
}

// in tells whether its round is one of a store, or is to be.
func (r *recording) in(s *history.Store) bool { return r.store == s }

func (r *recording) event(e inference.Event) error {
	switch e.(type) {
	case inference.PictureReady:
		r.unfiled++
	case inference.Done, inference.Failed:
		if r.unfiled > 0 {
			r.end = e
			return nil
		}
	case inference.StepDone:
		err := r.Event(e)
		r.lost = cmp.Or(r.lost, err)
		return err
	}
	return r.Event(e)
}

// mostWaiting is how many changes may wait before steps are left out: each holds its tensors, and what waits is lost if the program dies.
const mostWaiting = 100

var errSlowDisk = message.New("pictures are made faster than the disk of the history can take their steps: the steps of some are not kept")

// leaveOut keeps no more steps of a picture.
func (r *recording) leaveOut(picture int) error {
	r.gaps[picture] = true
	r.lost = cmp.Or(r.lost, errSlowDisk)
	return errSlowDisk
}

// filed notes that one picture less is nowhere.
func (r *recording) filed() error {
	r.unfiled--
	end := r.end
	if r.unfiled > 0 || end == nil {
		return nil
	}
	r.end = nil
	return r.Event(end)
}

// New begins a journal without a store. told is called after every change with nil, or why it was not made; idle when nothing waits
// any more; begun when Session has changed because something needed one. All three, and Stopped, are called on the journal's goroutine.
func New(told func(error), idle, begun func()) *Journal {
	j := &Journal{
		told: told, idle: idle, begun: begun, made: map[*image.NRGBA]finishedShot{}, session: &session{}, running: map[uint64]bool{},
		flights: map[int]*recording{}, jobs: map[int]*job{}, drafts: map[*session]*draft{}, pause: retryEvery,
	}
	j.done = sync.NewCond(&j.mu)
	return j
}

// Open gives the journal its store, which Close closes.
func (j *Journal) Open(s *history.Store) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.store = s
}

// Store is the store for reading, nil without one.
func (j *Journal) Store() *history.Store {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.store
}

// Do asks for a change.
func (j *Journal) Do(change func(*history.Store) error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.store == nil {
		return
	}
	j.waiting = append(j.waiting, change)
	if !j.busy {
		j.busy = true
		go j.work()
	}
}

func (j *Journal) work() {
	for {
		j.mu.Lock()
		if len(j.waiting) == 0 {
			j.busy = false
			j.done.Broadcast()
			j.mu.Unlock()
			j.idle()
			return
		}
		change, store := j.waiting[0], j.store
		j.waiting = j.waiting[1:]
		j.mu.Unlock()
		err := change(store)
		if errors.Is(err, errLeft) {
			err = nil
		}
		j.told(cmp.Or(err, j.late()))
	}
}

// behind is how many changes wait.
func (j *Journal) behind() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.waiting)
}

// Working tells whether changes wait.
func (j *Journal) Working() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.busy
}

// Close waits for what was asked for, tries once more what could not be done, and closes the store. Of another one that is opened later the
// journal knows nothing yet.
func (j *Journal) Close() error {
	j.Retry()
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.busy {
		j.done.Wait()
	}
	if j.store == nil {
		return nil
	}
	err := j.store.Close()
	j.store, j.session, j.jobs, j.order, j.undone, j.unkept = nil, &session{}, map[int]*job{}, nil, nil, nil
	clear(j.drafts)
	return err
}

// Tasks are the numbers that waiting tasks have in the history. It waits for what was asked for.
func (j *Journal) Tasks() map[int]uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.busy {
		j.done.Wait()
	}
	tasks := map[int]uint64{}
	for task, k := range j.jobs {
		if k.id != 0 && k.round == 0 && !k.dropped {
			tasks[task] = k.id
		}
	}
	return tasks
}

// SetSession has what is asked for from now on go to another session, 0 for one that is begun when it is needed.
func (j *Journal) SetSession(id uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.session = j.unkeptIn(id); j.session == nil {
		j.session = &session{}
		j.session.id.Store(id)
	}
}

// unkeptIn is the session of that number that has a draft which is not kept yet; nil: there is none. It belongs to mu.
func (j *Journal) unkeptIn(id uint64) *session {
	for to := range j.drafts {
		if id != 0 && to.id.Load() == id {
			return to
		}
	}
	return nil
}

// Apart has what is asked for from now on go to a session of its own, which is begun when it is needed. own is the number of the session of
// before, and back has what is asked for afterwards go there again.
func (j *Journal) Apart() (own func() uint64, back func()) {
	was := j.current()
	j.SetSession(0)
	return was.id.Load, func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.session = was
	}
}

// Session is the session that things go to, 0 for one that is not begun yet.
func (j *Journal) Session() uint64 { return j.current().id.Load() }

func (j *Journal) current() *session {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.session
}

// in is the number of a session; it begins one that was not begun, and another one where it was deleted for good. It belongs to a change.
func (j *Journal) in(s *history.Store, to *session) (uint64, error) {
	if id := to.id.Load(); id != 0 && !to.deleted(s) {
		return id, nil
	}
	id, err := s.NewSession("", time.Now())
	if err == nil {
		to.id.Store(id)
		j.begun()
	}
	return id, err
}

// Record journals a round from its begin, and passes the events of its job on, each once it will be journalled: no screen waits for a disk.
// The round is that of a task, or one that was never enqueued; see Enqueue for the arguments. Each finished picture has to come to Saved or
// Unsaved: the round ends, and its job leaves the queue, when the last of them was recorded. When all events have come, the oldest step
// data beyond Budget goes. Steps that the disk is too slow for are left out. Without a store nothing is recorded of the round; a task that
// is enqueued when there is one waits, until it is dropped, without the pictures that are in files.
func (j *Journal) Record(task int, r inference.Request, model string, parents []uint64,
	events <-chan inference.Event,
) <-chan inference.Event {
	rec := &recording{Recorder: NewRecorder(j.Store(), 0, r), task: task, made: map[int]bool{}}
	rec.Model = model
	rec.Thumb = int(j.Thumb.Load())
	to := j.current()
	j.mu.Lock()
	j.flights[task] = rec
	j.mu.Unlock()
	j.Do(func(s *history.Store) error {
		rec.store = s
		rec.begin = func() (uint64, error) {
			round, err := j.start(s, to, task, r, model, parents)
			j.runs(round, true)
			return round, err
		}
		rec.Round, rec.failed = rec.begin()
		return rec.failed
	})
	record := func(change func() error) {
		j.Do(func(s *history.Store) error {
			if !rec.in(s) {
				return nil
			}
			return change()
		})
	}
	out := make(chan inference.Event)
	go func() {
		defer close(out)
		stepped, of := false, 0
		gap := -1 // the picture of which steps are left out
		for e := range events {
			switch e := e.(type) {
			case inference.StepDone:
				stepped, of = true, e.Picture
			case inference.PictureReady:
				stepped = false
				j.mu.Lock()
				j.made[e.Image], rec.made[e.Picture] = finishedShot{rec, e}, false
				j.mu.Unlock()
			}
			// Asked for first: who has seen the end of a job may close the journal, and the job would wait at the next start.
			if step, is := e.(inference.StepDone); is && step.Picture != gap && j.behind() > mostWaiting {
				gap = step.Picture
				record(func() error { return rec.leaveOut(step.Picture) })
			} else if !is || step.Picture != gap {
				record(func() error { return rec.event(e) })
			}
			out <- e
		}
		j.mu.Lock()
		rec.out = true
		j.land(rec)
		j.mu.Unlock()
		j.Do(func(s *history.Store) error {
			rec.over = true
			if j.runs(rec.Round, false); !rec.in(s) {
				return nil
			}
			if rec.failed != nil {
				return cmp.Or(j.unneeded(s, rec), rec.failed)
			}
			if id := rec.Picture(of); stepped && id != 0 && j.Stopped != nil {
				j.Stopped(id, func() bool { return j.current() == to })
			}
			err := Trim(s, j.Budget.Load())
			return cmp.Or(rec.lost, err) // once more: what was recorded behind it has made it look mended
		})
	}()
	return out
}

func (j *Journal) runs(round uint64, on bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if delete(j.running, round); on && round != 0 {
		j.running[round] = true
	} else if !on {
		j.over++
	}
}

// Over is how many rounds have been recorded to their end: another number says that a job has ended, also one that was stopped.
func (j *Journal) Over() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.over
}

// Runs tells whether a round is being recorded. It may be called from any goroutine.
func (j *Journal) Runs(round uint64) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.running[round]
}

// Trim drops the oldest step data beyond a budget in bytes; 0 is no limit.
func Trim(s *history.Store, budget int64) error {
	if budget <= 0 {
		return nil
	}
	_, err := s.TrimSteps(budget)
	return err
}

// unneeded takes the job of a round that could never begin out of the queue when it is over, and its pictures are in files: it would be
// made again.
func (j *Journal) unneeded(s *history.Store, r *recording) error {
	if r.over && r.failed != nil && r.unfiled <= 0 {
		return j.drop(s, r.task)
	}
	return nil
}

// land forgets a job that has nothing more to come. It belongs to mu.
func (j *Journal) land(r *recording) {
	if r.out && len(r.nowhere()) == 0 && j.flights[r.task] == r {
		delete(j.flights, r.task)
	}
}

// nowhere are its pictures that are made, and neither in files nor kept. It belongs to mu.
func (r *recording) nowhere() []int {
	var list []int
	for picture, filed := range r.made {
		if !filed {
			list = append(list, picture)
		}
	}
	return list
}

// Saved journals the file of a finished picture of a job that came through Record. Of a recorded round it belongs to the history then:
// sha256 is that of its bytes, and then is told the picture's number in the history, on the journal's goroutine.
func (j *Journal) Saved(ready inference.PictureReady, file, sha256 string, then func(picture uint64)) {
	made, ok := j.take(ready.Image)
	if !ok {
		return
	}
	j.Do(func(s *history.Store) error {
		if !made.round.in(s) {
			return j.shorten(s, made.round)
		}
		err := made.round.Saved(made.ready, file, sha256)
		if id := made.round.Picture(ready.Picture); err == nil && id != 0 {
			then(id)
		}
		err = errors.Join(err, made.round.filed()) // also where it could not be recorded: the picture is in its file
		return errors.Join(err, j.unneeded(s, made.round), j.shorten(s, made.round))
	})
}

// Unsaved journals a finished picture of a recorded round whose file could not be written: png is what would be in it. then is told its
// number once it is kept, on the journal's goroutine.
func (j *Journal) Unsaved(ready inference.PictureReady, png []byte, then func(picture uint64)) {
	j.mu.Lock()
	made, ok := j.made[ready.Image]
	j.mu.Unlock()
	if !ok || len(png) == 0 {
		return
	}
	j.Do(func(s *history.Store) error {
		if !made.round.in(s) {
			return nil
		}
		err := made.round.Unsaved(made.ready, png)
		if id := made.round.Picture(ready.Picture); err == nil && id != 0 {
			j.take(ready.Image)
			then(id)
			err = made.round.filed()
		}
		return err
	})
}

// take is a finished picture whose file is being written; it is not any more.
func (j *Journal) take(img *image.NRGBA) (finishedShot, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	made, ok := j.made[img]
	if delete(j.made, img); ok {
		made.round.made[made.ready.Picture] = true
		j.land(made.round)
	}
	return made, ok
}

// Filed journals the file of a picture of the history that was in none. With its SHA-256 it belongs to the history.
func (j *Journal) Filed(picture uint64, file, sha256 string) {
	j.Do(func(s *history.Store) error {
		return s.FinishPicture(picture, history.Picture{File: file, SHA256: sha256})
	})
}

// KeepDraft journals the settings of the session as they stand, with the pictures that they need. Those without bytes are missing already.
// What of them cannot be kept is tried again, until newer ones of the session come.
func (j *Journal) KeepDraft(data []byte, references []inference.Reference) {
	to := j.current()
	j.mu.Lock()
	if was := j.drafts[to]; j.store != nil {
		j.drafts[to] = &draft{data: data, references: references, late: was != nil && was.late}
	}
	j.mu.Unlock()
	j.Do(func(s *history.Store) error {
		j.forget(to)
		return j.keep(s, to, func(s *history.Store) error { return j.keepDraft(s, to) })
	})
}

// Unwritten is the draft of a session that is not kept yet, with its pictures; nil: what the store has is the newest.
func (j *Journal) Unwritten(session uint64) ([]byte, []inference.Reference) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if to := j.unkeptIn(session); to != nil {
		return j.drafts[to].data, j.drafts[to].references
	}
	return nil, nil
}

// Undrafted tells whether there is a draft that could not be kept yet: what it has is lost if the program ends now.
func (j *Journal) Undrafted() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, d := range j.drafts {
		if d.late {
			return true
		}
	}
	return false
}

// keepDraft keeps the newest draft of a session, where it is not kept yet.
func (j *Journal) keepDraft(s *history.Store, to *session) error {
	j.mu.Lock()
	d := j.drafts[to]
	j.mu.Unlock()
	if d == nil {
		return nil
	}
	var err error
	if to == j.current() || !to.deleted(s) { // else its draft went with it
		err = j.writeDraft(s, to, d)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if d.late = err != nil; j.drafts[to] == d && err == nil {
		delete(j.drafts, to)
	}
	return err
}

func (j *Journal) writeDraft(s *history.Store, to *session, d *draft) error {
	was := to.id.Load()
	session, err := j.in(s, to)
	if err != nil {
		return err
	}
	if session != was {
		d.written = 0
	}
	var kept []history.Reference
	var lost error
	for _, r := range d.references {
		named := history.Reference{Name: r.Name, SHA256: r.SHA256}
		ref, err := s.PutReference(named, r.Data)
		if err != nil && !errors.Is(err, history.ErrNoReference) {
			lost = cmp.Or(lost, err)
			ref, err = s.PutReference(named, nil) // its folder is away, and may come back
		}
		if err == nil {
			kept = append(kept, ref)
		}
	}
	if have := len(kept) + 1; have > d.written { // else a try would only write the same again
		if err := s.SetDraft(session, d.data, kept); err != nil {
			return err
		}
		d.written = have
	}
	return lost
}
