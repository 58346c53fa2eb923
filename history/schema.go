package history

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
)

var schema = []byte{3}

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

// prepare makes the buckets of a new file, which begins without blobs, and refuses one of another schema.
func prepare(c *change) error {
	meta, err := c.CreateBucketIfNotExists(metaBucket)
	if err != nil {
		return err
	}
	first, _ := c.Cursor().First()
	switch found := meta.Get(schemaKey); {
	case found == nil && string(first) != string(metaBucket):
		return &Error{Damaged, c.s.path, errors.New("it is a database of another program")}
	case found != nil:
		return schemaError(found, c.s.path)
	}
	if err := c.s.leaveBlobs(); err != nil {
		return err
	}
	for _, name := range [][]byte{
		sessionBucket, roundBucket, pictureBucket, galleryBucket, thumbnailBucket, stepBucket, ofSessionBucket, ofRoundBucket, childBucket,
		termBucket, trashBucket, uidBucket, jobBucket, blobBucket, inlineBucket, looseBucket, doomedBucket,
	} {
		if _, err := c.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return meta.Put(schemaKey, schema)
}

// schemaError says why a history of a schema cannot be used; nil where it can.
func schemaError(found []byte, path string) error {
	switch {
	case string(found) == string(schema):
		return nil
	case len(found) == 1 && found[0] < schema[0]:
		return &Error{Older, path, fmt.Errorf("it has schema %d, of a Realword before the first release; this one knows %d", found[0], schema[0])}
	case len(found) == 1:
		return &Error{Newer, path, fmt.Errorf("it has schema %d, this Realword knows %d", found[0], schema[0])}
	default:
		return &Error{Newer, path, fmt.Errorf("it has schema %q, this Realword knows %d", found, schema[0])}
	}
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
		return v, fmt.Errorf("%s: %w", recordName(bucket, key(id)), missing)
	}
	return decode[T](tx, bucket, value)
}

// edit changes one record.
func edit[T any](c *change, bucket []byte, id uint64, missing error, do func(*T) error) error {
	one, err := get[T](c.Tx, bucket, id, missing)
	if err == nil {
		err = do(&one)
	}
	if err != nil {
		return err
	}
	return put(c.Bucket(bucket), id, one)
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
