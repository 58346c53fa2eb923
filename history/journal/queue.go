package journal

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"realword/history"
	"realword/inference"
	"realword/inference/recipe"
)

// job is where the history keeps a round that waits.
type job struct {
	id      uint64 // 0: not kept yet
	astray  bool   // it is behind others that are to wait behind it
	dropped bool   // taken out before it was kept
	left    bool   // see Leave
	round   uint64 // that it has become; 0: none yet
}

// job is what is known of a task. It belongs to a change.
func (j *Journal) job(task int) *job {
	k := j.jobs[task]
	if k == nil {
		k = &job{}
		j.jobs[task] = k
	}
	return k
}

// Enqueue keeps a round that waits, at the end of the queue. Task is the caller's number for it, never used for another one; the
// request is a resolved one for the named model, and parents are the pictures of the history that it goes on from. A task that is
// kept already, or that was dropped, stays as it is. What is asked for of a task that cannot be kept now is done once it can; its place is
// then the one that it has among the others.
func (j *Journal) Enqueue(task int, r inference.Request, model string, parents []uint64) {
	j.enqueue(j.current(), task, r, model, parents)
}

func (j *Journal) enqueue(to *session, task int, r inference.Request, model string, parents []uint64) {
	j.Do(func(s *history.Store) error {
		k := j.job(task)
		if k.dropped || k.id != 0 {
			return nil
		}
		if _, lacks := j.rest(s, task, r); !lacks {
			k.dropped = true
			return nil
		}
		if !slices.Contains(j.order, task) {
			j.order = append(j.order, task)
		}
		return j.keep(s, task, func(s *history.Store) error { return j.write(s, to, task, r, model, parents) })
	})
}

// write enqueues a task that is not kept yet, in its place.
func (j *Journal) write(s *history.Store, to *session, task int, r inference.Request, model string, parents []uint64) error {
	k := j.job(task)
	if k.id == 0 {
		r, _ := j.rest(s, task, r)
		plan, err := j.plan(s, to, r, model, parents)
		if err != nil {
			return err
		}
		k.id, err = s.Enqueue(plan, time.Now())
		if err != nil {
			return err
		}
		k.astray = slices.ContainsFunc(j.after(task), func(b int) bool { return j.job(b).id != 0 })
	}
	if k.astray {
		if err := j.place(s, task); err != nil {
			return err
		}
		k.astray = false
	}
	return nil
}

// after are the tasks that are to wait behind another one.
func (j *Journal) after(task int) []int {
	return j.order[slices.Index(j.order, task)+1:]
}

// place puts a task before the first of those in the queue that are to wait behind it.
func (j *Journal) place(s *history.Store, task int) error {
	jobs, err := s.Jobs()
	if err != nil {
		return err
	}
	k := j.job(task)
	jobs = slices.DeleteFunc(jobs, func(j history.Job) bool { return j.ID == k.id })
	place := len(jobs)
	for _, b := range j.after(task) {
		if i := slices.IndexFunc(jobs, func(one history.Job) bool { return one.ID == j.job(b).id }); i >= 0 {
			place = i
			break
		}
	}
	return gone(s.MoveJob(k.id, place))
}

// shift gives a task its place in the order, before another one, or at the end where that is not there.
func (j *Journal) shift(task, before int) {
	if j.order = j.without(task); slices.Contains(j.order, before) {
		j.order = slices.Insert(j.order, slices.Index(j.order, before), task)
	} else {
		j.order = append(j.order, task)
	}
}

// without is the order without a task.
func (j *Journal) without(task int) []int {
	return slices.DeleteFunc(j.order, func(t int) bool { return t == task })
}

// change makes a change of a task that is kept, or will be.
func (j *Journal) change(task int, change func(s *history.Store, k *job) error) {
	j.Do(func(s *history.Store) error {
		k := j.job(task)
		return j.keep(s, task, func(s *history.Store) error {
			if k.id == 0 {
				return nil
			}
			return gone(change(s, k))
		})
	})
}

// Amend gives a task that is kept and has not begun the request that an engine has made of it.
func (j *Journal) Amend(task int, r inference.Request, model string, parents []uint64) {
	j.change(task, func(s *history.Store, k *job) error {
		if k.round != 0 {
			return nil
		}
		plan, err := PlanOf(s, 0, r, model, existing(s, parents)...)
		if err == nil {
			err = s.SetPlan(k.id, plan)
		}
		return err
	})
}

// gone is an error of a change without that of a job which went with its session.
func gone(err error) error {
	if errors.Is(err, history.ErrNoJob) {
		return nil
	}
	return err
}

// Leave has a task that is about to run, or runs, wait for the next start, before all others: the program ends. From then on it stays in
// the queue, whatever its events say: what is made is what the next start finds finished. It must be kept.
func (j *Journal) Leave(task int) {
	j.Do(func(s *history.Store) error {
		k := j.job(task)
		if k.dropped {
			return nil
		}
		k.left = true
		j.order = slices.Insert(j.without(task), 0, task)
		if f := j.flight(task); f != nil {
			return j.shorten(s, f)
		}
		return nil
	})
	j.change(task, func(s *history.Store, k *job) error {
		if err := s.LeaveJob(k.id); err != nil || j.order[0] == task {
			return err
		}
		return j.place(s, task) // one that was left since, while this one could not be, comes first
	})
}

// plan is a round of a session.
func (j *Journal) plan(s *history.Store, to *session, r inference.Request, model string, parents []uint64) (history.Plan, error) {
	id, err := j.in(s, to)
	if err != nil {
		return history.Plan{}, err
	}
	return PlanOf(s, id, r, model, existing(s, parents)...)
}

// existing leaves out pictures that were deleted for good meanwhile.
func existing(s *history.Store, pictures []uint64) []uint64 {
	return slices.DeleteFunc(slices.Clone(pictures), func(id uint64) bool {
		_, err := s.Picture(id)
		return err != nil
	})
}

// errLeft is of a round that does not begin any more.
var errLeft = errors.New("the program ends")

// start begins the round of a task.
func (j *Journal) start(s *history.Store, to *session, task int, r inference.Request, model string,
	parents []uint64,
) (_ uint64, err error) {
	k := j.job(task)
	if k.left {
		return 0, errLeft
	}
	if !k.dropped { // else all that it was to make was in files before it could be written down
		if err := j.write(s, to, task, r, model, parents); err != nil {
			return 0, err
		}
		if k.round, err = s.StartJob(k.id, time.Now()); gone(err) != nil || err == nil {
			return k.round, err
		}
	}
	plan, err := j.plan(s, to, r, model, parents)
	if err == nil {
		k.round, err = s.BeginRound(plan, time.Now())
	}
	return k.round, err
}

// EnqueueRest is Enqueue for the cells that a grid still lacks: with the next start they join those of the round that another task has
// become.
func (j *Journal) EnqueueRest(task, of int, r inference.Request, model string, parents []uint64) {
	to, grid := j.current(), r.Grid.Clone()
	r.Grid = grid
	j.Do(func(*history.Store) error {
		grid.Of = j.job(of).round
		return nil
	})
	j.enqueue(to, task, r, model, parents)
}

// Adopt says which task a round is that waited in the history already.
func (j *Journal) Adopt(task int, w Waiting) {
	j.Do(func(*history.Store) error {
		j.job(task).id = w.Job
		j.shift(task, 0)
		return nil
	})
}

// flight is a task that runs, or has pictures that are nowhere yet; nil: it is neither.
func (j *Journal) flight(task int) *recording {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.flights[task]
}

// rest is what of a task has to wait, and whether anything of it has: what it has made while it had no round is not made again once it is
// in files.
func (j *Journal) rest(s *history.Store, task int, r inference.Request) (rest inference.Request, lacks bool) {
	if f := j.flight(task); f != nil && !j.begins(s, f) {
		return j.restOf(f)
	}
	return r, true
}

// begins tells whether a job has a round, or will have one.
func (j *Journal) begins(s *history.Store, f *recording) bool {
	k := j.job(f.task)
	return k.round != 0 || f.in(s) && !k.left
}

// restOf is rest of a job without a round.
func (j *Journal) restOf(f *recording) (rest inference.Request, lacks bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	rest = f.request
	var seeds []uint64
	for picture, seed := range rest.Seeds {
		filed, made := f.made[picture]
		over := rest.Grid != nil && slices.Contains(rest.Grid.Made, picture) || f.dropped && !made
		if !filed && !over {
			seeds = append(seeds, seed)
		}
	}
	if len(seeds) < len(rest.Seeds) && rest.Grid == nil { // a grid is made again: the history has none of its cells
		rest.Seeds, rest.From = seeds, nil
	}
	return rest, len(seeds) > 0
}

// shorten has a job without a round wait without what it does not lack any more.
func (j *Journal) shorten(s *history.Store, f *recording) error {
	k := j.job(f.task)
	if k.dropped || j.begins(s, f) {
		return nil
	}
	r, lacks := j.restOf(f)
	switch {
	case !lacks:
		return j.remove(s, f.task)
	case len(r.Seeds) == len(f.request.Seeds):
		return nil
	}
	return j.keep(s, f.task, func(s *history.Store) error {
		if k.id == 0 {
			return nil
		}
		said, err := recipe.New(r, f.Model)
		if err == nil {
			err = s.ShortenJob(k.id, said)
		}
		return gone(err)
	})
}

// Drop takes a task out of the queue, unless it was left, or is a round: that leaves it by its end. One that ran without a round waits
// until what it has made is in files.
func (j *Journal) Drop(task int) {
	j.Do(func(s *history.Store) error { return j.drop(s, task) })
}

func (j *Journal) drop(s *history.Store, task int) error {
	k := j.job(task)
	if k.left || k.round != 0 {
		return nil
	}
	if f := j.flight(task); f != nil && !f.in(s) {
		f.dropped = true
		return j.shorten(s, f)
	}
	return j.remove(s, task)
}

// remove takes a task out of the queue that is no round.
func (j *Journal) remove(s *history.Store, task int) error {
	k := j.job(task)
	k.dropped = true
	j.forget(task)
	if j.order = j.without(task); k.id == 0 {
		return nil
	}
	return j.keep(s, task, func(s *history.Store) error { return gone(s.RemoveJob(k.id)) })
}

// Move puts a task before another one, or with 0 at the end.
func (j *Journal) Move(task, before int) {
	j.Do(func(*history.Store) error { j.shift(task, before); return nil })
	j.change(task, func(s *history.Store, _ *job) error { return j.place(s, task) })
}

// Place says where a task is to be made; the caller knows what the word means.
func (j *Journal) Place(task int, where string) {
	j.change(task, func(s *history.Store, k *job) error { return s.SetWhere(k.id, where) })
}

// Unpark lets a task run again.
func (j *Journal) Unpark(task int) {
	j.change(task, func(s *history.Store, k *job) error { return s.Unpark(k.id) })
}

// Hold has a task let others go first, or not any more.
func (j *Journal) Hold(task int, on bool) {
	j.change(task, func(s *history.Store, k *job) error { return s.HoldJob(k.id, on) })
}

// Waiting is a round of the queue that does not run.
type Waiting struct {
	Job     uint64            // its number in the history
	Request inference.Request // with the bytes of its picture files, as far as they are kept
	Model   string            // that it was made for
	Parents []uint64          // pictures of the history that it goes on from
	Parked  bool              // the program died over it twice
	Held    bool              // its owner lets others go first
	Missing []string          // names of picture files that are gone: it cannot run
	Where   string            // see Place
}

// Queue reads the rounds that wait, in their order. Those with the same picture file share its bytes, which nobody changes. One that was
// written by a newer Realword stays for that one. Where a program died in a round, the pictures that it had finished are not made again,
// and a round that lacks none is no longer in the queue.
func Queue(s *history.Store) ([]Waiting, error) {
	jobs, err := s.Jobs()
	var list []Waiting
	pictures := map[string][]byte{} // a night's jobs have the same ones
	for _, j := range jobs {
		r, unknown := recipe.Parse(j.Recipe)
		if j.Round != 0 || unknown != nil {
			continue
		}
		if r.Grid != nil {
			if r.Grid.Of, r.Grid.Made = j.Resume, CellsOf(s, j.Resume); len(r.Grid.Made) == r.Grid.Len() {
				err = errors.Join(err, s.RemoveJob(j.ID))
				continue
			}
		} else if all := len(r.Seeds); len(j.Died) > 0 {
			r.Seeds = unfinished(s, j.Died, r.Seeds)
			shorter, bad := recipe.New(r.Request, r.Model)
			switch {
			case len(r.Seeds) == 0 && all > 0:
				err = errors.Join(err, s.RemoveJob(j.ID))
				continue
			case len(r.Seeds) < all && bad == nil:
				err = errors.Join(err, s.ShortenJob(j.ID, shorter))
			}
		}
		w := Waiting{Job: j.ID, Request: r.Request, Model: r.Model, Parents: j.Parents, Parked: j.Parked, Held: j.Held, Where: j.Where}
		for _, f := range w.Request.Files() {
			data, known := pictures[*f.SHA256]
			if !known {
				var gone error
				if data, gone = s.ReferenceData(*f.SHA256); gone != nil {
					w.Missing = append(w.Missing, f.Name)
				} else {
					pictures[*f.SHA256] = data
				}
			}
			*f.Data = data
		}
		list = append(list, w)
	}
	return list, err
}

// CellsOf are the cells of a grid that its round has finished, in order. A round that is not there has none.
func CellsOf(s *history.Store, round uint64) []int {
	r, err := s.Round(round)
	if err != nil {
		return nil
	}
	var made []int
	for _, p := range r.Pictures {
		if p.Cell > 0 && p.Finished() && p.Trashed.IsZero() {
			made = append(made, p.Cell-1)
		}
	}
	slices.Sort(made)
	return slices.Compact(made)
}

// RoundOf is the newest round of a recipe outside the trash; 0: there is none.
func RoundOf(s *history.Store, recipe []byte) uint64 {
	rounds, _ := s.Rounds() // one that cannot be read is not gone on with
	for _, r := range rounds {
		if bytes.Equal(r.Recipe, recipe) && r.Trashed.IsZero() {
			return r.ID
		}
	}
	return 0
}

// unfinished are the seeds of which no round has a finished picture.
func unfinished(s *history.Store, rounds, seeds []uint64) []uint64 {
	left := slices.Clone(seeds)
	for _, id := range rounds {
		r, err := s.Round(id)
		if err != nil { // it was deleted for good
			continue
		}
		for _, p := range r.Pictures {
			if i := slices.Index(left, p.Seed); i >= 0 && p.Finished() {
				left = slices.Delete(left, i, i+1)
			}
		}
	}
	return left
}
