package history

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// Job is a round that waits for its turn.
type Job struct {
	ID uint64 `json:"id"`
	Plan
	Added    time.Time `json:"added"`
	Attempts int       `json:"attempts,omitempty"` // begun, and not ended
	Round    uint64    `json:"running,omitempty"`  // that it has become; 0: it waits
	Parked   bool      `json:"parked,omitempty"`   // the program died over it twice: it waits for Unpark
	Died     []uint64  `json:"died,omitempty"`     // rounds of it in which the program died or ended
	Where    string    `json:"where,omitempty"`    // it is to be made, a word of the caller's
	Held     bool      `json:"held,omitempty"`     // its owner lets others go first
}

// Enqueue journals a round for later, at the end of the queue.
func (s *Store) Enqueue(p Plan, at time.Time) (uint64, error) {
	var id uint64
	err := s.update(func(c *change) (err error) {
		if p.Session != 0 {
			if _, err := getSession(c.Tx, p.Session); err != nil {
				return err
			}
		}
		for _, parent := range p.Parents {
			if _, err := getPicture(c.Tx, parent); err != nil {
				return fmt.Errorf("parent of the job: %w", err)
			}
		}
		if id, err = c.Bucket(jobBucket).newID(); err != nil {
			return err
		}
		return errors.Join(
			c.retainAll(p.References),
			put(c.Bucket(jobBucket), id, Job{ID: id, Plan: p, Added: at}),
			c.setOrder(append(order(c.Tx), id)),
		)
	})
	return made(id, err)
}

// Jobs returns the queue in its order.
func (s *Store) Jobs() ([]Job, error) { return read(s, allJobs) }

func allJobs(tx *bbolt.Tx) ([]Job, error) {
	var list []Job
	for _, id := range order(tx) {
		j, err := get[Job](tx, jobBucket, id, ErrNoJob)
		if err != nil {
			return nil, err
		}
		list = append(list, j)
	}
	return list, nil
}

// MoveJob puts a job at a place of the queue, 0 being the first.
func (s *Store) MoveJob(id uint64, place int) error {
	return s.update(func(c *change) error {
		ids := order(c.Tx)
		from := slices.Index(ids, id)
		if from < 0 {
			return fmt.Errorf("job %d: %w", id, ErrNoJob)
		}
		ids = slices.Delete(ids, from, from+1)
		return c.setOrder(slices.Insert(ids, min(max(place, 0), len(ids)), id))
	})
}

// RemoveJob takes a job out of the queue. A round that it has become stays.
func (s *Store) RemoveJob(id uint64) error {
	return s.update(func(c *change) error { return c.removeJob(id) })
}

func (c *change) removeJob(id uint64) error {
	j, err := get[Job](c.Tx, jobBucket, id, ErrNoJob)
	if err != nil {
		return err
	}
	return errors.Join(
		c.releaseAll(j.References),
		c.Bucket(jobBucket).Delete(key(id)),
		c.setOrder(without(order(c.Tx), id)),
	)
}

// StartJob begins the round of a job. The job stays in the queue until End of that round, so a crash does not lose it; after
// the second crash it is parked.
func (s *Store) StartJob(id uint64, at time.Time) (uint64, error) {
	var r Round
	err := s.update(func(c *change) error {
		return edit(c, jobBucket, id, ErrNoJob, func(j *Job) error {
			if j.Parked || j.Round != 0 {
				return fmt.Errorf("job %d is parked or running: unpark it or wait", id)
			}
			r = Round{Plan: j.Plan, Started: at, Status: Interrupted, Job: id}
			err := c.beginRound(&r)
			j.Attempts, j.Round, j.Session = j.Attempts+1, r.ID, r.Session
			return err
		})
	})
	return made(r.ID, err)
}

// LeaveJob has a job that runs wait for the next start of the program, before all others: the program ends while it runs, which is
// no crash. Its round stays Interrupted, whatever End says of it, and pictures that are still finished count as those of a round in which
// the program died. A job that does not run comes first and stays as it is.
func (s *Store) LeaveJob(id uint64) error {
	return s.update(func(c *change) error {
		err := edit(c, jobBucket, id, ErrNoJob, func(j *Job) error {
			if j.Round != 0 {
				j.wait()
				j.Attempts--
			}
			return nil
		})
		if err != nil {
			return err
		}
		return c.setOrder(append([]uint64{id}, without(order(c.Tx), id)...))
	})
}

// wait has a job wait again whose round does not go on.
func (j *Job) wait() {
	if j.Grid {
		j.Resume = j.Round
	}
	j.Died, j.Round = append(j.Died, j.Round), 0
}

// SetPlan gives a job that waits another plan. It stays in its session.
func (s *Store) SetPlan(id uint64, p Plan) error {
	return s.update(func(c *change) error {
		return edit(c, jobBucket, id, ErrNoJob, func(j *Job) error {
			if j.Round != 0 {
				return fmt.Errorf("job %d runs: its plan is that of its round", id)
			}
			old := j.References
			p.Session = j.Session
			j.Plan = p
			return errors.Join(c.retainAll(p.References), c.releaseAll(old))
		})
	})
}

// Unpark lets a job run again.
func (s *Store) Unpark(id uint64) error {
	return s.update(func(c *change) error {
		return edit(c, jobBucket, id, ErrNoJob, func(j *Job) error {
			j.Parked, j.Attempts = false, 0
			return nil
		})
	})
}

// SetWhere says where a job is to be made.
func (s *Store) SetWhere(id uint64, where string) error {
	return s.update(func(c *change) error {
		return edit(c, jobBucket, id, ErrNoJob, func(j *Job) error {
			j.Where = where
			return nil
		})
	})
}

// HoldJob has a job that waits let others go first, or not any more.
func (s *Store) HoldJob(id uint64, on bool) error {
	return s.update(func(c *change) error {
		return edit(c, jobBucket, id, ErrNoJob, func(j *Job) error { j.Held = on; return nil })
	})
}

// ShortenJob gives a job that waits the recipe of what is left of it: the pictures of the rounds in which the program died are made.
func (s *Store) ShortenJob(id uint64, recipe json.RawMessage) error {
	return s.update(func(c *change) error {
		return edit(c, jobBucket, id, ErrNoJob, func(j *Job) error {
			j.Recipe, j.Died = recipe, nil
			return nil
		})
	})
}

// parkCrashed lets the jobs wait again that ran when the program died, and parks those that it died over twice.
func (c *change) parkCrashed() error {
	jobs, err := allJobs(c.Tx)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if j.Round == 0 {
			continue
		}
		j.wait()
		j.Parked = j.Attempts >= 2
		if err := put(c.Bucket(jobBucket), j.ID, j); err != nil {
			return err
		}
	}
	return nil
}

func order(tx *bbolt.Tx) []uint64 {
	var ids []uint64
	b := in(tx, metaBucket).Get(orderKey)
	if b != nil {
		b = unseal(metaBucket, orderKey, b)
	}
	for ; len(b) >= 8; b = b[8:] {
		ids = append(ids, binary.BigEndian.Uint64(b))
	}
	return ids
}

func (c *change) setOrder(ids []uint64) error {
	return c.Bucket(metaBucket).Put(orderKey, seal(metaBucket, orderKey, key(ids...)))
}
