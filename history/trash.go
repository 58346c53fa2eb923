package history

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// ItemKind is what an Item names.
type ItemKind byte

// What can be thrown away.
const (
	SessionItem ItemKind = 's'
	RoundItem   ItemKind = 'r'
	PictureItem ItemKind = 'p'
)

// Item names something that can be thrown away.
type Item struct {
	Kind ItemKind
	ID   uint64
}

// Trash puts things in the trash. What is inside of them (the pictures of a session) goes along and comes back along, except
// what was thrown away by itself.
func (s *Store) Trash(at time.Time, items ...Item) error {
	if at.IsZero() {
		return errors.New("the trash needs to know when")
	}
	return s.update(func(c *change) error { return c.mark(at, items) })
}

// Restore takes things out of the trash: it undoes Trash of the same items.
func (s *Store) Restore(items ...Item) error {
	return s.update(func(c *change) error { return c.mark(time.Time{}, items) })
}

func (c *change) mark(at time.Time, items []Item) error {
	for _, item := range items {
		if err := c.markOne(at, item); err != nil {
			return err
		}
	}
	return nil
}

func (c *change) markOne(at time.Time, item Item) error {
	var pictures []uint64
	switch item.Kind {
	case SessionItem:
		if err := edit(c, sessionBucket, item.ID, ErrNoSession, func(one *Session) error { one.Trashed = at; return nil }); err != nil {
			return err
		}
		for _, r := range under(c.Tx, ofSessionBucket, key(item.ID)) {
			pictures = append(pictures, under(c.Tx, ofRoundBucket, key(r))...)
		}
	case RoundItem:
		if err := edit(c, roundBucket, item.ID, ErrNotFound, func(r *Round) error { r.Trashed = at; return nil }); err != nil {
			return err
		}
		pictures = under(c.Tx, ofRoundBucket, key(item.ID))
	case PictureItem:
		if err := c.editPicture(item.ID, func(p *Picture) error { p.Trashed = at; return nil }); err != nil {
			return err
		}
	default:
		return fmt.Errorf("%q cannot be moved to the trash", item.Kind)
	}
	for _, id := range pictures { // their rows say that they are in the trash
		if err := c.editPicture(id, func(*Picture) error { return nil }); err != nil {
			return err
		}
	}
	k := append([]byte{byte(item.Kind)}, key(item.ID)...)
	if at.IsZero() {
		return c.Bucket(trashBucket).Delete(k)
	}
	return c.Bucket(trashBucket).Put(k, key(uint64(at.UnixNano())))
}

// TrashCan returns what was thrown away, each with when.
func (s *Store) TrashCan() (map[Item]time.Time, error) {
	list := map[Item]time.Time{}
	err := s.view(func(tx *bbolt.Tx) error {
		return in(tx, trashBucket).ForEach(func(k, v []byte) error {
			if len(k) != 9 || len(v) != 8 {
				return &Error{Damaged, s.path, fmt.Errorf("the trash has %x", k)}
			}
			list[Item{ItemKind(k[0]), binary.BigEndian.Uint64(k[1:])}] = time.Unix(0, int64(binary.BigEndian.Uint64(v)))
			return nil
		})
	})
	return list, err
}

// Empty deletes for good what was thrown away before a moment, and returns how many pictures that were. Files of the pictures folder
// go too, unless they were changed since, or are those of a picture that stays as well: who deletes a file and makes the picture again has
// two of that name. Pictures that were written elsewhere stay there. References that other rounds use stay. Rounds that went on from a
// deleted picture lose that parent.
func (s *Store) Empty(before time.Time) (int, error) {
	items, err := s.TrashCan()
	if err != nil {
		return 0, err
	}
	pictures := 0
	err = s.update(func(c *change) error {
		pictures = 0
		for item, at := range items {
			if !at.Before(before) {
				continue
			}
			n, err := c.purge(item)
			if err != nil && !errors.Is(err, ErrNoPicture) && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrNoSession) {
				return err // not there: it went with what it was in
			}
			pictures += n
		}
		c.keepShared()
		return nil
	})
	return pictures, err
}

// keepShared leaves the files that other pictures have as well, or all, where not every picture can be read.
func (c *change) keepShared() {
	if len(c.discard) == 0 {
		return
	}
	shared := map[string]bool{}
	err := c.Tx.Bucket(pictureBucket).ForEach(func(key, sealed []byte) error {
		value, err := openSeal(pictureBucket, key, sealed) // a damaged record is no reason to empty nothing
		if err != nil {
			return err
		}
		p, err := decode[Picture](c.Tx, pictureBucket, value)
		shared[p.File] = true
		return err
	})
	c.discard = slices.DeleteFunc(c.discard, func(d discardedResult) bool { return err != nil || shared[d.file] })
}

// purge deletes an item and all that is in it, and returns how many pictures that were.
func (c *change) purge(item Item) (pictures int, err error) {
	switch item.Kind {
	case SessionItem:
		one, err := getSession(c.Tx, item.ID)
		if err != nil {
			return 0, err
		}
		for _, r := range under(c.Tx, ofSessionBucket, key(item.ID)) {
			n, err := c.purge(Item{RoundItem, r})
			if err != nil {
				return 0, err
			}
			pictures += n
		}
		jobs, err := allJobs(c.Tx)
		if err != nil {
			return 0, err
		}
		for _, j := range jobs {
			if j.Session == item.ID {
				if err := c.removeJob(j.ID); err != nil {
					return 0, err
				}
			}
		}
		if err := errors.Join(c.releaseAll(one.References), c.dropRecord(sessionBucket, item, one.UID)); err != nil {
			return 0, err
		}
	case RoundItem:
		r, err := getRound(c.Tx, item.ID)
		if err != nil {
			return 0, err
		}
		for _, p := range under(c.Tx, ofRoundBucket, key(item.ID)) {
			if _, err := c.purge(Item{PictureItem, p}); err != nil {
				return 0, err
			}
			pictures++
		}
		for _, k := range termKeys(r) {
			err = errors.Join(err, c.Bucket(termBucket).Delete(k))
		}
		for _, p := range r.Parents {
			err = errors.Join(err, c.Bucket(childBucket).Delete(key(p, r.ID)))
		}
		err = errors.Join(err,
			c.releaseAll(r.References),
			c.Bucket(ofSessionBucket).Delete(key(r.Session, r.ID)),
			c.dropRecord(roundBucket, item, r.UID),
		)
		if err != nil {
			return 0, err
		}
	case PictureItem:
		p, err := getPicture(c.Tx, item.ID)
		if err != nil {
			return 0, err
		}
		if err := errors.Join(c.orphan(p.ID), c.dropSteps(p.ID), c.dropPixels(&p)); err != nil {
			return 0, err
		}
		if p.SHA256 != "" {
			c.discard = append(c.discard, discardedResult{p.File, p.SHA256})
		}
		pictures = 1
		err = errors.Join(
			c.Bucket(galleryBucket).Delete(key(p.ID)),
			c.Bucket(thumbnailBucket).Delete(key(p.ID)),
			c.Bucket(ofRoundBucket).Delete(key(p.Round, p.ID)),
			c.dropRecord(pictureBucket, item, p.UID),
		)
		if err != nil {
			return 0, err
		}
	default:
		return 0, fmt.Errorf("%q cannot be moved to the trash", item.Kind)
	}
	return pictures, nil
}

func (c *change) dropRecord(bucket []byte, item Item, uid string) error {
	return errors.Join(
		c.Bucket(bucket).Delete(key(item.ID)),
		c.Bucket(uidBucket).Delete(append([]byte{byte(item.Kind)}, uid...)),
		c.Bucket(trashBucket).Delete(append([]byte{byte(item.Kind)}, key(item.ID)...)),
	)
}

// orphan takes a picture out of the rounds and jobs that go on from it.
func (c *change) orphan(picture uint64) error {
	for _, id := range under(c.Tx, childBucket, key(picture)) {
		err := edit(c, roundBucket, id, ErrNotFound, func(r *Round) error {
			r.Parents = without(r.Parents, picture)
			return c.Bucket(childBucket).Delete(key(picture, id))
		})
		if err != nil {
			return err
		}
	}
	jobs, err := allJobs(c.Tx)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if n := without(j.Parents, picture); len(n) != len(j.Parents) {
			j.Parents = n
			if err := put(c.Bucket(jobBucket), j.ID, j); err != nil {
				return err
			}
		}
	}
	return nil
}

func without(list []uint64, id uint64) []uint64 {
	var out []uint64
	for _, v := range list {
		if v != id {
			out = append(out, v)
		}
	}
	return out
}
