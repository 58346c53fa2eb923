package history

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"

	"go.etcd.io/bbolt"
)

// Filter says which pictures Find returns. The zero value is every picture outside the trash.
type Filter struct {
	Session uint64 // 0: of all sessions
	// Text has words that all have to be in the prompt, by their beginnings and in any order or case. "word:dog" has to be bound to
	// a reference, "seed:42" is the seed of the picture.
	Text    string
	Starred bool
	Trashed bool // only what is in the trash
}

// Find returns the IDs of pictures, the newest first. It reads no pictures: Pictures does, a page at a time.
func (s *Store) Find(f Filter) ([]uint64, error) {
	var ids []uint64
	err := s.view(func(tx *bbolt.Tx) error {
		rounds, seed, hasSeed := match(tx, f.Text)
		return in(tx, galleryBucket).ForEach(func(k, v []byte) error {
			r, err := decodeRow(v)
			if err != nil {
				return &Error{Damaged, s.path, err}
			}
			switch {
			case (r.flags&trashed != 0) != f.Trashed,
				f.Starred && r.flags&starred == 0,
				f.Session != 0 && f.Session != r.session,
				hasSeed && seed != r.seed,
				rounds != nil && !rounds[r.round]:
			default:
				ids = append(ids, binary.BigEndian.Uint64(k))
			}
			return nil
		})
	})
	slices.Reverse(ids)
	return ids, err
}

// Fields of the index of terms.
const (
	promptField = 'p'
	wordField   = 'w'
)

func termKeys(r Round) [][]byte {
	var list [][]byte
	add := func(field byte, text string) {
		for _, t := range terms(text) {
			list = append(list, append(append([]byte{field}, t+"\x00"...), key(r.ID)...))
		}
	}
	add(promptField, r.Prompt)
	add(wordField, strings.Join(r.Words, " "))
	return list
}

// match returns the rounds that have every term of a search, nil for all of them, and the seed that it asks for.
func match(tx *bbolt.Tx, text string) (rounds map[uint64]bool, seed uint64, hasSeed bool) {
	for _, part := range strings.Fields(text) {
		if digits, ok := strings.CutPrefix(part, "seed:"); ok {
			if n, err := strconv.ParseUint(digits, 10, 64); err == nil {
				seed, hasSeed = n, true
				continue
			}
		}
		field := byte(promptField)
		if word, ok := strings.CutPrefix(part, "word:"); ok {
			field, part = wordField, word
		}
		for _, t := range terms(part) {
			found := map[uint64]bool{}
			prefix := append([]byte{field}, t...)
			c := in(tx, termBucket).Cursor()
			for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
				if id := binary.BigEndian.Uint64(k[len(k)-8:]); rounds == nil || rounds[id] {
					found[id] = true
				}
			}
			rounds = found
		}
	}
	return rounds, seed, hasSeed
}

// Usage is what a session holds, and what that takes on disk.
type Usage struct {
	Rounds     int    // how many, also those in the trash
	Pictures   int    // how many, likewise
	Newest     uint64 // the last picture outside the trash; 0: none
	Bytes      int64  // of their files
	Steps      int64  // bytes of their step data, each step counted where it is kept
	References int64  // bytes of the references of rounds and draft, each counted once per session
}

// Usage returns what each session takes, also what lies in the trash.
func (s *Store) Usage() (map[uint64]Usage, error) {
	out := map[uint64]Usage{}
	err := s.view(func(tx *bbolt.Tx) error {
		for _, id := range under(tx, sessionBucket, nil) {
			references, err := referencesOf(tx, id)
			if err != nil {
				return err
			}
			u := Usage{Rounds: len(under(tx, ofSessionBucket, key(id)))}
			for sum := range references {
				e, _ := blobEntryOf(tx, []byte(sum))
				u.References += int64(e.size)
			}
			out[id] = u
		}
		return in(tx, galleryBucket).ForEach(func(k, v []byte) error {
			r, err := decodeRow(v)
			if err != nil {
				return &Error{Damaged, s.path, err}
			}
			u := out[r.session]
			if r.flags&trashed == 0 {
				u.Newest = binary.BigEndian.Uint64(k)
			}
			u.Pictures++
			u.Bytes += int64(r.bytes)
			u.Steps += int64(r.steps)
			out[r.session] = u
			return nil
		})
	})
	return out, err
}

// referencesOf returns the SHA-256 of every reference that a session needs.
func referencesOf(tx *bbolt.Tx, session uint64) (map[string]bool, error) {
	one, err := getSession(tx, session)
	if err != nil {
		return nil, err
	}
	list := one.References
	for _, id := range under(tx, ofSessionBucket, key(session)) {
		r, err := getRound(tx, id)
		if err != nil {
			return nil, err
		}
		list = append(list, r.References...)
	}
	sums := map[string]bool{}
	for _, r := range list {
		sum, err := r.sum()
		if err != nil {
			return nil, err
		}
		sums[string(sum)] = true
	}
	return sums, nil
}
