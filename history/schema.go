package history

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
)

const schema = 3

// Buckets. Numbers in keys are 8 bytes, big endian, so that cursors walk in order of age.
var (
	metaBucket      = []byte("meta")       // schema; order of the queue
	sessionBucket   = []byte("sessions")   // session -> Session
	roundBucket     = []byte("rounds")     // round -> Round
	pictureBucket   = []byte("pictures")   // picture -> Picture
	galleryBucket   = []byte("gallery")    // picture -> row
	thumbnailBucket = []byte("thumbnails") // picture -> PNG
	stepBucket      = []byte("steps")      // picture, step -> stepRecord
	ofSessionBucket = []byte("of session") // session, round
	ofRoundBucket   = []byte("of round")   // round, picture
	childBucket     = []byte("children")   // picture, round that goes on from it
	termBucket      = []byte("terms")      // field, term, 0, round
	trashBucket     = []byte("trash")      // kind, id
	uidBucket       = []byte("uids")       // kind, UID -> id
	jobBucket       = []byte("queue")      // job -> Job
	blobBucket      = []byte("blobs")      // SHA-256 -> uses (4 bytes), size (8)
	inlineBucket    = []byte("inline")     // SHA-256 -> bytes of a small blob
	looseBucket     = []byte("loose")      // SHA-256 of references that nothing uses yet
	doomedBucket    = []byte("doomed")     // SHA-256 of blobs whose files go
)

var (
	schemaKey = []byte("schema")
	orderKey  = []byte("order") // of the queue: job IDs
)

// migrate brings a file to the newest schema, in one transaction.
func migrate(c *change) error {
	meta, err := c.CreateBucketIfNotExists(metaBucket)
	if err != nil {
		return err
	}
	version := byte(0) // a new file
	if found := meta.Get(schemaKey); len(found) == 1 {
		version = found[0]
	} else if found != nil {
		version = 255
	} else if root, _ := c.Cursor().First(); string(root) != string(metaBucket) {
		return &Error{Damaged, c.s.path, fmt.Errorf("it is a database of another program")}
	}
	if version == schema {
		return nil
	}
	if version > schema {
		return &Error{Newer, c.s.path, fmt.Errorf("it has schema %d, this Realword knows %d", version, schema)}
	}
	if version == 1 {
		return &Error{Damaged, c.s.path, errors.New("it has schema 1, which no Realword that was given away has written")}
	}
	for _, name := range [][]byte{
		sessionBucket, roundBucket, pictureBucket, galleryBucket, thumbnailBucket, stepBucket, ofSessionBucket, ofRoundBucket, childBucket,
		termBucket, trashBucket, uidBucket, jobBucket, blobBucket, inlineBucket, looseBucket, doomedBucket,
	} {
		if _, err := c.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	if err := meta.Put(schemaKey, []byte{schema}); err != nil {
		return err
	}
	return c.sealAll()
}

// sealAll gives the records of schema 2 their checksums.
func (c *change) sealAll() error {
	for _, name := range sealedBuckets {
		b := c.Tx.Bucket(name)
		for _, k := range keys(b) {
			if err := c.Bucket(name).Put(k, bytes.Clone(b.Get(k))); err != nil {
				return err
			}
		}
	}
	if o := c.Tx.Bucket(metaBucket).Get(orderKey); o != nil {
		return c.Tx.Bucket(metaBucket).Put(orderKey, seal(metaBucket, orderKey, bytes.Clone(o)))
	}
	return nil
}

// records

func put(b bucket, id uint64, v any) error {
	value, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("it cannot be written as JSON: %w", err)
	}
	return b.Put(key(id), value)
}

// get reads a record, or returns missing.
func get[T any](tx *bbolt.Tx, bucket []byte, id uint64, missing error) (T, error) {
	var v T
	value := in(tx, bucket).Get(key(id))
	if value == nil {
		return v, fmt.Errorf("%s %d: %w", bucket, id, missing)
	}
	return decode[T](tx, bucket, value)
}

func decode[T any](tx *bbolt.Tx, bucket, value []byte) (T, error) {
	var v T
	if err := json.Unmarshal(value, &v); err != nil {
		return v, &Error{Damaged, tx.DB().Path(), fmt.Errorf("one of the %s: %w", bucket, err)}
	}
	return v, nil
}

func getSession(tx *bbolt.Tx, id uint64) (Session, error) {
	return get[Session](tx, sessionBucket, id, ErrNoSession)
}
func getRound(tx *bbolt.Tx, id uint64) (Round, error) {
	return get[Round](tx, roundBucket, id, ErrNotFound)
}
func getPicture(tx *bbolt.Tx, id uint64) (Picture, error) {
	return get[Picture](tx, pictureBucket, id, ErrNoPicture)
}

// under returns the last number of every key that begins with prefix: the members of an index.
func under(tx *bbolt.Tx, bucket []byte, prefix []byte) []uint64 {
	var ids []uint64
	c := in(tx, bucket).Cursor()
	for k, _ := c.Seek(prefix); len(k) >= len(prefix)+8 && string(k[:len(prefix)]) == string(prefix); k, _ = c.Next() {
		ids = append(ids, binary.BigEndian.Uint64(k[len(k)-8:]))
	}
	return ids
}
