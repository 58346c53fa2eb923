package journal

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"realword/history"
)

// undone is a change that could not be made yet: the disk was full, or its folder away.
type undone struct {
	of     any // what it changes, such as a task: changes of one thing are made in their order
	change func(*history.Store) error
	err    error // why it could not be made; nil: it was not tried
}

// retryEvery is how often what could not be done is tried again by itself.
const retryEvery = 3 * time.Second

// keep makes a change that must not be lost: where it cannot be made it is tried again, behind those of the same thing that came before. It
// belongs to a change, as all below but Retry and Unkept.
func (j *Journal) keep(s *history.Store, of any, change func(*history.Store) error) error {
	j.undone = append(j.undone, &undone{of: of, change: change})
	return j.catchUp(s, of)
}

// catchUp makes what could not be made before of one thing, or with nil of all, and tells why the first could not be made this time.
func (j *Journal) catchUp(s *history.Store, of any) (first error) {
	failed := map[any]bool{}
	j.undone = slices.DeleteFunc(j.undone, func(u *undone) bool {
		if of != nil && u.of != of || failed[u.of] {
			return false
		}
		u.err = u.change(s)
		first = cmp.Or(first, u.err)
		failed[u.of] = u.err != nil && !isGone(u.err)
		return !failed[u.of]
	})
	j.note()
	return first
}

// forget gives up what could not be done to a thing.
func (j *Journal) forget(of any) {
	j.undone = slices.DeleteFunc(j.undone, func(u *undone) bool { return u.of == of })
	j.note()
}

// note notes which tasks are not written down, and has what is undone tried again.
func (j *Journal) note() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.unkept = map[int]bool{}
	for _, u := range j.undone {
		if task, is := u.of.(int); is && j.job(task).id == 0 {
			j.unkept[task] = true
		}
	}
	if len(j.undone) > 0 && j.again == nil {
		j.again = time.AfterFunc(j.pause, func() {
			j.mu.Lock()
			j.again = nil
			j.mu.Unlock()
			j.Retry()
		})
	}
}

// late is why the first change that is still undone could not be made.
func (j *Journal) late() error {
	if i := slices.IndexFunc(j.undone, func(u *undone) bool { return u.err != nil }); i >= 0 {
		return j.undone[i].err
	}
	return nil
}

// isGone tells whether a change is of something that is not there any more: it can never be made.
func isGone(err error) bool {
	return slices.ContainsFunc([]error{
		history.ErrNoJob, history.ErrNotFound, history.ErrNoPicture, history.ErrNoSession,
	}, func(gone error) bool { return errors.Is(err, gone) })
}

// Retry asks for everything once more that could not be done.
func (j *Journal) Retry() {
	j.Do(func(s *history.Store) error { return j.catchUp(s, nil) })
}

// Unkept are the tasks that could not be written down yet: they are lost if the program ends now.
func (j *Journal) Unkept() map[int]bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.unkept
}
