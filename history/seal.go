package history

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"go.etcd.io/bbolt"
)

// Records carry a checksum of themselves, their key and their bucket, so that a byte that has changed on the disk is found where it is
// read, and a record that is found in another place is not taken for what stands there. Small blobs are named by their SHA-256;
// thumbnails are sealed, too, and a damaged one is left out.
var sealedBuckets = [][]byte{
	sessionBucket, roundBucket, pictureBucket, galleryBucket, stepBucket, ofSessionBucket, ofRoundBucket, childBucket,
	termBucket, trashBucket, uidBucket, jobBucket, blobBucket, looseBucket, doomedBucket,
}

func isSealed(name []byte) bool {
	for _, b := range sealedBuckets {
		if string(b) == string(name) {
			return true
		}
	}
	return false
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(bucket, key, value []byte) uint32 {
	sum := crc32.Update(0, castagnoli, bucket)
	sum = crc32.Update(sum, castagnoli, []byte{0})
	sum = crc32.Update(sum, castagnoli, binary.BigEndian.AppendUint64(nil, uint64(len(key))))
	sum = crc32.Update(sum, castagnoli, key)
	return crc32.Update(sum, castagnoli, value)
}

func seal(bucket, key, value []byte) []byte {
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(value)), checksum(bucket, key, value)), value...)
}

// open is the value of a sealed one.
func openSeal(bucket, key, sealed []byte) ([]byte, error) {
	if len(sealed) < 4 || binary.BigEndian.Uint32(sealed) != checksum(bucket, key, sealed[4:]) {
		return nil, fmt.Errorf("the bytes of %s are not what was written", recordName(bucket, key))
	}
	return sealed[4:], nil
}

// recordName names a record for people: "job 12".
func recordName(bucket, key []byte) string {
	name, known := map[string]string{
		string(sessionBucket): "session", string(roundBucket): "job", string(pictureBucket): "picture", string(jobBucket): "waiting job",
	}[string(bucket)]
	if !known {
		name = string(bucket)
	}
	if len(key) == 8 {
		return fmt.Sprintf("%s %d", name, binary.BigEndian.Uint64(key))
	}
	return fmt.Sprintf("%s %.20x", name, key)
}

// unseal is openSeal for the readers below, which, as those of bbolt, have no errors: a damaged record panics, and guard makes that
// an *Error.
func unseal(bucket, key, sealed []byte) []byte {
	value, err := openSeal(bucket, key, sealed)
	if err != nil {
		panic(err)
	}
	return value
}

// bucket is a bucket of bbolt whose values are sealed on the way in and opened on the way out.
type bucket struct {
	*bbolt.Bucket
	name []byte
}

func in(tx *bbolt.Tx, name []byte) bucket { return bucket{tx.Bucket(name), name} }

// Bucket hides that of the transaction, which knows no seals.
func (c *change) Bucket(name []byte) bucket { return in(c.Tx, name) }

func (b bucket) open(k, v []byte) []byte {
	if v == nil || !isSealed(b.name) {
		return v
	}
	return unseal(b.name, k, v)
}

// Get returns nil for a key that is not there. The bytes are valid until the transaction ends.
func (b bucket) Get(k []byte) []byte { return b.open(k, b.Bucket.Get(k)) }

// Put writes a value.
func (b bucket) Put(k, v []byte) error {
	if isSealed(b.name) {
		v = seal(b.name, k, v)
	}
	return b.Bucket.Put(k, v)
}

// ForEach calls do with every key and value, in the order of the keys.
func (b bucket) ForEach(do func(k, v []byte) error) error {
	return b.Bucket.ForEach(func(k, v []byte) error { return do(k, b.open(k, v)) })
}

// Cursor walks in the order of the keys.
func (b bucket) Cursor() cursor { return cursor{b.Bucket.Cursor(), b} }

type cursor struct {
	*bbolt.Cursor
	b bucket
}

// Seek goes to the first key from k on.
func (c cursor) Seek(k []byte) (key, value []byte) {
	key, value = c.Cursor.Seek(k)
	return key, c.b.open(key, value)
}

// Next goes to the next key.
func (c cursor) Next() (key, value []byte) {
	key, value = c.Cursor.Next()
	return key, c.b.open(key, value)
}

// newID is a number that the bucket has not used, also where its count was damaged.
func (b bucket) newID() (uint64, error) {
	if k, _ := b.Bucket.Cursor().Last(); len(k) == 8 {
		if last := binary.BigEndian.Uint64(k); last > b.Sequence() {
			if err := b.SetSequence(last); err != nil {
				return 0, err
			}
		}
	}
	id, err := b.NextSequence()
	if err == nil && id == 0 {
		err = errors.New("there are no more numbers")
	}
	return id, err
}

// idFor is a number for a new record: a new one, or the one that it has already.
func (b bucket) idFor(id uint64) (uint64, error) {
	switch {
	case id == 0:
		return b.newID()
	case b.Bucket.Get(key(id)) != nil:
		return 0, fmt.Errorf("%s is there already", recordName(b.name, key(id)))
	case id > b.Sequence():
		return id, b.SetSequence(id)
	}
	return id, nil
}

// sealThumbnail seals a small picture behind a zero, with which no PNG begins.
func sealThumbnail(k, png []byte) []byte { return append([]byte{0}, seal(thumbnailBucket, k, png)...) }

// openThumbnail returns nil for a damaged one: it can be made again.
func openThumbnail(k, value []byte) []byte {
	if len(value) == 0 {
		return nil
	}
	png, _ := openSeal(thumbnailBucket, k, value[1:]) // nil with an error
	return png
}
