package history

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.etcd.io/bbolt"

	"realword/inference/files"
	"realword/inference/message"
)

// inlineLimit is the size up to which a blob lies in the database. Beyond it, copying its pages at every change around it
// costs more than a file of its own.
const inlineLimit = 32 << 10

// MaxReference is the largest reference file that is kept: every file that the encoders take is smaller.
const MaxReference = 256 << 20

// blobs are counted by their uses: one per step, state, and mention in a round, a draft or a job.
type blobEntry struct {
	uses uint32
	size uint64
}

func (e blobEntry) encode() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(nil, e.uses), e.size)
}

func blobEntryOf(tx *bbolt.Tx, sum []byte) (e blobEntry, found bool) {
	if b := in(tx, blobBucket).Get(sum); len(b) == 12 {
		return blobEntry{binary.BigEndian.Uint32(b), binary.BigEndian.Uint64(b[4:])}, true
	}
	return e, false
}

func (s *Store) blobFile(sum []byte) string {
	name := hex.EncodeToString(sum)
	return filepath.Join(s.blobs, name[:2], name)
}

// whole tells whether a blob that is kept is there as it was written, as far as the size of its file says, and what was read of it.
func (s *Store) whole(sum []byte, e blobEntry) bool {
	if _, bad := s.spoiled.Load(string(sum)); bad {
		return false
	}
	return e.size <= inlineLimit || fileSize(s.blobFile(sum)) == int64(e.size)
}

// putBlob keeps data, if it is not there yet or no longer whole, and returns its SHA-256. It does not count as a use.
func (c *change) putBlob(data []byte) ([]byte, error) {
	hash := sha256.Sum256(data)
	return hash[:], c.putSum(hash[:], data)
}

// putSum is putBlob of data whose SHA-256 is known.
func (c *change) putSum(sum, data []byte) error {
	e, found := blobEntryOf(c.Tx, sum)
	if found && c.s.whole(sum, e) {
		return nil
	}
	switch {
	case !found && c.unneeded[string(sum)]:
		delete(c.unneeded, string(sum)) // its file is still there
	case len(data) <= inlineLimit:
		if err := c.Bucket(inlineBucket).Put(sum, data); err != nil {
			return err
		}
	default:
		path := c.s.blobFile(sum)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := files.Put(path, c.s.how|files.Private, files.Data(data)); err != nil {
			return err
		}
		if !found { // else it is needed whatever becomes of the change
			c.written = append(c.written, path)
		}
	}
	c.s.spoiled.Delete(string(sum))
	return errors.Join(
		c.Bucket(doomedBucket).Delete(sum),
		c.Bucket(blobBucket).Put(sum, blobEntry{e.uses, uint64(len(data))}.encode()),
	)
}

func (c *change) retain(sum []byte) error {
	e, found := blobEntryOf(c.Tx, sum)
	if !found {
		return ErrNoReference
	}
	e.uses++
	return errors.Join(c.Bucket(looseBucket).Delete(sum), c.Bucket(blobBucket).Put(sum, e.encode()))
}

func (c *change) release(sum []byte) error {
	e, found := blobEntryOf(c.Tx, sum)
	if !found {
		return fmt.Errorf("the blob %x is not in the history", sum)
	}
	if e.uses > 1 {
		e.uses--
		return c.Bucket(blobBucket).Put(sum, e.encode())
	}
	return c.dropBlob(sum, e)
}

func (c *change) dropBlob(sum []byte, e blobEntry) error {
	if err := errors.Join(c.Bucket(looseBucket).Delete(sum), c.Bucket(blobBucket).Delete(sum)); err != nil {
		return err
	}
	if e.size <= inlineLimit {
		return c.Bucket(inlineBucket).Delete(sum)
	}
	c.unneeded[string(sum)] = true
	return c.Bucket(doomedBucket).Put(sum, nil)
}

// readBlob notes a blob that is not what was written, so that it is written again when somebody has it.
func (s *Store) readBlob(tx *bbolt.Tx, sum []byte) (data []byte, err error) {
	defer func() {
		var known *Error
		if errors.As(err, &known) && (known.Kind == Damaged || known.Kind == Spoiled) {
			s.spoiled.Store(string(sum), true)
			data = nil
		}
	}()
	e, found := blobEntryOf(tx, sum)
	if !found {
		return nil, ErrNoReference
	}
	if e.size <= inlineLimit {
		data := bytes.Clone(in(tx, inlineBucket).Get(sum))
		return data, verified(Damaged, s.path, sum, data)
	}
	if data, err = files.Read(s.blobFile(sum), maxEntry); err != nil {
		return nil, explain(s.path, err)
	}
	return data, verified(Spoiled, s.blobFile(sum), sum, data)
}

// verified returns an error for bytes that are not those of a SHA-256.
func verified(kind Kind, path string, sum, data []byte) error {
	if hash := sha256.Sum256(data); !bytes.Equal(hash[:], sum) {
		return &Error{kind, path, fmt.Errorf("the bytes of %x are not what was written", sum[:4])}
	}
	return nil
}

func (c *change) retainAll(list []Reference) error {
	for _, r := range list {
		sum, err := r.sum()
		if err == nil {
			err = c.retain(sum)
		}
		if err != nil {
			return fmt.Errorf("%q: %w", r.Name, err)
		}
	}
	return nil
}

func (c *change) releaseAll(list []Reference) error {
	for _, r := range list {
		sum, err := r.sum()
		if err == nil {
			err = c.release(sum)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r Reference) sum() ([]byte, error) {
	sum, err := hex.DecodeString(r.SHA256)
	if err != nil || !files.IsSum(r.SHA256) {
		return nil, fmt.Errorf("%q is no SHA-256 in hex: %w", r.SHA256, ErrNoReference)
	}
	return sum, nil
}

// PutReference keeps the bytes of a reference picture. Until a draft, a round or a job names it, it is kept for as long as the
// store is open. Who names the SHA-256 has hashed the bytes; without one it is filled in. Where the bytes that are kept are gone, or were
// found to be others, these take their place. Who has no bytes answers for one that is here already, or ErrNoReference.
func (s *Store) PutReference(r Reference, data []byte) (Reference, error) {
	if len(data) > MaxReference {
		return r, message.Errorf("the reference %q has %d bytes: use a picture of at most %d MiB", r.Name, len(data), MaxReference>>20)
	}
	if r.SHA256 == "" && len(data) > 0 {
		r.SHA256 = files.Sum(data)
	}
	sum, err := r.sum()
	if err != nil {
		return r, err
	}
	here := false // as it is to be kept
	err = s.view(func(tx *bbolt.Tx) error {
		e, found := blobEntryOf(tx, sum)
		noted := e.uses > 0 || in(tx, looseBucket).Get(sum) != nil
		here = found && (len(data) == 0 || noted && s.whole(sum, e))
		if !found && len(data) == 0 {
			return ErrNoReference
		}
		return nil
	})
	if here || err != nil {
		return r, err
	}
	err = s.update(func(c *change) error {
		if err := c.putSum(sum, data); err != nil {
			return err
		}
		if e, _ := blobEntryOf(c.Tx, sum); e.uses == 0 {
			return c.Bucket(looseBucket).Put(sum, nil)
		}
		return nil
	})
	return r, err
}

// ReferenceData returns the bytes of a reference, or ErrNoReference.
func (s *Store) ReferenceData(sha256 string) ([]byte, error) {
	sum, err := Reference{SHA256: sha256}.sum()
	if err != nil {
		return nil, err
	}
	return read(s, func(tx *bbolt.Tx) ([]byte, error) { return s.readBlob(tx, sum) })
}

// recover finishes what a program that died left half done.
func (s *Store) recover() error {
	return s.update(func(c *change) error {
		for _, k := range keys(c.Bucket(looseBucket)) {
			if e, found := blobEntryOf(c.Tx, k); found && e.uses == 0 {
				if err := c.dropBlob(k, e); err != nil {
					return err
				}
			}
		}
		for _, k := range keys(c.Bucket(doomedBucket)) {
			c.unneeded[string(k)] = true
		}
		return c.parkCrashed()
	})
}

// keys copies every key of a bucket, so that it may be changed.
func keys(b interface {
	ForEach(func(k, v []byte) error) error
},
) [][]byte {
	var list [][]byte
	_ = b.ForEach(func(k, _ []byte) error { // cannot fail
		list = append(list, bytes.Clone(k))
		return nil
	})
	return list
}

// Sweep removes files that a crash left behind, in the folders of blobs and pictures, and returns how many. It reads the whole
// folder: call it rarely, and not on the goroutine of a window.
func (s *Store) Sweep() (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	removed := files.Sweep(s.pictures)
	folders, err := os.ReadDir(s.blobs)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return removed, explain(s.blobs, err)
	}
	var blobs []string
	for _, folder := range folders {
		path := filepath.Join(s.blobs, folder.Name())
		if len(folder.Name()) != 2 {
			continue
		}
		removed += files.Sweep(path)
		list, err := os.ReadDir(path)
		if err != nil {
			continue // it is no folder
		}
		for _, f := range list {
			if !strings.HasPrefix(f.Name(), ".") {
				blobs = append(blobs, filepath.Join(path, f.Name()))
			}
		}
	}
	err = s.view(func(tx *bbolt.Tx) error {
		for _, f := range blobs {
			sum, err := hex.DecodeString(filepath.Base(f))
			if _, found := blobEntryOf(tx, sum); err == nil && len(sum) == sha256.Size && found {
				continue
			}
			if err := os.Remove(f); err == nil {
				removed++
			} else if !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
		return nil
	})
	return removed, err
}

func fileSize(path string) int64 {
	if info, err := os.Stat(path); err == nil {
		return info.Size()
	}
	return 0
}

// hasSum tells whether a file has these bytes still.
func hasSum(path, sha string) bool {
	sum, err := files.SumOf(path)
	return err == nil && sum == sha
}
