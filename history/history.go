// Package history keeps finished rounds: the recipe of each, and every picture it made with file and thumbnail.
//
// Contract: the only importer of bbolt; imports nothing of Realword, so a recipe is JSON that the caller understands. A
// round is a journal: Begin writes the recipe, Add each picture as it is ready, End the outcome, each in a transaction of its
// own that is on disk when the call returns. A program that dies in between leaves a round that reads as interrupted, with
// the pictures it had. Pictures themselves stay files; only their thumbnails are inside. A Store may be used from any
// goroutine; one process at a time has it open.
package history

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const schema = 1

// Buckets and keys. Rounds have the key ID (8 bytes, big endian), pictures the round's ID and their index (4 bytes).
var (
	metaBucket    = []byte("meta")
	schemaKey     = []byte("schema")
	roundBucket   = []byte("rounds")
	pictureBucket = []byte("pictures")
)

// Status is the outcome of a round.
type Status string

// The outcomes. A round that nobody ended is Interrupted, whether it still runs or its program died.
const (
	Interrupted Status = "interrupted"
	Complete    Status = "complete"
	Cancelled   Status = "cancelled"
	Failed      Status = "failed"
)

// Round is one generation.
type Round struct {
	ID       uint64          `json:"id"`
	Started  time.Time       `json:"started"`
	Ended    time.Time       `json:"ended,omitzero"`
	Status   Status          `json:"status"`
	Error    string          `json:"error,omitempty"` // of a failed round
	Recipe   json.RawMessage `json:"recipe"`
	Pictures []Picture       `json:"-"` // in the order in which they were made
}

// Picture is one result of a round.
type Picture struct {
	Seed      uint64 `json:"seed"`
	File      string `json:"file"` // absolute path; the file may have been moved since
	Width     int    `json:"width"`
	Height    int    `json:"height"`
	Thumbnail []byte `json:"thumbnail,omitempty"` // a small PNG
}

// ErrNotFound says that there is no round with an ID.
var ErrNotFound = errors.New("there is no such round in the history")

// Store is an open history file.
type Store struct{ db *bbolt.DB }

// DefaultPath is history.db in the realword folder of the user's configuration.
func DefaultPath() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("there is no folder for the history: %w: set HOME", err)
	}
	return filepath.Join(dir, "realword", "history.db"), nil
}

// Open opens the history file at path, or begins a new one. It waits a second for another process to let go of it.
func Open(path string) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("the folder of the history cannot be made: %w", err)
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("another Realword has the history %s open: close it and try again", path)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return nil, fmt.Errorf("the history %s is damaged (%w): move it away, and Realword begins a new one", path, err)
	case err != nil:
		return nil, fmt.Errorf("the history %s cannot be opened: %w", path, err)
	}
	if err := db.Update(prepare); err != nil {
		return nil, errors.Join(fmt.Errorf("the history %s cannot be used: %w", path, err), db.Close())
	}
	return &Store{db}, nil
}

func prepare(tx *bbolt.Tx) error {
	meta, err := tx.CreateBucketIfNotExists(metaBucket)
	if err != nil {
		return err
	}
	if found := meta.Get(schemaKey); found == nil {
		if err := meta.Put(schemaKey, []byte{schema}); err != nil {
			return err
		}
	} else if len(found) != 1 || found[0] != schema {
		return fmt.Errorf("it has schema %v, this Realword knows %d: use the newer Realword that wrote it", found, schema)
	}
	for _, name := range [][]byte{roundBucket, pictureBucket} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

// Begin journals a new round and returns its ID. IDs grow, and are never used again.
func (s *Store) Begin(recipe json.RawMessage, at time.Time) (uint64, error) {
	var id uint64
	err := s.db.Update(func(tx *bbolt.Tx) error {
		rounds := tx.Bucket(roundBucket)
		var err error
		if id, err = rounds.NextSequence(); err != nil {
			return err
		}
		return put(rounds, roundKey(id), Round{ID: id, Started: at, Status: Interrupted, Recipe: recipe})
	})
	return id, err
}

// Add journals a picture of a round.
func (s *Store) Add(round uint64, p Picture) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		if tx.Bucket(roundBucket).Get(roundKey(round)) == nil {
			return fmt.Errorf("round %d: %w", round, ErrNotFound)
		}
		n := uint32(len(pictures(tx, round)))
		return put(tx.Bucket(pictureBucket), binary.BigEndian.AppendUint32(roundKey(round), n), p)
	})
}

// End journals the outcome of a round. cause is kept for a failed one and may be nil.
func (s *Store) End(round uint64, status Status, cause error, at time.Time) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		r, err := get(tx, round)
		if err != nil {
			return err
		}
		r.Status, r.Ended = status, at
		if cause != nil {
			r.Error = cause.Error()
		}
		return put(tx.Bucket(roundBucket), roundKey(round), r)
	})
}

// Rounds returns every round with its pictures, the newest first.
func (s *Store) Rounds() ([]Round, error) {
	var list []Round
	err := s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(roundBucket).ForEach(func(key, _ []byte) error {
			r, err := complete(tx, binary.BigEndian.Uint64(key))
			list = append(list, r)
			return err
		})
	})
	slices.Reverse(list)
	return list, err
}

// Round returns one round with its pictures, or ErrNotFound.
func (s *Store) Round(id uint64) (Round, error) {
	var r Round
	err := s.db.View(func(tx *bbolt.Tx) (err error) {
		r, err = complete(tx, id)
		return err
	})
	return r, err
}

func complete(tx *bbolt.Tx, id uint64) (Round, error) {
	r, err := get(tx, id)
	if err != nil {
		return r, err
	}
	for i, value := range pictures(tx, id) {
		var p Picture
		if err := json.Unmarshal(value, &p); err != nil {
			return r, fmt.Errorf("picture %d of round %d is damaged in the history: %w", i, id, err)
		}
		r.Pictures = append(r.Pictures, p)
	}
	return r, nil
}

func get(tx *bbolt.Tx, id uint64) (Round, error) {
	var r Round
	value := tx.Bucket(roundBucket).Get(roundKey(id))
	if value == nil {
		return r, fmt.Errorf("round %d: %w", id, ErrNotFound)
	}
	if err := json.Unmarshal(value, &r); err != nil {
		return r, fmt.Errorf("round %d is damaged in the history: %w", id, err)
	}
	return r, nil
}

// pictures returns the stored pictures of a round, valid as long as tx.
func pictures(tx *bbolt.Tx, round uint64) [][]byte {
	var list [][]byte
	prefix, c := roundKey(round), tx.Bucket(pictureBucket).Cursor()
	for key, value := c.Seek(prefix); len(key) > 8 && binary.BigEndian.Uint64(key) == round; key, value = c.Next() {
		list = append(list, value)
	}
	return list
}

func put(b *bbolt.Bucket, key []byte, v any) error {
	value, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.Put(key, value)
}

func roundKey(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }
