package history

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// NewSession begins a session.
func (s *Store) NewSession(name string, at time.Time) (uint64, error) {
	var out Session
	err := s.update(func(c *change) (err error) {
		out, err = c.newSession(Session{Name: name, Created: at})
		return err
	})
	return made(out.ID, err)
}

// made is the number of what a change was to make; 0: it was not.
func made(id uint64, err error) (uint64, error) {
	if err != nil {
		return 0, err
	}
	return id, nil
}

func (c *change) newSession(s Session) (Session, error) {
	b := c.Bucket(sessionBucket)
	id, err := b.idFor(s.ID)
	if err != nil {
		return s, err
	}
	if s.ID = id; s.UID == "" {
		s.UID = newUID()
	}
	return s, errors.Join(put(b, id, s), c.putUID(SessionItem, s.UID, id))
}

// Join is the session here that is the same as one of another history. Where there is none, it begins, and becomes one with that when the
// histories come together.
func (s *Store) Join(of Session) (id uint64, err error) {
	err = s.update(func(c *change) error {
		if id = c.known(SessionItem, of.UID); id != 0 {
			return nil
		}
		one, err := c.newSession(Session{UID: of.UID, Name: of.Name, Created: of.Created})
		id = one.ID
		return err
	})
	return made(id, err)
}

// Called is the picture here that has a UID; 0: there is none.
func (s *Store) Called(uid string) (id uint64, err error) {
	return read(s, func(tx *bbolt.Tx) (uint64, error) { return known(tx, PictureItem, uid), nil })
}

// Sessions returns every session, the newest first, also those in the trash.
func (s *Store) Sessions() ([]Session, error) {
	var list []Session
	err := s.view(func(tx *bbolt.Tx) error {
		return in(tx, sessionBucket).ForEach(func(_, value []byte) error {
			one, err := decode[Session](tx, sessionBucket, value)
			list = append(list, one)
			return err
		})
	})
	slices.Reverse(list)
	return list, err
}

// Session returns one session, or ErrNoSession.
func (s *Store) Session(id uint64) (Session, error) {
	return read(s, func(tx *bbolt.Tx) (Session, error) { return getSession(tx, id) })
}

// RenameSession gives a session a name.
func (s *Store) RenameSession(id uint64, name string) error {
	return s.update(func(c *change) error {
		return edit(c, sessionBucket, id, ErrNoSession, func(one *Session) error {
			one.Name = name
			return nil
		})
	})
}

// SetDraft journals the settings of a session as they stand, with the references that they need.
func (s *Store) SetDraft(id uint64, draft json.RawMessage, references []Reference) error {
	return s.update(func(c *change) error {
		return edit(c, sessionBucket, id, ErrNoSession, func(one *Session) error {
			old := one.References
			one.Draft, one.References = draft, references
			return errors.Join(c.retainAll(references), c.releaseAll(old))
		})
	})
}

// BeginRound journals a new round, or has the one go on that the plan says, and returns its ID. IDs grow, and are never used again. A plan
// without a session, or of one in the trash, begins a session.
func (s *Store) BeginRound(p Plan, at time.Time) (uint64, error) {
	r := Round{Plan: p, Started: at, Status: Interrupted}
	err := s.update(func(c *change) error { return c.beginRound(&r) })
	return made(r.ID, err)
}

func (c *change) beginRound(r *Round) (err error) {
	if r.Resume != 0 {
		old, err := getRound(c.Tx, r.Resume)
		if err == nil && old.Trashed.IsZero() && !c.thrownAway(old.Session) {
			old.Status, old.Ended, old.Error, old.Job = Interrupted, time.Time{}, "", r.Job
			*r = old
			return put(c.Bucket(roundBucket), r.ID, r)
		}
		r.Resume = 0 // it has gone
	}
	if r.Session == 0 || c.thrownAway(r.Session) {
		if err := c.anotherSession(r); err != nil {
			return err
		}
	}
	if r.ID, err = c.Bucket(roundBucket).idFor(r.ID); err != nil {
		return err
	}
	return c.putNewRound(r)
}

// thrownAway tells whether a session is in the trash.
func (c *change) thrownAway(session uint64) bool {
	one, err := getSession(c.Tx, session)
	return err == nil && !one.Trashed.IsZero()
}

// anotherSession begins the session of a round. Where its own was thrown away, the new one has its name, and the jobs of it that wait go
// along: what they make would be in the trash.
func (c *change) anotherSession(r *Round) error {
	was := r.Session
	old, _ := getSession(c.Tx, was) // where there is none, the name is empty
	session, err := c.newSession(Session{Name: old.Name, Created: r.Started})
	if err != nil {
		return err
	}
	r.Session = session.ID
	if was == 0 {
		return nil
	}
	jobs, err := allJobs(c.Tx)
	for _, j := range jobs {
		if j.Session == was && j.Round == 0 {
			err = errors.Join(err, edit(c, jobBucket, j.ID, ErrNoJob, func(j *Job) error { j.Session = session.ID; return nil }))
		}
	}
	return err
}

// putNewRound writes a round that has its ID, and its indexes.
func (c *change) putNewRound(r *Round) error {
	if _, err := getSession(c.Tx, r.Session); err != nil {
		return err
	}
	for _, p := range r.Parents {
		if _, err := getPicture(c.Tx, p); err != nil {
			return fmt.Errorf("parent of the job: %w", err)
		}
	}
	if err := c.retainAll(r.References); err != nil {
		return err
	}
	if r.UID == "" {
		r.UID = newUID()
	}
	err := errors.Join(
		put(c.Bucket(roundBucket), r.ID, r),
		c.Bucket(ofSessionBucket).Put(key(r.Session, r.ID), nil),
		c.putUID(RoundItem, r.UID, r.ID),
	)
	for _, p := range r.Parents {
		err = errors.Join(err, c.Bucket(childBucket).Put(key(p, r.ID), nil))
	}
	for _, k := range termKeys(*r) {
		err = errors.Join(err, c.Bucket(termBucket).Put(k, nil))
	}
	return err
}

// End journals the outcome of a round, and takes the job that it is of out of the queue. cause is kept for a failed one and may be
// nil. A job that LeaveJob has left waits on, and a round of it that is then cancelled was interrupted.
func (s *Store) End(round uint64, status Status, cause error, at time.Time) error {
	return s.update(func(c *change) error {
		return edit(c, roundBucket, round, ErrNotFound, func(r *Round) error {
			j, err := get[Job](c.Tx, jobBucket, r.Job, ErrNoJob)
			if errors.Is(err, ErrNoJob) {
				j, err = Job{}, nil
			}
			if err != nil || j.ID != 0 && j.Round != round && status == Cancelled {
				return err
			}
			r.Status, r.Ended = status, at
			if cause != nil {
				r.Error = cause.Error()
			}
			if j.ID != 0 && j.Round == round {
				return c.removeJob(r.Job)
			}
			return nil
		})
	})
}

// Rounds returns every round with its pictures, the newest first, also those in the trash.
func (s *Store) Rounds() ([]Round, error) {
	list, err := read(s, func(tx *bbolt.Tx) ([]Round, error) { return fullRounds(tx, under(tx, roundBucket, nil)) })
	slices.Reverse(list)
	return list, err
}

func fullRounds(tx *bbolt.Tx, ids []uint64) (list []Round, err error) {
	for _, id := range ids {
		r, err := fullRound(tx, id)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

// SessionRounds returns the rounds of a session with their pictures, the oldest first.
func (s *Store) SessionRounds(session uint64) ([]Round, error) {
	return read(s, func(tx *bbolt.Tx) ([]Round, error) { return fullRounds(tx, under(tx, ofSessionBucket, key(session))) })
}

// Round returns one round with its pictures, or ErrNotFound.
func (s *Store) Round(id uint64) (Round, error) {
	return read(s, func(tx *bbolt.Tx) (Round, error) { return fullRound(tx, id) })
}

func fullRound(tx *bbolt.Tx, id uint64) (Round, error) {
	r, err := getRound(tx, id)
	if err != nil {
		return r, err
	}
	for _, p := range under(tx, ofRoundBucket, key(id)) {
		one, err := getPicture(tx, p)
		if err != nil {
			return r, err
		}
		r.Pictures = append(r.Pictures, one)
	}
	return r, nil
}

// StartPicture journals that a picture of a round is being made, so that it can have steps.
func (s *Store) StartPicture(round, seed uint64) (uint64, error) {
	var p Picture
	err := s.update(func(c *change) (err error) {
		p, err = c.newPicture(Picture{Round: round, Seed: seed}, nil)
		return err
	})
	return made(p.ID, err)
}

// StartCell is StartPicture for a cell of a grid, 1 being the first, that was made by a recipe of its own.
func (s *Store) StartCell(round, seed uint64, cell int, recipe json.RawMessage) (uint64, error) {
	var p Picture
	err := s.update(func(c *change) (err error) {
		p, err = c.newPicture(Picture{Round: round, Seed: seed, Cell: cell, Recipe: recipe}, nil)
		return err
	})
	return made(p.ID, err)
}

// FinishPicture journals the end of a started picture: File, which is written already, Width, Height and Thumbnail of p. With p.SHA256,
// of its bytes, it is a file of the pictures folder, and Empty may delete it. Of a picture whose pixels are kept, size and thumbnail may
// be left out.
func (s *Store) FinishPicture(id uint64, p Picture) error {
	return s.editPicture(id, func(c *change, old *Picture) (err error) {
		if old.File != "" {
			return fmt.Errorf("picture %d is finished already, as %s", id, old.File)
		}
		old.File, old.SHA256, old.Bytes = p.File, p.SHA256, fileSize(p.File)
		if p.Width > 0 { // else KeepPixels has said it
			old.Width, old.Height = p.Width, p.Height
		}
		if len(p.Thumbnail) > 0 {
			err = c.putThumbnail(id, p.Thumbnail)
		}
		return errors.Join(err, c.dropPixels(old))
	})
}

// KeepPixels journals the end of a started picture whose file could not be written: Width, Height and Thumbnail of p, and the PNG file
// itself, which is kept here until FinishPicture or MovePicture says where it is.
func (s *Store) KeepPixels(id uint64, p Picture, png []byte) error {
	if len(png) == 0 || len(png) > maxEntry {
		return fmt.Errorf("a picture of %d bytes: %w", len(png), errOutsideLimit)
	}
	return s.editPicture(id, func(c *change, old *Picture) (err error) {
		if old.File != "" {
			return fmt.Errorf("picture %d is finished already, as %s", id, old.File)
		}
		if err := c.dropPixels(old); err != nil {
			return err
		}
		old.Width, old.Height, old.Bytes = p.Width, p.Height, int64(len(png))
		if old.Pixels, err = c.keep(png); err != nil {
			return err
		}
		return c.putThumbnail(id, p.Thumbnail)
	})
}

// dropPixels lets go of the pixels of a picture that has a file now, or goes.
func (c *change) dropPixels(p *Picture) error {
	if p.Pixels == "" {
		return nil
	}
	sum, err := Reference{SHA256: p.Pixels}.sum()
	p.Pixels, p.Inside = "", false
	if err != nil {
		return err
	}
	return c.release(sum)
}

// Pixels returns the PNG file of a picture that KeepPixels kept, or ErrNoPicture.
func (s *Store) Pixels(id uint64) ([]byte, error) {
	return read(s, func(tx *bbolt.Tx) ([]byte, error) {
		p, err := getPicture(tx, id)
		if err == nil && p.Pixels == "" {
			err = fmt.Errorf("the pixels of picture %d are not kept: %w", id, ErrNoPicture)
		}
		if err != nil {
			return nil, err
		}
		return s.readHex(tx, p.Pixels)
	})
}

func (c *change) writePicture(stem string, png []byte) (string, error) {
	dir, err := filepath.Abs(c.s.pictures)
	if err != nil {
		return "", err
	}
	path, err := c.s.freeName(dir, stem, png)
	if err == nil {
		c.written = append(c.written, path)
	}
	return path, err
}

// SetThumbnail keeps a small PNG of a picture, for one that was stopped.
func (s *Store) SetThumbnail(picture uint64, png []byte) error {
	return s.update(func(c *change) error {
		if _, err := getPicture(c.Tx, picture); err != nil {
			return err
		}
		return c.putThumbnail(picture, png)
	})
}

func (c *change) putThumbnail(id uint64, png []byte) error {
	if len(png) == 0 {
		return c.Bucket(thumbnailBucket).Delete(key(id))
	}
	if len(png) > maxThumbnail {
		return fmt.Errorf("a thumbnail of %d bytes: %w", len(png), errOutsideLimit)
	}
	return c.Bucket(thumbnailBucket).Put(key(id), sealThumbnail(key(id), png))
}

const maxThumbnail = 1 << 20

// newPicture writes a picture of a round under a new ID.
func (c *change) newPicture(p Picture, thumbnail []byte) (_ Picture, err error) {
	if _, err := getRound(c.Tx, p.Round); err != nil {
		return p, err
	}
	if p.ID, err = c.Bucket(pictureBucket).idFor(p.ID); err != nil {
		return p, err
	}
	if p.UID == "" {
		p.UID = newUID()
	}
	return p, errors.Join(
		c.putPicture(p),
		c.putThumbnail(p.ID, thumbnail),
		c.Bucket(ofRoundBucket).Put(key(p.Round, p.ID), nil),
		c.putUID(PictureItem, p.UID, p.ID),
	)
}

// putPicture writes a picture and its row of the gallery.
func (c *change) putPicture(p Picture) error {
	r, err := getRound(c.Tx, p.Round)
	if err != nil {
		return err
	}
	session, err := getSession(c.Tx, r.Session)
	if err != nil {
		return err
	}
	return errors.Join(
		put(c.Bucket(pictureBucket), p.ID, p),
		c.Bucket(galleryBucket).Put(key(p.ID), rowOf(p, r, session).encode()),
	)
}

// Picture returns one picture with its thumbnail, or ErrNoPicture.
func (s *Store) Picture(id uint64) (Picture, error) {
	list, err := s.Pictures([]uint64{id})
	if err != nil {
		return Picture{}, err
	}
	if len(list) == 0 {
		return Picture{}, fmt.Errorf("picture %d: %w", id, ErrNoPicture)
	}
	return list[0], nil
}

// Pictures returns these pictures with their thumbnails, without those that are gone: a page of a gallery whose IDs came
// from Find.
func (s *Store) Pictures(ids []uint64) ([]Picture, error) {
	return read(s, func(tx *bbolt.Tx) ([]Picture, error) {
		list := make([]Picture, 0, len(ids))
		for _, id := range ids {
			p, err := getPicture(tx, id)
			if errors.Is(err, ErrNoPicture) {
				continue
			}
			if err != nil {
				return nil, err
			}
			p.Thumbnail = bytes.Clone(openThumbnail(key(id), in(tx, thumbnailBucket).Get(key(id))))
			list = append(list, p)
		}
		return list, nil
	})
}

// Files are the files that pictures have, also those in the trash, and those that are gone.
func (s *Store) Files() ([]string, error) {
	return read(s, func(tx *bbolt.Tx) (list []string, err error) {
		err = in(tx, pictureBucket).ForEach(func(_, v []byte) error {
			p, err := decode[Picture](tx, pictureBucket, v)
			if err == nil && p.File != "" {
				list = append(list, p.File)
			}
			return err
		})
		return list, err
	})
}

// MovePicture journals where a picture's file is now.
func (s *Store) MovePicture(id uint64, file string) error {
	if _, err := os.Stat(file); err != nil {
		return explain(file, err)
	}
	return s.editPicture(id, func(c *change, p *Picture) error {
		p.File, p.Bytes, p.Absent = file, fileSize(file), false
		return c.dropPixels(p)
	})
}

// SetStar stars a picture, or takes the star away.
func (s *Store) SetStar(id uint64, on bool) error {
	return s.editPicture(id, func(_ *change, p *Picture) error { p.Starred = on; return nil })
}

// SetPin keeps the step data of a picture from being trimmed, or lets it go.
func (s *Store) SetPin(id uint64, on bool) error {
	return s.editPicture(id, func(_ *change, p *Picture) error { p.Pinned = on; return nil })
}

// SetLikeness keeps how near the subjects of a picture are to their references.
func (s *Store) SetLikeness(id uint64, list []Likeness) error {
	return s.editPicture(id, func(_ *change, p *Picture) error { p.Likeness = list; return nil })
}

func (s *Store) editPicture(id uint64, do func(*change, *Picture) error) error {
	return s.update(func(c *change) error { return c.editPicture(id, func(p *Picture) error { return do(c, p) }) })
}

// editPicture changes a picture and its row of the gallery.
func (c *change) editPicture(id uint64, do func(*Picture) error) error {
	p, err := getPicture(c.Tx, id)
	if err == nil {
		err = do(&p)
	}
	if err != nil {
		return err
	}
	return c.putPicture(p)
}

func (c *change) putUID(kind ItemKind, uid string, id uint64) error {
	return c.Bucket(uidBucket).Put(append([]byte{byte(kind)}, uid...), key(id))
}
